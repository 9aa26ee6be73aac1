//! Saying no in Anthropic's dialect, and understanding it. <https://docs.anthropic.com/en/api/errors>

use bytes::Bytes;
use serde_json::value::RawValue;
use shared::domain::id::RequestId;
use shared::failure::{Failure, Kind};

use crate::dialects::UpstreamError;
use crate::dialects::json::{self, Fields, Object};

pub(super) fn write(failure: &Failure, id: RequestId) -> Bytes {
    let error = Object::of_type(error_type(failure.kind)).with("message", &failure.public);
    Object::of_type("error")
        .with("error", error)
        .with("request_id", id.to_string())
        .to_bytes()
}

/// An overloaded provider has a status of its own here. That no channel is left is said as everywhere.
pub(super) fn status(failure: &Failure) -> u16 {
    match failure.code.as_ref() {
        "provider_overloaded" => 529,
        _ => failure.kind.status(),
    }
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
    let body: &RawValue = serde_json::from_slice(body).ok()?;
    let error = Fields::of(body)?.take("error")?;
    let (code, message) = match Fields::of(error) {
        Some(mut fields) => (fields.text("type"), fields.text("message")),
        // Some servers that only speak the dialect say it in a mere text.
        None => (None, json::text(error)),
    };
    let code = code.unwrap_or_else(|| "api_error".to_owned());
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
        message: message.unwrap_or_default(),
        retry_after_s: None,
    })
}

/// The error in an event that is one, whatever it holds.
pub(super) fn read_event(data: &[u8]) -> UpstreamError {
    read(200, data).unwrap_or_else(|| UpstreamError {
        code: "api_error".to_owned(),
        status: 502,
        message: String::new(),
        retry_after_s: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(status: u16, body: &str) -> Option<u16> {
        read(status, body.as_bytes()).map(|error| error.status)
    }

    #[test]
    fn an_overloaded_provider_has_its_own_status() {
        let failure = |code: &'static str| Failure::new(Kind::Unavailable, code, "no");
        assert_eq!(status(&failure("provider_overloaded")), 529);
        assert_eq!(status(&failure("no_channel")), 503);
    }

    #[test]
    fn the_type_tells_what_a_status_of_200_hides() {
        let overloaded = r#"{"type":"error","error":{"type":"overloaded_error","message":"x"}}"#;
        assert_eq!(meant(200, overloaded), Some(529));
        assert_eq!(meant(529, overloaded), Some(529));
        assert_eq!(
            meant(200, r#"{"error":{"type":7,"message":null}}"#),
            Some(500)
        );
        assert_eq!(meant(429, r#"{"error":"slow down"}"#), Some(429));
        assert_eq!(meant(200, r#"{"type":"message"}"#), None);
        assert_eq!(meant(502, "<html>"), None);
    }
}
