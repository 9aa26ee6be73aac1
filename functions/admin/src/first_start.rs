//! The first administrator: made once, whoever starts first.

use secrecy::SecretString;
use shared::clock::Clock;
use shared::domain::group::DEFAULT_GROUP;
use shared::domain::id::UserId;
use shared::domain::user::{Role, User};
use shared::failure::Failure;
use shared::random;
use shared::store::{Store, StoreError};

use crate::password;

/// The first administrator's name.
pub const ROOT: &str = "root";

/// Makes the user `root` if nobody has that name. The user that was made, or `None` when there was one.
///
/// # Errors
/// When the table cannot be read or written.
pub async fn ensure_root(
    store: &Store,
    clock: &Clock,
    password: &SecretString,
    must_change: bool,
) -> Result<Option<User>, Failure> {
    if store.users().find_by_username(ROOT).await?.is_some() {
        return Ok(None);
    }
    let at_ms = u64::try_from(clock.now_ms()).unwrap_or(0);
    let user = User {
        id: UserId::from_parts(at_ms, random::bits()),
        username: ROOT.to_owned(),
        display_name: "Root".to_owned(),
        role: Role::Root,
        group: DEFAULT_GROUP.to_owned(),
        enabled: true,
        unlimited: true,
        password_hash: Some(password::hash(password.clone()).await?),
        must_change_password: must_change,
        session_epoch: 0,
        revision: 0,
        created_at: clock.now(),
    };
    match store.users().create(&user).await {
        Ok(()) => Ok(Some(user)),
        // Somebody else started at the same time and was faster.
        Err(StoreError::Conflict) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
