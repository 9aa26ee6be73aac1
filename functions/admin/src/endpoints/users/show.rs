//! Showing a user.

use axum::Json;
use axum::extract::State;
use shared::domain::id::UserId;
use shared::domain::user::User;
use shared::failure::Failure;

use crate::answer::Answer;
use crate::app::App;
use crate::json::user::UserJson;
use crate::path::Named;
use crate::session::Member;
use crate::standing;

/// Show a user: oneself, or for administrators anybody
#[utoipa::path(
    get, path = "/api/users/{id}", tag = "users", params(("id" = String, Path)),
    responses((status = 200, description = "The user", body = UserJson)),
)]
pub(crate) async fn show_user(
    State(app): State<App>,
    member: Member,
    Named(id): Named<UserId>,
) -> Answer<Json<UserJson>> {
    let user = load(&app, &member, id).await?;
    Ok(Json(standing::of(&app, &user).await?))
}

/// The user, if `member` may know of them.
pub(super) async fn load(app: &App, member: &Member, id: UserId) -> Result<User, Failure> {
    let visible = member.is_admin() || member.0.id == id;
    let user = match visible {
        true => app.store.users().find(id).await?,
        false => None,
    };
    user.ok_or_else(|| Failure::missing("user", &id))
}
