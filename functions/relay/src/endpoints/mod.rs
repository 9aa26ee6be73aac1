//! The doors: each says its dialect and hands over to the pipeline.

pub(crate) mod chat_completions;
pub(crate) mod health;
pub(crate) mod messages;
pub(crate) mod models;
pub(crate) mod unknown;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use shared::domain::dialect::Dialect;
use shared::failure::Failure;

use crate::app::App;
use crate::dialects::{self, InUrl};
use crate::front;
use crate::pipeline::{self, Call};

/// Carries a request in a dialect, and says no in the same one.
async fn converse(app: App, dialect: Dialect, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let call = Call {
        id: app.new_request_id(),
        dialect,
        url: InUrl::default(),
        began_ms: app.clock.now_ms(),
        source_ip: front::caller_address(&app, &parts.headers, &parts.extensions),
        query_key: query_key(parts.uri.query()),
        headers: parts.headers,
    };
    pipeline::converse(app, call, body).await
}

/// Says no to a request that has not reached the pipeline, in the dialect of its path.
pub(crate) fn refuse(app: &App, path: &str, failure: &Failure) -> Response {
    let dialect = if path.contains("/messages") || path.starts_with("/claude") {
        Dialect::Anthropic
    } else {
        Dialect::OpenaiChat
    };
    pipeline::refuse(dialects::caller(dialect), app.new_request_id(), failure).map(Body::from)
}

/// The key in `?key=…`, as Gemini's clients send it.
fn query_key(query: Option<&str>) -> Option<String> {
    let pairs = query?.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .filter(|(name, _)| *name == "key")
        .map(|(_, key)| key.to_owned())
        .next()
}
