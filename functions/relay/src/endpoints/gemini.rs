//! `POST /v1beta/models/{model}:{method}`: the model and what to do with it stand in the path.
//! <https://ai.google.dev/api/generate-content> <https://ai.google.dev/api/embeddings>

use axum::extract::{Path, Request, State};
use axum::response::Response;
use shared::domain::dialect::Dialect;
use shared::failure::{Failure, Kind};

use super::{converse, count, embed, query, refuse};
use crate::app::App;
use crate::dialects::InUrl;

/// Whatever a model of Gemini's dialect can be asked.
pub(crate) async fn ask(
    State(app): State<App>,
    Path(path): Path<String>,
    request: Request,
) -> Response {
    let Some((model, method)) = path.rsplit_once(':') else {
        return unknown(&app, &path);
    };
    // Vertex's clients name a project before it.
    let model = model
        .rsplit_once("/models/")
        .map_or(model, |(_, name)| name);
    let events = query(request.uri().query(), "alt").as_deref() == Some("sse");
    let url = InUrl {
        model: Some(model.to_owned()),
        stream: method == "streamGenerateContent",
        events,
        counting: false,
    };
    match method {
        "generateContent" | "streamGenerateContent" => {
            converse(app, Dialect::Gemini, url, request).await
        }
        "countTokens" => count(app, Dialect::Gemini, url, request).await,
        "embedContent" | "batchEmbedContents" => {
            embed(app, Dialect::GeminiEmbeddings, url, request).await
        }
        _ => unknown(&app, &path),
    }
}

fn unknown(app: &App, path: &str) -> Response {
    let text = format!("There is no method at models/{path}.");
    let failure = Failure::new(Kind::Missing, "unknown_url", text);
    refuse(app, "/v1beta", &failure)
}
