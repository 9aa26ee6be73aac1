//! Saying no in OpenAI's Responses dialect, and understanding it.
//! <https://platform.openai.com/docs/guides/error-codes>

use bytes::Bytes;
use serde_json::json;
use shared::failure::{Failure, Kind};

use crate::dialects::UpstreamError;
use crate::dialects::json::{Fields, Object, text};
use crate::dialects::openai::failure::error_type;

/// The body that says no.
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

/// `error` of a response that failed.
pub(super) fn detail(failure: &Failure) -> Object {
    Object::new()
        .with("code", code(failure))
        .with("message", failure.public.clone())
}

/// Clients decide by this word whether to try again: OpenAI's own words, and no others.
/// <https://platform.openai.com/docs/api-reference/responses/object#responses/object-error>
fn code(failure: &Failure) -> &'static str {
    const KNOWN: [&str; 6] = [
        "context_length_exceeded",
        "insufficient_quota",
        "invalid_prompt",
        "rate_limit_exceeded",
        "server_is_overloaded",
        "usage_not_included",
    ];
    if let Some(known) = KNOWN.into_iter().find(|known| *known == failure.code) {
        return known;
    }
    match failure.kind {
        Kind::RateLimited => "rate_limit_exceeded",
        Kind::Payment => "insufficient_quota",
        Kind::BadRequest | Kind::TooLarge | Kind::Missing | Kind::Conflict => "invalid_prompt",
        Kind::Unauthenticated
        | Kind::Forbidden
        | Kind::Internal
        | Kind::BadGateway
        | Kind::Unavailable
        | Kind::Timeout => "server_error",
    }
}

/// The error in a body; where the real status says 200, its words tell what is meant.
pub(super) fn read(status: u16, body: &[u8]) -> Option<UpstreamError> {
    let body = Fields::parse(std::str::from_utf8(body).ok()?)?;
    read_fields(status, body)
}

/// The error in an `error` event (flat, or nested), in a failed response, or in a body.
pub(super) fn read_fields(status: u16, mut body: Fields<'_>) -> Option<UpstreamError> {
    if let Some(mut response) = body.object("response") {
        return read_detail(status, &mut response.object("error").unwrap_or_default())
            .or_else(|| Some(unnamed(status)));
    }
    if let Some(error) = body.take("error") {
        return match Fields::of(error) {
            Some(mut error) => read_detail(status, &mut error),
            None => text(error).map(|message| UpstreamError {
                message,
                ..unnamed(status)
            }),
        };
    }
    // Flat: as an event that says so, or as a body whose status does.
    let said = body.text("type").is_some_and(|kind| kind == "error");
    if !said && status == 200 {
        return None;
    }
    let error = read_detail(status, &mut body);
    error.or_else(|| said.then(|| unnamed(status)))
}

/// An error of which nothing more is told.
pub(super) fn unnamed(status: u16) -> UpstreamError {
    UpstreamError {
        retry_after_s: None,
        code: "server_error".to_owned(),
        status: if status == 200 { 502 } else { status },
        message: String::new(),
    }
}

fn read_detail(status: u16, error: &mut Fields<'_>) -> Option<UpstreamError> {
    let message = error.text("message");
    let code = error.take("code").map(|code| match text(code) {
        Some(word) => word,
        None => code.get().to_owned(),
    });
    let kind = error.text("type").filter(|kind| kind != "error");
    if message.is_none() && code.is_none() && kind.is_none() {
        return None;
    }
    let words = [code.as_deref(), kind.as_deref()];
    let status = match status {
        200 => words.into_iter().flatten().find_map(meant).unwrap_or(502),
        other => other,
    };
    Some(UpstreamError {
        retry_after_s: None,
        code: code
            .or(kind)
            .filter(|word| !word.is_empty())
            .unwrap_or_else(|| "error".to_owned()),
        status,
        message: message.unwrap_or_default(),
    })
}

/// The status that a word means.
fn meant(word: &str) -> Option<u16> {
    if let Ok(status) = word.parse::<u16>() {
        return (400..600).contains(&status).then_some(status);
    }
    Some(match word {
        "context_length_exceeded"
        | "invalid_prompt"
        | "invalid_request_error"
        | "invalid_value"
        | "bio_policy"
        | "content_filter"
        | "image_content_policy_violation" => 400,
        word if word.starts_with("invalid_image") => 400,
        "authentication_error" | "invalid_api_key" => 401,
        "billing_error" => 402,
        "permission_error" => 403,
        "model_not_found" | "not_found_error" => 404,
        "insufficient_quota"
        | "rate_limit_exceeded"
        | "rate_limit_error"
        | "requests"
        | "tokens"
        | "too_many_requests" => 429,
        "server_error" | "api_error" | "internal_error" | "internal_server_error" => 500,
        "overloaded"
        | "overloaded_error"
        | "server_is_overloaded"
        | "service_unavailable"
        | "slow_down" => 503,
        "timeout" | "timeout_error" | "vector_store_timeout" => 504,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(json: &str) -> (String, u16, String) {
        let error = read(200, json.as_bytes()).unwrap();
        (error.code, error.status, error.message)
    }

    #[test]
    fn an_error_is_understood_wherever_it_stands() {
        let expected = ("rate_limit_exceeded".to_owned(), 429, "Slow.".to_owned());
        for json in [
            r#"{"type":"error","code":"rate_limit_exceeded","message":"Slow.","param":null}"#,
            r#"{"type":"error","error":{"type":"requests","code":"rate_limit_exceeded","message":"Slow."}}"#,
            r#"{"type":"response.failed","response":{"status":"failed","error":{"code":"rate_limit_exceeded","message":"Slow."}}}"#,
            r#"{"error":{"code":"rate_limit_exceeded","message":"Slow."}}"#,
        ] {
            assert_eq!(said(json), expected, "{json}");
        }
    }

    #[test]
    fn what_is_no_error_is_none() {
        for json in [
            r#"{"error":null,"output":[]}"#,
            r#"{"type":"ping","message":"x"}"#,
            "{}",
            "[]",
            "<html>",
            r#"{"error":7}"#,
        ] {
            assert!(read(200, json.as_bytes()).is_none(), "{json}");
        }
    }

    #[test]
    fn a_real_status_stands_and_a_word_stands_in_for_a_missing_one() {
        let body = br#"{"error":{"code":"model_not_found","message":"No."}}"#;
        assert_eq!(read(400, body).unwrap().status, 400);
        assert_eq!(read(200, body).unwrap().status, 404);
        assert_eq!(said(r#"{"error":{"code":529,"message":"x"}}"#).1, 529);
        assert_eq!(said(r#"{"error":"overloaded"}"#).1, 502);
        assert_eq!(
            said(r#"{"type":"response.failed","response":{"error":null}}"#).1,
            502
        );
    }

    #[test]
    fn a_failed_response_has_a_word_that_clients_know() {
        for (failure, expected) in [
            (
                Failure::new(Kind::RateLimited, "provider_rate_limited", "x"),
                "rate_limit_exceeded",
            ),
            (
                Failure::new(Kind::BadGateway, "provider_broke_off", "x"),
                "server_error",
            ),
            (
                Failure::new(Kind::BadRequest, "context_length_exceeded", "x"),
                "context_length_exceeded",
            ),
        ] {
            assert_eq!(code(&failure), expected);
        }
    }
}
