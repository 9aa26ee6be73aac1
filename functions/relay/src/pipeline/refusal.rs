//! Saying no to a caller: the status, the body in the caller's dialect, and one line in the log.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use shared::domain::id::RequestId;
use shared::domain::limit::Room;
use shared::failure::{Failure, Kind};
use shared::store::StoreError;

use super::Call;
use crate::dialects::{self, CallerSide};

/// The output limit that a call was lowered to, in tokens.
const LOWERED: HeaderName = HeaderName::from_static("x-tollhouse-max-tokens");

/// A refusal, and what the minute's limits leave where they are why.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(super) failure: Failure,
    pub(super) room: Option<Room>,
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self {
            failure,
            room: None,
        }
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Failure::from(error).into()
    }
}

/// The answer that says no, in a dialect.
pub(crate) fn refuse(
    dialect: &dyn CallerSide,
    id: RequestId,
    failure: &Failure,
) -> Response<Bytes> {
    let status = StatusCode::from_u16(dialect.status(failure)).unwrap_or(StatusCode::BAD_GATEWAY);
    log(id, failure, status);
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
pub(crate) fn refuse_call(call: &Call, refused: impl Into<Refused>) -> Response {
    let Refused { failure, room } = refused.into();
    let dialect = dialects::caller(call.dialect);
    let mut answer = refuse(dialect, call.id, &failure).map(Body::from);
    if let Some(room) = room {
        answer.headers_mut().extend(dialect.room_headers(&room));
    }
    answer
}

/// The headers of every JSON answer.
pub(super) fn headers(id: RequestId) -> HeaderMap {
    let id = HeaderValue::from_str(&id.to_string()).expect("an id is letters and digits");
    HeaderMap::from_iter([
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (HeaderName::from_static("x-request-id"), id.clone()),
        // Anthropic's clients look for it under this name.
        (HeaderName::from_static("request-id"), id),
    ])
}

/// What admission has to tell with every answer: what a minute's limits leave, and the output limit that
/// the call was lowered to.
pub(super) fn admission_headers(
    call: &Call,
    room: Option<&Room>,
    lowered: Option<u64>,
) -> HeaderMap {
    let dialect = dialects::caller(call.dialect);
    let mut headers = room.map_or_else(HeaderMap::new, |room| dialect.room_headers(room));
    headers.extend(lowered.map(|limit| (LOWERED, HeaderValue::from(limit))));
    headers
}

/// The provider's headers beside our own. Where we limit, nobody may take the provider's limits for ours.
pub(super) fn beside(mut own: HeaderMap, provider: HeaderMap) -> HeaderMap {
    let limits = |name: &HeaderName| {
        let name = name.as_str();
        name.starts_with("x-ratelimit-") || name.starts_with("anthropic-ratelimit-")
    };
    let limited = own.keys().any(limits);
    for (name, value) in provider {
        let Some(name) = name else { continue };
        if !(limited && limits(&name)) {
            own.insert(name, value);
        }
    }
    own
}

fn log(id: RequestId, failure: &Failure, status: StatusCode) {
    let (request_id, code, http_status) = (id.to_string(), &*failure.code, status.as_u16());
    let error = shared::trace::chain(failure);
    if failure.kind == Kind::Internal {
        tracing::error!(request_id, code, http_status, error, "call failed");
    } else {
        tracing::info!(request_id, code, http_status, error, "call refused");
    }
}
