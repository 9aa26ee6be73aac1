//! `POST /v1/embeddings`. <https://platform.openai.com/docs/api-reference/embeddings/create>

use axum::extract::{Request, State};
use axum::response::Response;
use shared::domain::dialect::Dialect;

use crate::app::App;
use crate::dialects::InUrl;

/// Texts to vectors, as OpenAI's clients ask for them.
pub(crate) async fn create(State(app): State<App>, request: Request) -> Response {
    super::embed(app, Dialect::OpenaiEmbeddings, InUrl::default(), request).await
}
