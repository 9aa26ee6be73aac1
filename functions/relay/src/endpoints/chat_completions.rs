//! `POST /v1/chat/completions`. <https://platform.openai.com/docs/api-reference/chat/create>

use axum::extract::{Request, State};
use axum::response::Response;
use shared::domain::dialect::Dialect;

use crate::app::App;
use crate::dialects::InUrl;

/// A conversation in OpenAI's chat dialect.
pub(crate) async fn create(State(app): State<App>, request: Request) -> Response {
    super::converse(app, Dialect::OpenaiChat, InUrl::default(), request).await
}
