//! The door: who may come in at all, and from where they come.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderMap;
use shared::failure::{Failure, Kind};
use shared::front::ORIGIN_HEADER;

use crate::app::App;
use crate::endpoints::refuse;

/// Refuses whatever did not come through CloudFront, before anything of it is read.
pub(crate) async fn require_origin(
    State(app): State<App>,
    request: Request,
    next: Next,
) -> Response {
    let admitted = app.secrets().await.map(|secrets| {
        let header = request
            .headers()
            .get(ORIGIN_HEADER)
            .map(http::HeaderValue::as_bytes);
        app.front.admits(header, &secrets.origin_token)
    });
    match admitted {
        Ok(true) => next.run(request).await,
        Ok(false) => {
            let text = "This address answers through its front only.";
            refuse(
                &app,
                request.uri().path(),
                &Failure::new(Kind::Forbidden, "wrong_origin", text),
            )
        }
        Err(failure) => refuse(&app, request.uri().path(), &failure),
    }
}

/// Where a request comes from, as far as the front can be believed.
pub(crate) fn caller_address(
    app: &App,
    headers: &HeaderMap,
    request: &http::Extensions,
) -> Option<IpAddr> {
    let peer = request
        .get::<ConnectInfo<SocketAddr>>()
        .map(|ConnectInfo(peer)| peer.ip());
    app.front
        .caller_address(|name| headers.get(name)?.to_str().ok(), peer)
}
