//! Signing out.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::SET_COOKIE;
use http::{HeaderMap, StatusCode};

use crate::app::App;
use crate::session;

/// Sign out
///
/// Takes the cookie away. A token stays good until it expires, or the password is changed.
#[utoipa::path(
    delete, path = "/api/session", tag = "session", security(()),
    responses((status = 204, description = "Signed out")),
)]
pub(crate) async fn end_session(State(app): State<App>, headers: HeaderMap) -> Response {
    let cookie = session::set_cookie(&app, &headers, "");
    (StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]).into_response()
}
