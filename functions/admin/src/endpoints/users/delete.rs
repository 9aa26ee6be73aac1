//! Removing a user. The wallet and the usage records stay in the books.

use axum::extract::State;
use http::StatusCode;
use shared::domain::id::UserId;
use shared::domain::user::{Role, User};
use shared::failure::{Failure, Kind};

use super::rank;
use crate::answer::Answer;
use crate::app::App;
use crate::path::Named;
use crate::session::Admin;

const KEYS_A_PAGE: usize = 100;

/// Delete a user and their keys
///
/// The usage records stay. Neither root nor oneself can be deleted.
#[utoipa::path(
    delete, path = "/api/users/{id}", tag = "users", params(("id" = String, Path)),
    responses((status = 204, description = "Deleted")),
)]
pub(crate) async fn delete_user(
    State(app): State<App>,
    actor: Admin,
    Named(id): Named<UserId>,
) -> Answer<StatusCode> {
    let user = app.store.users().find(id).await?;
    let user = user.ok_or_else(|| Failure::missing("user", &id))?;
    authorise(&actor.0, &user)?;
    delete_keys(&app, id).await?;
    app.store.users().delete(&user).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn authorise(actor: &User, user: &User) -> Result<(), Failure> {
    let kept = |text| Err(Failure::new(Kind::Conflict, "user_is_kept", text));
    if actor.id == user.id {
        return kept("Nobody deletes themselves.");
    }
    if user.role == Role::Root {
        return kept("Root cannot be deleted.");
    }
    rank::require(actor, user.role)
}

/// The keys go first: if this breaks off, the user is still there to be deleted again.
async fn delete_keys(app: &App, user: UserId) -> Result<(), Failure> {
    let mut cursor = None;
    loop {
        let page = app
            .store
            .keys()
            .list(Some(user), KEYS_A_PAGE, cursor)
            .await?;
        for key in &page.items {
            app.store.keys().delete(key.id).await?;
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(());
        }
    }
}
