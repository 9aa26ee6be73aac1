//! `GET /v1/models` and `/v1beta/models`: what the caller may name, in the shape of its dialect.
//!
//! OpenAI and Anthropic share the path; Anthropic's clients are known by their headers.
//! <https://platform.openai.com/docs/api-reference/models> <https://docs.anthropic.com/en/api/models>
//! <https://ai.google.dev/api/models>

use std::collections::BTreeSet;

use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use http::header::AUTHORIZATION;
use serde_json::{Value, json};
use shared::domain::dialect::Dialect;
use shared::failure::{Failure, Kind};

use crate::app::App;
use crate::dialects::InUrl;
use crate::pipeline::{self, Call};

/// All of them.
pub(crate) async fn list(State(app): State<App>, request: Request) -> Response {
    let call = call(&app, request);
    let models = match pipeline::models(&app, &call).await {
        Ok(models) => models,
        Err(failure) => return pipeline::refuse_call(&call, failure),
    };
    answer(
        &call,
        &match call.dialect {
            Dialect::Anthropic => anthropic_list(&models),
            Dialect::Gemini => json!({
                "models": models.iter().map(|id| gemini_model(id)).collect::<Vec<_>>(),
            }),
            _ => json!({
                "object": "list",
                "data": models.iter().map(|id| openai_model(id)).collect::<Vec<_>>(),
            }),
        },
    )
}

/// One of them.
pub(crate) async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let call = call(&app, request);
    match pipeline::models(&app, &call).await {
        Ok(models) if models.contains(&id) => answer(
            &call,
            &match call.dialect {
                Dialect::Anthropic => anthropic_model(&id),
                Dialect::Gemini => gemini_model(&id),
                _ => openai_model(&id),
            },
        ),
        Ok(_) => {
            let text = format!("There is no model {id}.");
            pipeline::refuse_call(&call, Failure::new(Kind::Missing, "model_not_found", text))
        }
        Err(failure) => pipeline::refuse_call(&call, failure),
    }
}

fn call(app: &App, request: Request) -> Call {
    let dialect = dialect(&request);
    super::call(app, dialect, InUrl::default(), request).0
}

/// Whose client asks, by the path and by the headers that only its SDK sends.
fn dialect(request: &Request) -> Dialect {
    let (path, headers) = (request.uri().path(), request.headers());
    let has = |name: &str| headers.contains_key(name);
    let by_key = has("x-api-key") && !headers.contains_key(AUTHORIZATION);
    if path.starts_with("/v1beta") || path.starts_with("/v1alpha") || path.starts_with("/gemini") {
        Dialect::Gemini
    } else if path.starts_with("/claude") || has("anthropic-version") || by_key {
        Dialect::Anthropic
    } else if has("x-goog-api-key") {
        Dialect::Gemini
    } else {
        Dialect::OpenaiChat
    }
}

fn answer(call: &Call, body: &Value) -> Response {
    let headers = [
        ("x-request-id", call.id.to_string()),
        ("cache-control", "no-store".to_owned()),
    ];
    (headers, axum::Json(body)).into_response()
}

fn openai_model(id: &str) -> Value {
    json!({"id": id, "object": "model", "created": 0, "owned_by": "tollhouse"})
}

fn anthropic_model(id: &str) -> Value {
    json!({"type": "model", "id": id, "display_name": id, "created_at": "1970-01-01T00:00:00Z"})
}

fn anthropic_list(models: &BTreeSet<String>) -> Value {
    json!({
        "data": models.iter().map(|id| anthropic_model(id)).collect::<Vec<_>>(),
        "has_more": false,
        "first_id": models.first(),
        "last_id": models.last(),
    })
}

fn gemini_model(id: &str) -> Value {
    let methods = [
        "generateContent",
        "streamGenerateContent",
        "countTokens",
        "embedContent",
        "batchEmbedContents",
    ];
    json!({
        "name": format!("models/{id}"),
        "baseModelId": id,
        "version": "1",
        "displayName": id,
        "supportedGenerationMethods": methods,
    })
}
