//! Paths and methods that nobody answers.

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use shared::failure::{Failure, Kind};

use super::refuse;
use crate::app::App;

/// A path that the relay does not know.
pub(crate) async fn path(State(app): State<App>, request: Request) -> Response {
    let path = request.uri().path();
    let text = format!("Unknown address: {} {path}.", request.method());
    refuse(
        &app,
        path,
        &Failure::new(Kind::Missing, "unknown_url", text),
    )
}

/// A method that a known path does not take.
pub(crate) async fn method(State(app): State<App>, request: Request) -> Response {
    let path = request.uri().path();
    let text = format!("{path} does not take {}.", request.method());
    let failure = Failure::new(Kind::BadRequest, "method_not_allowed", text);
    let mut answer = refuse(&app, path, &failure);
    *answer.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    answer
}
