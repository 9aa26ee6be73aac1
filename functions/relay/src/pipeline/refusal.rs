//! Saying no to a caller: the status, the body in the caller's dialect, and one line in the log.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};
use shared::domain::id::RequestId;
use shared::failure::{Failure, Kind};

use super::Call;
use crate::dialects::{self, CallerSide};

/// The answer that says no, in a dialect.
pub(crate) fn refuse(
    dialect: &dyn CallerSide,
    id: RequestId,
    failure: &Failure,
) -> Response<Bytes> {
    log(id, failure);
    let status = StatusCode::from_u16(dialect.status(failure)).unwrap_or(StatusCode::BAD_GATEWAY);
    let mut answer = Response::new(dialect.write_error(failure, id));
    *answer.status_mut() = status;
    *answer.headers_mut() = headers(id);
    if let Some(seconds) = failure.retry_after_s {
        answer
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    answer
}

/// The answer that says no to a call.
pub(crate) fn refuse_call(call: &Call, failure: &Failure) -> Response {
    refuse(dialects::caller(call.dialect), call.id, failure).map(Body::from)
}

/// The headers of every JSON answer.
pub(super) fn headers(id: RequestId) -> HeaderMap {
    let id = HeaderValue::from_str(&id.to_string()).expect("an id is letters and digits");
    HeaderMap::from_iter([
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (http::HeaderName::from_static("x-request-id"), id.clone()),
        // Anthropic's clients look for it under this name.
        (http::HeaderName::from_static("request-id"), id),
    ])
}

fn log(id: RequestId, failure: &Failure) {
    let (request_id, code, http_status) = (id.to_string(), &*failure.code, failure.kind.status());
    let error = shared::trace::chain(failure);
    if failure.kind == Kind::Internal {
        tracing::error!(request_id, code, http_status, error, "call failed");
    } else {
        tracing::info!(request_id, code, http_status, error, "call refused");
    }
}
