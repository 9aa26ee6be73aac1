//! `POST /v1/messages` and the count of its tokens. <https://docs.anthropic.com/en/api/messages>

use axum::extract::{Request, State};
use axum::response::Response;
use shared::domain::dialect::Dialect;

use crate::app::App;
use crate::dialects::InUrl;

/// A conversation in Anthropic's dialect.
pub(crate) async fn create(State(app): State<App>, request: Request) -> Response {
    super::converse(app, Dialect::Anthropic, InUrl::default(), request).await
}

/// How many tokens such a request has.
pub(crate) async fn count(State(app): State<App>, request: Request) -> Response {
    super::count(app, Dialect::Anthropic, InUrl::default(), request).await
}
