//! `POST /openai/deployments/{model}/…`: OpenAI's dialects where Azure's clients post them.
//! <https://learn.microsoft.com/en-us/azure/ai-foundry/openai/reference>

use axum::extract::{Path, Request, State};
use axum::response::Response;
use shared::domain::dialect::Dialect;
use shared::failure::{Failure, Kind};

use super::{converse, embed, refuse};
use crate::app::App;
use crate::dialects::InUrl;

/// Whatever a deployment can be asked; its name is the model's.
pub(crate) async fn ask(
    State(app): State<App>,
    Path((model, operation)): Path<(String, String)>,
    request: Request,
) -> Response {
    let url = InUrl {
        model: Some(model),
        ..InUrl::default()
    };
    match operation.as_str() {
        "chat/completions" => converse(app, Dialect::OpenaiChat, url, request).await,
        "completions" => converse(app, Dialect::OpenaiCompletions, url, request).await,
        "embeddings" => embed(app, Dialect::OpenaiEmbeddings, url, request).await,
        _ => {
            let text = format!("Deployments have no {operation}.");
            let failure = Failure::new(Kind::Missing, "unknown_url", text);
            refuse(&app, request.uri().path(), &failure)
        }
    }
}
