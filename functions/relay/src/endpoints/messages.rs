//! `POST /v1/messages`. <https://docs.anthropic.com/en/api/messages>

use axum::extract::{Request, State};
use axum::response::Response;
use shared::domain::dialect::Dialect;

use crate::app::App;

/// A conversation in Anthropic's dialect.
pub(crate) async fn create(State(app): State<App>, request: Request) -> Response {
    super::converse(app, Dialect::Anthropic, request).await
}
