//! `POST /v1/responses` and the count of its tokens.
//! <https://platform.openai.com/docs/api-reference/responses>

use axum::extract::{Request, State};
use axum::response::Response;
use shared::domain::dialect::Dialect;

use crate::app::App;
use crate::dialects::InUrl;

/// A conversation in OpenAI's Responses dialect.
pub(crate) async fn create(State(app): State<App>, request: Request) -> Response {
    super::converse(app, Dialect::OpenaiResponses, InUrl::default(), request).await
}

/// How many tokens such a request has.
pub(crate) async fn count(State(app): State<App>, request: Request) -> Response {
    super::count(app, Dialect::OpenaiResponses, InUrl::default(), request).await
}
