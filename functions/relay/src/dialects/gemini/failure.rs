//! Saying no in Gemini's dialect, and understanding it. <https://google.aip.dev/193>

use bytes::Bytes;
use serde_json::value::RawValue;
use shared::domain::id::RequestId;
use shared::failure::{Failure, Kind};

use crate::dialects::UpstreamError;
use crate::dialects::json::{self, Fields, Json, Object};

/// Google's words for errors, and the statuses that they mean.
/// <https://cloud.google.com/apis/design/errors#handling_errors>
const STATUSES: [(&str, u16); 15] = [
    ("INVALID_ARGUMENT", 400),
    ("FAILED_PRECONDITION", 400),
    ("OUT_OF_RANGE", 400),
    ("UNAUTHENTICATED", 401),
    ("PERMISSION_DENIED", 403),
    ("NOT_FOUND", 404),
    ("ABORTED", 409),
    ("ALREADY_EXISTS", 409),
    ("RESOURCE_EXHAUSTED", 429),
    ("CANCELLED", 499),
    ("INTERNAL", 500),
    ("DATA_LOSS", 500),
    ("UNIMPLEMENTED", 501),
    ("UNAVAILABLE", 503),
    ("DEADLINE_EXCEEDED", 504),
];

pub(super) fn write(failure: &Failure, id: RequestId) -> Bytes {
    let detail = |kind: &str| Object::new().with("@type", format!("type.googleapis.com/{kind}"));
    let metadata = Object::new().with("requestId", id.to_string());
    let mut details = vec![
        detail("google.rpc.ErrorInfo")
            .with("reason", failure.code.to_ascii_uppercase())
            .with("domain", "tollhouse")
            .with("metadata", metadata),
    ];
    if let Some(field) = &failure.field {
        let violation = Object::new()
            .with("field", field.clone().into_owned())
            .with("description", &failure.public);
        let violations = Json::from(vec![violation]);
        details.push(detail("google.rpc.BadRequest").with("fieldViolations", violations));
    }
    if let Some(seconds) = failure.retry_after_s {
        details.push(detail("google.rpc.RetryInfo").with("retryDelay", format!("{seconds}s")));
    }
    let error = Object::new()
        .with("code", u64::from(failure.kind.status()))
        .with("message", &failure.public)
        .with("status", status_word(failure.kind))
        .with("details", details);
    Object::new().with("error", error).to_bytes()
}

fn status_word(kind: Kind) -> &'static str {
    match kind {
        Kind::BadRequest | Kind::TooLarge => "INVALID_ARGUMENT",
        Kind::Unauthenticated => "UNAUTHENTICATED",
        Kind::Payment => "FAILED_PRECONDITION",
        Kind::Forbidden => "PERMISSION_DENIED",
        Kind::Missing => "NOT_FOUND",
        Kind::Conflict => "ABORTED",
        Kind::RateLimited => "RESOURCE_EXHAUSTED",
        Kind::Internal => "INTERNAL",
        Kind::BadGateway => "UNKNOWN",
        Kind::Unavailable => "UNAVAILABLE",
        Kind::Timeout => "DEADLINE_EXCEEDED",
    }
}

/// The error in a body or in a piece of a stream; alone, or in an array as streams without events have
/// it. Where the real status says 200, the error tells what is meant.
pub(super) fn read(status: u16, body: &[u8]) -> Option<UpstreamError> {
    let value: &RawValue = serde_json::from_slice(body).ok()?;
    let elements = json::array(value);
    let mut found = std::iter::once(value).chain(elements).filter_map(error);
    let error = found.next()?;
    let Some(mut fields) = Fields::of(error) else {
        return Some(UpstreamError {
            code: "UNKNOWN".to_owned(),
            status: if status == 200 { 502 } else { status },
            message: json::text(error).unwrap_or_default(),
            retry_after_s: None,
        });
    };
    let word = fields.text("status").filter(|word| !word.is_empty());
    let code = fields.take("code");
    let number = code.and_then(json::count);
    let meant = number
        .and_then(|code| u16::try_from(code).ok())
        .filter(|code| (400..600).contains(code))
        .or_else(|| status_of(word.as_deref()?));
    Some(UpstreamError {
        code: word
            .or_else(|| json::text(code?))
            .unwrap_or_else(|| "UNKNOWN".to_owned()),
        status: if status == 200 {
            meant.unwrap_or(502)
        } else {
            status
        },
        message: fields.text("message").unwrap_or_default(),
        retry_after_s: fields.array("details").into_iter().find_map(delay),
    })
}

/// The member `error` of an object.
fn error(value: &RawValue) -> Option<&RawValue> {
    Fields::of(value)?.take("error")
}

fn status_of(word: &str) -> Option<u16> {
    let mut known = STATUSES.into_iter();
    known.find_map(|(name, status)| (name == word).then_some(status))
}

/// `retryDelay` of a detail, such as `34.4s`, in whole seconds that are not shorter.
fn delay(detail: &RawValue) -> Option<u64> {
    let text = Fields::of(detail)?.text("retryDelay")?;
    let (whole, part) = match text.strip_suffix('s')?.split_once('.') {
        Some((whole, part)) => (whole.to_owned(), part.bytes().any(|digit| digit != b'0')),
        None => (text.strip_suffix('s')?.to_owned(), false),
    };
    let seconds: u64 = whole.parse().ok()?;
    Some(seconds.saturating_add(u64::from(part)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_understood_alone_and_in_an_array() {
        let error = r#"{"error":{"code":429,"message":"slow","status":"RESOURCE_EXHAUSTED",
            "details":[{"@type":"x/google.rpc.QuotaFailure"},
            {"@type":"x/google.rpc.RetryInfo","retryDelay":"34.4s"}]}}"#;
        for body in [error.to_owned(), format!("[{error}]")] {
            let read = read(200, body.as_bytes()).unwrap();
            assert_eq!((read.status, read.retry_after_s), (429, Some(35)));
            assert_eq!(
                (&*read.code, &*read.message),
                ("RESOURCE_EXHAUSTED", "slow")
            );
        }
        let unavailable = read(200, br#"{"error":{"status":"UNAVAILABLE"}}"#).unwrap();
        assert_eq!(unavailable.status, 503);
        assert_eq!(read(500, br#"{"error":"oh"}"#).unwrap().message, "oh");
        assert_eq!(read(200, br#"{"candidates":[]}"#), None);
    }

    #[test]
    fn what_is_written_is_understood_again() {
        let failure = Failure::new(Kind::RateLimited, "too_many", "Too many.").retry_after(7);
        let body = write(&failure, RequestId::from_bits(1));
        let read = read(200, &body).unwrap();
        assert_eq!((read.status, read.retry_after_s), (429, Some(7)));
        assert_eq!(read.message, "Too many.");
    }
}
