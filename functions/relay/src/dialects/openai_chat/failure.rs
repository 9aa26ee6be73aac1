//! Saying no in OpenAI's chat dialect, and understanding it.
//! <https://platform.openai.com/docs/guides/error-codes>

use bytes::Bytes;
use serde_json::{Value, json};
use shared::failure::{Failure, Kind};

use super::wire::{Refusal, RefusalDetail};
use crate::dialects::UpstreamError;

pub(super) fn write(failure: &Failure) -> Bytes {
    let body = json!({
        "error": {
            "message": failure.public,
            "type": error_type(failure.kind),
            "param": failure.field,
            "code": failure.code,
        }
    });
    Bytes::from(body.to_string())
}

fn error_type(kind: Kind) -> &'static str {
    match kind {
        Kind::BadRequest
        | Kind::Unauthenticated
        | Kind::Missing
        | Kind::Conflict
        | Kind::TooLarge => "invalid_request_error",
        Kind::Payment => "insufficient_quota",
        Kind::Forbidden => "permission_error",
        Kind::RateLimited => "rate_limit_error",
        Kind::Timeout => "timeout_error",
        Kind::Internal | Kind::BadGateway | Kind::Unavailable => "server_error",
    }
}

/// The error in a body; the status that it means is in its code where the real one says 200.
pub(super) fn read(status: u16, body: &[u8]) -> Option<UpstreamError> {
    let refusal: Refusal = serde_json::from_slice(body).ok()?;
    let (message, kind, code) = match refusal.error {
        RefusalDetail::Object {
            message,
            kind,
            code,
        } => (message, kind, code),
        RefusalDetail::Text(message) => (Some(message), None, None),
    };
    let meant = code
        .as_ref()
        .and_then(Value::as_u64)
        .and_then(|code| u16::try_from(code).ok());
    let code = match code {
        Some(Value::String(code)) => Some(code),
        Some(Value::Number(code)) => Some(code.to_string()),
        _ => None,
    };
    let status = match status {
        200 => meant
            .filter(|status| (400..600).contains(status))
            .unwrap_or(502),
        other => other,
    };
    Some(UpstreamError {
        code: code.or(kind).unwrap_or_else(|| "error".to_owned()),
        status,
        message: message.unwrap_or_default(),
        retry_after_s: None,
    })
}
