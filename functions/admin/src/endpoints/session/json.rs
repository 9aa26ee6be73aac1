//! Sessions, as the outside sees them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::json::user::UserJson;

/// Who wants to sign in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SignIn)]
pub(crate) struct SignInBody {
    pub(crate) username: String,
    #[schema(format = Password)]
    pub(crate) password: String,
}

/// A session that began.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
pub(crate) struct SessionJson {
    /// For `Authorization: Bearer`.
    pub(crate) token: String,
    #[schema(value_type = String, format = DateTime)]
    pub(crate) expires_at: Timestamp,
    pub(crate) user: UserJson,
    /// Whether the password is a one-time one.
    pub(crate) must_change_password: bool,
}

/// A session that goes on.
#[derive(Serialize, ToSchema)]
#[schema(as = CurrentSession)]
pub(crate) struct CurrentSessionJson {
    pub(crate) user: UserJson,
    /// Whether the password is a one-time one.
    pub(crate) must_change_password: bool,
}
