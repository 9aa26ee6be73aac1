//! Saying no in OpenAI's dialects, and understanding it, however their imitators say it.
//! <https://platform.openai.com/docs/guides/error-codes>

use bytes::Bytes;
use serde_json::json;
use serde_json::value::RawValue;
use shared::failure::{Failure, Kind};

use crate::dialects::UpstreamError;
use crate::dialects::json::{self, Fields};

pub(in crate::dialects) fn write(failure: &Failure) -> Bytes {
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

/// OpenAI's word for a kind of failure.
pub(in crate::dialects) fn error_type(kind: Kind) -> &'static str {
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

/// The error in a body; the status that it means is in its words where the real one says 200.
pub(in crate::dialects) fn read(status: u16, body: &[u8]) -> Option<UpstreamError> {
    let text = String::from_utf8_lossy(body);
    let value: &RawValue = serde_json::from_str(text.trim()).ok()?;
    // Google's endpoint of this dialect puts the object into an array.
    let first = || Fields::of(json::array(value).first()?);
    let mut body = Fields::of(value).or_else(first)?;
    if let Some(error) = body.take("error")
        && let Some(error) = refusal(status, error)
    {
        return Some(error);
    }
    if let Some(choice) = super::first_choice(&mut body) {
        return in_choice(status, choice);
    }
    plain(status, body)
}

/// The error in a choice: a member of its own member, or a reason to finish that is none.
pub(in crate::dialects) fn in_choice(status: u16, mut choice: Fields<'_>) -> Option<UpstreamError> {
    if let Some(error) = choice.take("error")
        && let Some(error) = refusal(status, error)
    {
        return Some(error);
    }
    broken(&choice.text("finish_reason")?)
}

/// The error that a reason to finish is.
pub(in crate::dialects) fn broken(reason: &str) -> Option<UpstreamError> {
    let status = match reason {
        "insufficient_system_resource" => 503,
        "error" | "network_error" => 502,
        _ => return None,
    };
    Some(UpstreamError {
        code: reason.to_owned(),
        status,
        message: format!("The provider ended its answer with '{reason}'."),
        retry_after_s: None,
    })
}

/// The value of a member `error`; `None` when it tells nothing.
pub(in crate::dialects) fn refusal(status: u16, error: &RawValue) -> Option<UpstreamError> {
    let Some(mut error) = Fields::of(error) else {
        let message = json::text(error).filter(|text| !text.is_empty())?;
        return Some(UpstreamError {
            code: "error".to_owned(),
            status: meant(status, &[]),
            message,
            retry_after_s: None,
        });
    };
    if error.is_empty() {
        return None;
    }
    let message = error.text("message").or_else(|| error.text("msg"));
    let words = ["code", "type", "status_code", "status"];
    let words = words.map(|name| error.take(name).and_then(word));
    let [code, kind, _, named] = words.clone();
    Some(UpstreamError {
        code: code
            .or(kind)
            .or(named)
            .unwrap_or_else(|| "error".to_owned()),
        status: meant(status, &words),
        message: message.unwrap_or_default(),
        retry_after_s: None,
    })
}

/// A body that is itself the error: `{"message": …}`, `{"detail": …}`, a business code in a 200.
fn plain(status: u16, mut body: Fields<'_>) -> Option<UpstreamError> {
    if let Some(mut base) = body.object("base_resp") {
        let code = base.count("status_code").filter(|code| *code != 0)?;
        return Some(UpstreamError {
            code: code.to_string(),
            status: meant(status, &[]),
            message: base.text("status_msg").unwrap_or_default(),
            retry_after_s: None,
        });
    }
    let words = ["code", "type", "status_code", "status", "error_code"];
    let words = words.map(|name| body.take(name).and_then(word));
    let names = [
        "message",
        "Message",
        "msg",
        "error_msg",
        "errorMsg",
        "error_message",
    ];
    let message = names.into_iter().find_map(|name| body.text(name));
    let message = message.or_else(|| detail(body.take("detail")?))?;
    Some(UpstreamError {
        code: words
            .iter()
            .flatten()
            .next()
            .cloned()
            .unwrap_or_else(|| "error".to_owned()),
        status: meant(status, &words),
        message,
        retry_after_s: None,
    })
}

/// The `detail` of Python's servers: a text, or a list of what is wrong.
fn detail(detail: &RawValue) -> Option<String> {
    let of = |mut fields: Fields<'_>| fields.text("msg").or_else(|| fields.text("message"));
    let listed = || {
        let texts = json::array(detail).into_iter().filter_map(Fields::of);
        let texts: Vec<String> = texts.filter_map(of).collect();
        (!texts.is_empty()).then(|| texts.join("; "))
    };
    json::text(detail)
        .or_else(|| of(Fields::of(detail)?))
        .or_else(listed)
}

/// A word, or a number as one.
fn word(value: &RawValue) -> Option<String> {
    let text = json::text(value).or_else(|| Some(json::count(value)?.to_string()));
    text.filter(|text| !text.is_empty())
}

/// The status that an error means: the real one, unless that says that all is well.
fn meant(status: u16, words: &[Option<String>]) -> u16 {
    if status >= 400 {
        return status;
    }
    let words = || words.iter().flatten();
    let number = |word: &String| {
        let number = word.parse().ok()?;
        (400..600).contains(&number).then_some(number)
    };
    let by_number = words().find_map(number);
    by_number
        .or_else(|| words().find_map(|word| by_word(word)))
        .unwrap_or(502)
}

fn by_word(word: &str) -> Option<u16> {
    Some(match word.to_ascii_lowercase().as_str() {
        "invalid_api_key" | "authentication_error" | "unauthenticated" => 401,
        // Zhipu has numbers of its own. <https://docs.bigmodel.cn/cn/api/api-code>
        "insufficient_balance" | "billing_error" | "1113" => 402,
        "permission_error" | "permission_denied" => 403,
        "model_not_found" | "not_found_error" | "not_found" => 404,
        "rate_limit_exceeded"
        | "rate_limit_error"
        | "insufficient_quota"
        | "resource_exhausted"
        | "too_many_requests"
        | "1302"
        | "1303"
        | "1305" => 429,
        "overloaded_error"
        | "server_is_overloaded"
        | "engine_overloaded_error"
        | "service_unavailable"
        | "unavailable" => 503,
        "timeout" | "timeout_error" | "deadline_exceeded" => 504,
        "server_error" | "api_error" | "internal_error" | "internal_server_error" | "internal" => {
            500
        }
        "invalid_request_error"
        | "invalid_argument"
        | "context_length_exceeded"
        | "content_filter"
        | "tool_use_failed"
        | "bad_request" => 400,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_understood_however_they_are_said() {
        for (body, code, status, message) in [
            (
                r#"{"error":{"message":"m","type":"t","code":"c"}}"#,
                "c",
                502,
                "m",
            ),
            (r#"{"error":{"message":"m","code":429}}"#, "429", 429, "m"),
            (
                r#"[{"error":{"message":"m","code":503,"status":"UNAVAILABLE"}}]"#,
                "503",
                503,
                "m",
            ),
            (
                r#"{"error":{"message":"m","type":"rate_limit_error","code":null}}"#,
                "rate_limit_error",
                429,
                "m",
            ),
            (
                r#"{"error":{"message":"m","code":"x","status_code":400}}"#,
                "x",
                400,
                "m",
            ),
            (r#"{"error":"m"}"#, "error", 502, "m"),
            (
                r#"{"message":"m","code":"invalid_api_key"}"#,
                "invalid_api_key",
                401,
                "m",
            ),
            (r#"{"detail":"m"}"#, "error", 502, "m"),
            (
                r#"{"detail":[{"msg":"m"},{"msg":"n"}]}"#,
                "error",
                502,
                "m; n",
            ),
            (
                r#"{"base_resp":{"status_code":1008,"status_msg":"m"}}"#,
                "1008",
                502,
                "m",
            ),
            (
                r#"{"choices":[{"finish_reason":"error","error":{"code":502,"message":"m"}}]}"#,
                "502",
                502,
                "m",
            ),
            (
                r#"{"error":{"message":"half \ud83d"}}"#,
                "error",
                502,
                "half \u{FFFD}",
            ),
        ] {
            let error = read(200, body.as_bytes()).unwrap_or_else(|| panic!("{body}"));
            let got = (error.code.as_str(), error.status, error.message.as_str());
            assert_eq!(got, (code, status, message), "{body}");
        }
    }

    #[test]
    fn the_real_status_counts_where_it_says_no() {
        let error = read(429, br#"{"error":{"message":"m","code":400}}"#).unwrap();
        assert_eq!(error.status, 429);
    }

    #[test]
    fn what_is_no_error_is_none() {
        for body in [
            "<html>",
            "",
            "[]",
            r#"{"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}],"error":null}"#,
            r#"{"base_resp":{"status_code":0,"status_msg":"success"}}"#,
            r#"{"error":{}}"#,
        ] {
            assert_eq!(read(200, body.as_bytes()), None, "{body}");
        }
    }
}
