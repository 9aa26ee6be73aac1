//! `GET /v1/models`: what the caller may name, in the shape of the caller's dialect.
//!
//! OpenAI and Anthropic share the path; Anthropic's clients are known by their version header.
//! <https://platform.openai.com/docs/api-reference/models> <https://docs.anthropic.com/en/api/models>

use std::collections::BTreeSet;

use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use shared::domain::dialect::Dialect;
use shared::failure::{Failure, Kind};

use super::query_key;
use crate::app::App;
use crate::front;
use crate::pipeline::{self, Call};

/// All of them.
pub(crate) async fn list(State(app): State<App>, request: Request) -> Response {
    let call = call(&app, &request);
    let models = match pipeline::models(&app, &call).await {
        Ok(models) => models,
        Err(failure) => return pipeline::refuse_call(&call, &failure),
    };
    answer(
        &call,
        &match call.dialect {
            Dialect::Anthropic => anthropic_list(&models),
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
    let call = call(&app, &request);
    match pipeline::models(&app, &call).await {
        Ok(models) if models.contains(&id) => answer(
            &call,
            &match call.dialect {
                Dialect::Anthropic => anthropic_model(&id),
                _ => openai_model(&id),
            },
        ),
        Ok(_) => {
            let text = format!("There is no model {id}.");
            pipeline::refuse_call(&call, &Failure::new(Kind::Missing, "model_not_found", text))
        }
        Err(failure) => pipeline::refuse_call(&call, &failure),
    }
}

fn call(app: &App, request: &Request) -> Call {
    let anthropic = request.headers().contains_key("anthropic-version");
    Call {
        id: app.new_request_id(),
        dialect: if anthropic {
            Dialect::Anthropic
        } else {
            Dialect::OpenaiChat
        },
        url: crate::dialects::InUrl::default(),
        began_ms: app.clock.now_ms(),
        source_ip: front::caller_address(app, request.headers(), request.extensions()),
        query_key: query_key(request.uri().query()),
        headers: request.headers().clone(),
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
