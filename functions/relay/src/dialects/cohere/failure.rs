//! Understanding Cohere when it says no. <https://docs.cohere.com/reference/errors>

use super::wire;
use crate::dialects::UpstreamError;
use crate::dialects::json::Fields;

/// The error in a body: `{"id", "message"}`, or an answer that ended because something broke.
pub(super) fn read(status: u16, body: &[u8]) -> Option<UpstreamError> {
    let mut fields = Fields::parse(std::str::from_utf8(body).ok()?)?;
    if let Some(word) = fields.text("finish_reason") {
        return wire::is_failure(&word).then(|| broken(&word, None));
    }
    let message = ["message", "detail", "error"]
        .into_iter()
        .find_map(|name| fields.text(name))?;
    let status = match status {
        200 => 502,
        // Cohere's own: a token that is not valid.
        498 => 401,
        other => other,
    };
    Some(UpstreamError {
        code: "error".to_owned(),
        status,
        message,
        retry_after_s: None,
    })
}

/// An answer that ended because something broke.
pub(super) fn broken(word: &str, message: Option<String>) -> UpstreamError {
    let (status, text) = if word == "TIMEOUT" {
        (504, "Cohere took too long to answer.")
    } else {
        (502, "Cohere could not finish its answer.")
    };
    UpstreamError {
        code: word.to_ascii_lowercase(),
        status,
        message: message.unwrap_or_else(|| text.to_owned()),
        retry_after_s: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_a_no() {
        for (status, body, expected) in [
            (400, r#"{"id":"1","message":"bad"}"#, Some((400, "bad"))),
            (
                498,
                r#"{"message":"invalid token"}"#,
                Some((401, "invalid token")),
            ),
            (
                429,
                r#"{"data":null,"message":"slow"}"#,
                Some((429, "slow")),
            ),
            (200, r#"{"message":"odd"}"#, Some((502, "odd"))),
            (
                200,
                r#"{"message":{"content":[]},"finish_reason":"TIMEOUT"}"#,
                Some((504, "Cohere took too long to answer.")),
            ),
            (
                200,
                r#"{"message":{"content":[]},"finish_reason":"COMPLETE"}"#,
                None,
            ),
            (502, "<html>", None),
        ] {
            let error = read(status, body.as_bytes());
            let told = error
                .as_ref()
                .map(|error| (error.status, error.message.as_str()));
            assert_eq!(told, expected, "{body}");
        }
    }
}
