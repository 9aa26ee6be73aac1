//! `POST /v1/completions`. <https://platform.openai.com/docs/api-reference/completions/create>

use axum::extract::{Request, State};
use axum::response::Response;
use shared::domain::dialect::Dialect;

use crate::app::App;
use crate::dialects::InUrl;

/// A text that goes on, from before there were chats.
pub(crate) async fn create(State(app): State<App>, request: Request) -> Response {
    super::converse(app, Dialect::OpenaiCompletions, InUrl::default(), request).await
}
