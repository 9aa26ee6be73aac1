//! Who is signed in.

use axum::Json;
use axum::extract::State;

use super::json::CurrentSessionJson;
use crate::answer::Answer;
use crate::app::App;
use crate::session::Member;
use crate::standing;

/// Show who is signed in
#[utoipa::path(
    get, path = "/api/session", tag = "session",
    responses((status = 200, description = "The user", body = CurrentSessionJson)),
)]
pub(crate) async fn show_session(
    State(app): State<App>,
    member: Member,
) -> Answer<Json<CurrentSessionJson>> {
    let user = standing::of(&app, &member.0).await?;
    let must_change_password = member.0.must_change_password;
    Ok(Json(CurrentSessionJson {
        user,
        must_change_password,
    }))
}
