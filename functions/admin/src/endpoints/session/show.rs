//! Who is signed in.

use axum::Json;
use axum::extract::State;

use crate::answer::Answer;
use crate::app::App;
use crate::json::user::UserJson;
use crate::session::Member;
use crate::standing;

/// Show who is signed in
#[utoipa::path(
    get, path = "/api/session", tag = "session",
    responses((status = 200, description = "The user", body = UserJson)),
)]
pub(crate) async fn show_session(State(app): State<App>, member: Member) -> Answer<Json<UserJson>> {
    Ok(Json(standing::of(&app, &member.0).await?))
}
