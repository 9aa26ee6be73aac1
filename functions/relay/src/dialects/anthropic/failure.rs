//! Saying no in Anthropic's dialect, and understanding it. <https://docs.anthropic.com/en/api/errors>

use bytes::Bytes;
use serde_json::json;
use shared::domain::id::RequestId;
use shared::failure::{Failure, Kind};

use super::wire::Refusal;
use crate::dialects::UpstreamError;

pub(super) fn write(failure: &Failure, id: RequestId) -> Bytes {
    let body = json!({
        "type": "error",
        "error": { "type": error_type(failure.kind), "message": failure.public },
        "request_id": id.to_string(),
    });
    Bytes::from(body.to_string())
}

fn error_type(kind: Kind) -> &'static str {
    match kind {
        Kind::BadRequest | Kind::Conflict => "invalid_request_error",
        Kind::Unauthenticated => "authentication_error",
        Kind::Payment => "billing_error",
        Kind::Forbidden => "permission_error",
        Kind::Missing => "not_found_error",
        Kind::TooLarge => "request_too_large",
        Kind::RateLimited => "rate_limit_error",
        Kind::Timeout => "timeout_error",
        Kind::Unavailable => "overloaded_error",
        Kind::Internal | Kind::BadGateway => "api_error",
    }
}

/// The error in a body or event; where the real status says 200, the type tells what is meant.
pub(super) fn read(status: u16, body: &[u8]) -> Option<UpstreamError> {
    let refusal: Refusal = serde_json::from_slice(body).ok()?;
    let code = refusal.error.kind.unwrap_or_else(|| "api_error".to_owned());
    let status = match (status, code.as_str()) {
        (200, "invalid_request_error") => 400,
        (200, "authentication_error") => 401,
        (200, "billing_error") => 402,
        (200, "permission_error") => 403,
        (200, "not_found_error") => 404,
        (200, "request_too_large") => 413,
        (200, "rate_limit_error") => 429,
        (200, "timeout_error") => 504,
        (200, "overloaded_error") => 529,
        (200, _) => 500,
        (other, _) => other,
    };
    Some(UpstreamError {
        code,
        status,
        message: refusal.error.message.unwrap_or_default(),
        retry_after_s: None,
    })
}
