//! The door: who may come in at all, and from where they come.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::CACHE_CONTROL;
use http::{Extensions, HeaderMap, HeaderValue};
use shared::failure::{Failure, Kind};
use shared::front::{Front, ORIGIN_HEADER};

use crate::answer::Refusal;
use crate::app::App;

/// Refuses whatever did not come through the front, before anything of it is read; then sees to it
/// that there is a first administrator.
pub(crate) async fn admit(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut answer = match enter(&app, request.headers()).await {
        Ok(()) => next.run(request).await,
        Err(failure) => Refusal(failure).into_response(),
    };
    let no_store = HeaderValue::from_static("no-store");
    answer
        .headers_mut()
        .entry(CACHE_CONTROL)
        .or_insert(no_store);
    answer
}

async fn enter(app: &App, headers: &HeaderMap) -> Result<(), Failure> {
    let header = headers.get(ORIGIN_HEADER).map(HeaderValue::as_bytes);
    if app.front == Front::FunctionUrl
        && !app.front.admits(header, &app.secrets().await?.origin_token)
    {
        let text = "This address answers through its front only.";
        return Err(Failure::new(Kind::Forbidden, "wrong_origin", text));
    }
    app.start().await
}

/// Where a request comes from, as far as the front can be believed.
pub(crate) fn caller_address(app: &App, headers: &HeaderMap, more: &Extensions) -> Option<IpAddr> {
    let peer = more
        .get::<ConnectInfo<SocketAddr>>()
        .map(|ConnectInfo(peer)| peer.ip());
    app.front
        .caller_address(|name| headers.get(name)?.to_str().ok(), peer)
}

/// Whether the caller's browser speaks HTTPS with us.
pub(crate) fn is_https(app: &App, headers: &HeaderMap) -> bool {
    match app.front {
        Front::FunctionUrl => true,
        Front::Alb => headers
            .get("x-forwarded-proto")
            .is_some_and(|scheme| scheme == "https"),
        Front::Direct => false,
    }
}
