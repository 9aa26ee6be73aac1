//! Understanding Bedrock when it says no.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html>

use http::HeaderMap;

use crate::dialects::UpstreamError;
use crate::dialects::frame::{Frame, Kind};
use crate::dialects::json::Fields;

/// Where the name of an exception stands, beside the body.
const ERROR_TYPE: &str = "x-amzn-errortype";

/// The error in a body: `{"message"}`, with its name in a header.
pub(super) fn read(status: u16, headers: &HeaderMap, body: &[u8]) -> Option<UpstreamError> {
    let mut fields = Fields::parse(std::str::from_utf8(body).ok()?)?;
    // A service that does not know the operation wraps what it says.
    if let Some(inner) = fields.object("Output") {
        fields = inner;
    }
    let named = headers
        .get(ERROR_TYPE)
        .and_then(|value| value.to_str().ok().map(str::to_owned));
    let named = named.or_else(|| fields.text("__type"));
    let message = message(&mut fields);
    if named.is_none() && message.is_none() {
        return None;
    }
    let original = fields.count("originalStatusCode");
    let code = named.map_or_else(String::new, |name| short(&name));
    Some(error(code, message.unwrap_or_default(), original, status))
}

/// The error in a frame; `None` when it is an event.
pub(super) fn of_frame(frame: &Frame) -> Option<UpstreamError> {
    let (code, said) = match &frame.kind {
        Kind::Event(_) => return None,
        Kind::Exception(name) => (short(name), None),
        Kind::Error { code, message } => (short(code), Some(message.clone())),
    };
    let text = String::from_utf8_lossy(&frame.payload);
    let mut fields = Fields::parse(&text).unwrap_or_default();
    let original = fields.count("originalStatusCode");
    let mut message = said
        .filter(|said| !said.is_empty())
        .or_else(|| message(&mut fields))
        .unwrap_or_default();
    if let Some(inner) = fields.text("originalMessage") {
        message = format!("{message} ({inner})");
    }
    Some(error(code, message, original, 200))
}

fn message(fields: &mut Fields<'_>) -> Option<String> {
    fields.text("message").or_else(|| fields.text("Message"))
}

/// `com.amazon.coral#ThrottlingException:http://…` → `ThrottlingException`; frames begin in lower case.
fn short(name: &str) -> String {
    let name = name.rsplit('#').next().unwrap_or(name);
    let name = name.split(':').next().unwrap_or(name).trim();
    let mut letters = name.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

fn error(code: String, message: String, original: Option<u64>, status: u16) -> UpstreamError {
    let original = original
        .and_then(|status| u16::try_from(status).ok())
        .filter(|status| (400..600).contains(status));
    let meant = match code.as_str() {
        // An account that may not use Bedrock yet is told so as if the request were wrong.
        "ValidationException" if message.contains("Operation not allowed") => 403,
        "ValidationException" => 400,
        "AccessDeniedException" => 403,
        "UnrecognizedClientException" | "ExpiredTokenException" | "InvalidSignatureException" => {
            403
        }
        "ResourceNotFoundException" | "UnknownOperationException" => 404,
        // The quota's own status is 400, but nothing is wrong with the request.
        "ThrottlingException" | "ServiceQuotaExceededException" | "ModelNotReadyException" => 429,
        "ModelTimeoutException" => 408,
        "ServiceUnavailableException" => 503,
        // 424: the model failed, not this request.
        "ModelErrorException" | "ModelStreamErrorException" => original.unwrap_or(503),
        "InternalServerException" | "InternalFailure" => 500,
        _ if status == 200 => original.unwrap_or(500),
        _ => status,
    };
    UpstreamError {
        code: if code.is_empty() {
            "unknown".to_owned()
        } else {
            code
        },
        status: meant,
        message,
        retry_after_s: None,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::dialects::frame;
    use crate::dialects::frame::tests::{exception, frame as framed};

    #[test]
    fn the_name_stands_in_a_header() {
        let named = |name: &'static str| {
            HeaderMap::from_iter([(
                http::HeaderName::from_static(ERROR_TYPE),
                HeaderValue::from_static(name),
            )])
        };
        for (name, status, meant) in [
            (
                "ThrottlingException:http://internal.amazon.com/x/",
                429,
                429,
            ),
            ("ServiceQuotaExceededException", 400, 429),
            ("ValidationException", 400, 400),
            ("ModelErrorException", 424, 503),
            ("ModelTimeoutException", 408, 408),
            ("SomethingNewException", 418, 418),
        ] {
            let error = read(status, &named(name), br#"{"Message":"no"}"#).unwrap();
            assert_eq!(
                (error.status, error.message.as_str()),
                (meant, "no"),
                "{name}"
            );
        }
        let body = br#"{"message":"m","originalStatusCode":529}"#;
        let error = read(424, &named("ModelErrorException"), body).unwrap();
        assert_eq!(
            (error.code.as_str(), error.status),
            ("ModelErrorException", 529)
        );
    }

    #[test]
    fn a_body_alone_keeps_its_status() {
        let none = HeaderMap::new();
        let error = read(400, &none, br#"{"message":"The model is invalid."}"#).unwrap();
        assert_eq!((error.code.as_str(), error.status), ("unknown", 400));
        let body = br#"{"Output":{"__type":"com.amazon.coral.service#UnknownOperationException"},"Version":"1.0"}"#;
        assert_eq!(read(200, &none, body).unwrap().status, 404);
        assert!(read(200, &none, br#"{"output":{}}"#).is_none());
        assert!(read(502, &none, b"<html>").is_none());
    }

    #[test]
    fn frames_say_no_in_two_ways() {
        let of = |bytes: Vec<u8>| of_frame(&frame::read(&bytes).unwrap()).unwrap();
        let body =
            r#"{"message":"broken","originalStatusCode":529,"originalMessage":"Overloaded"}"#;
        let error = of(exception("modelStreamErrorException", body));
        assert_eq!(error.code, "ModelStreamErrorException");
        assert_eq!(
            (error.status, error.message.as_str()),
            (529, "broken (Overloaded)")
        );
        let error = of(exception(
            "throttlingException",
            r#"{"message":"slow down"}"#,
        ));
        assert_eq!((error.status, error.message.as_str()), (429, "slow down"));
        let headers = [
            (":message-type", "error"),
            (":error-code", "InternalFailure"),
            (":error-message", "oh"),
        ];
        let error = of(framed(&headers, ""));
        assert_eq!((error.status, error.message.as_str()), (500, "oh"));
    }
}
