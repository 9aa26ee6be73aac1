//! The doors: each says its dialect and hands over to the pipeline.

pub(crate) mod azure;
pub(crate) mod chat_completions;
pub(crate) mod completions;
pub(crate) mod embeddings;
pub(crate) mod gemini;
pub(crate) mod health;
pub(crate) mod messages;
pub(crate) mod models;
pub(crate) mod responses;
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
async fn converse(app: App, dialect: Dialect, url: InUrl, request: Request) -> Response {
    let (call, body) = call(&app, dialect, url, request);
    pipeline::converse(app, call, body).await
}

/// Counts the tokens of a request.
async fn count(app: App, dialect: Dialect, url: InUrl, request: Request) -> Response {
    let url = InUrl {
        counting: true,
        ..url
    };
    let (call, body) = call(&app, dialect, url, request);
    pipeline::count(app, call, body).await
}

/// Turns texts into vectors.
async fn embed(app: App, dialect: Dialect, url: InUrl, request: Request) -> Response {
    let (call, body) = call(&app, dialect, url, request);
    pipeline::embed(app, call, body).await
}

/// A request as it arrives, and its body.
fn call(app: &App, dialect: Dialect, url: InUrl, request: Request) -> (Call, Body) {
    let (parts, body) = request.into_parts();
    let call = Call {
        id: app.new_request_id(),
        dialect,
        url,
        began_ms: app.clock.now_ms(),
        source_ip: front::caller_address(app, &parts.headers, &parts.extensions),
        query_key: query(parts.uri.query(), "key"),
        headers: parts.headers,
    };
    (call, body)
}

/// Says no to a request that has not reached the pipeline, in the dialect of its path.
pub(crate) fn refuse(app: &App, path: &str, failure: &Failure) -> Response {
    let dialect = if path.contains("/messages") || path.starts_with("/claude") {
        Dialect::Anthropic
    } else if path.starts_with("/v1beta") || path.starts_with("/gemini") {
        Dialect::Gemini
    } else if path.contains("/responses") {
        Dialect::OpenaiResponses
    } else {
        Dialect::OpenaiChat
    };
    pipeline::refuse(dialects::caller(dialect), app.new_request_id(), failure).map(Body::from)
}

/// A member of the query, as it stands there.
fn query(query: Option<&str>, name: &str) -> Option<String> {
    let mut pairs = query?.split('&').filter_map(|pair| pair.split_once('='));
    let found = pairs.find(|(known, _)| *known == name);
    found.map(|(_, value)| value.to_owned())
}
