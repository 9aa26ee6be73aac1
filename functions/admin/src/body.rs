//! JSON bodies: read with the name of whatever is wrong in them.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use http::header::CONTENT_TYPE;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, IgnoredAny};
use shared::failure::{Failure, Kind};

use crate::answer::Refusal;

/// The largest body that is taken.
pub(crate) const LIMIT_BYTES: usize = 1_024 * 1_024;

/// A body that must be there.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

/// A body that may be left out: then every member is.
#[derive(Debug)]
pub(crate) struct MaybeBody<T>(pub(crate) T);

impl<S: Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        Ok(Self(read(&bytes(request).await?)?))
    }
}

impl<S: Sync, T: DeserializeOwned> FromRequest<S> for MaybeBody<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let bytes = bytes(request).await?;
        let text = if bytes.is_empty() {
            b"{}"
        } else {
            bytes.as_ref()
        };
        Ok(Self(read(text)?))
    }
}

async fn bytes(request: Request) -> Result<Bytes, Failure> {
    let kind = request
        .headers()
        .get(CONTENT_TYPE)
        .map(|kind| kind.as_bytes().to_ascii_lowercase());
    let bytes = Bytes::from_request(request, &())
        .await
        .map_err(|rejection| {
            if rejection.status() == http::StatusCode::PAYLOAD_TOO_LARGE {
                Failure::new(Kind::TooLarge, "too_large", "The body is too large.")
            } else {
                Failure::new(Kind::BadRequest, "broken_body", "The body broke off.")
            }
        })?;
    // A foreign page can send a form or plain text in a visitor's name, but not this type.
    let is_json = kind.is_none_or(|kind| kind.windows(4).any(|word| word == b"json"));
    if is_json || bytes.is_empty() {
        return Ok(bytes);
    }
    let text = "Send JSON, with the header content-type: application/json.";
    Err(Failure::new(Kind::BadRequest, "wrong_content_type", text))
}

/// Reads a body.
fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T, Failure> {
    if text.iter().all(u8::is_ascii_whitespace) {
        let text = "A JSON object is expected, but the body is empty.";
        return Err(Failure::new(Kind::BadRequest, "invalid_json", text));
    }
    // Of a list, serde would take the first element for the first member.
    let is_object = text.trim_ascii_start().starts_with(b"{");
    if !is_object && is_json(text) {
        let text = "A JSON object is expected.";
        return Err(Failure::new(Kind::BadRequest, "invalid_value", text));
    }
    let mut json = serde_json::Deserializer::from_slice(text);
    let read = serde_path_to_error::deserialize(&mut json);
    let value = read.map_err(|error| wrong(&error, text))?;
    json.end().map_err(|error| malformed(&error))?;
    Ok(value)
}

/// Whether it is JSON at all, whatever it says.
fn is_json(text: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(text).is_ok()
}

/// What is wrong, with the path of the member, such as `budget.limit_usd`.
fn wrong(error: &serde_path_to_error::Error<serde_json::Error>, body: &[u8]) -> Failure {
    // Where one word of several is expected, serde_json takes a number for a broken text.
    if !error.inner().is_data() && !is_json(body) {
        return malformed(error.inner());
    }
    let text = error.inner().to_string();
    // serde_json says where; the path says it better.
    let text = text
        .rfind(" at line ")
        .and_then(|at| text.get(..at))
        .unwrap_or(&text);
    let parent = error.path().to_string();
    let parent = if parent == "." { String::new() } else { parent };
    let named = |prefix: &str| text.strip_prefix(prefix)?.split('`').next();
    if let Some(name) = named("missing field `") {
        let text = format!("The member {name} is missing.");
        return Failure::bad_field(join(&parent, name), text);
    }
    if let Some(name) = named("unknown field `") {
        let text = format!("There is no member {name} here.");
        return Failure::bad_field(join(&parent, name), text);
    }
    let mut failure = Failure::new(
        Kind::BadRequest,
        "invalid_value",
        format!("Not valid: {text}."),
    );
    failure.field = (!parent.is_empty()).then(|| parent.into());
    failure
}

fn join(parent: &str, name: &str) -> String {
    let knows_already = parent == name || parent.ends_with(&format!(".{name}"));
    match (parent.is_empty(), knows_already) {
        (true, _) => name.to_owned(),
        (false, true) => parent.to_owned(),
        (false, false) => format!("{parent}.{name}"),
    }
}

fn malformed(error: &serde_json::Error) -> Failure {
    let (line, column) = (error.line(), error.column());
    let text = format!("The body is not JSON: line {line}, column {column}.");
    Failure::new(Kind::BadRequest, "invalid_json", text)
}

/// A member that was given, whatever its value: with it, `null` is something else than nothing.
///
/// For `Option<Option<T>>`, where `null` takes the value away; and for `Option<T>`, where `null` is
/// refused.
pub(crate) fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    text: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(text).map(Some)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only reading is tested")]
    struct Outer {
        name: String,
        #[serde(default, deserialize_with = "present")]
        inner: Option<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only reading is tested")]
    struct Inner {
        count: u32,
        #[serde(default)]
        word: Option<Word>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Word {
        Yes,
    }

    #[test]
    fn whatever_is_wrong_is_named() {
        for (text, field) in [
            (r#"{"name":"a","inner":{"count":-1}}"#, Some("inner.count")),
            (r#"{"name":"a","inner":{"cuont":1}}"#, Some("inner.cuont")),
            (r#"{"name":"a","inner":{}}"#, Some("inner.count")),
            (r#"{"name":"a","inner":null}"#, Some("inner")),
            (r#"{"name":"a","nmae":"b"}"#, Some("nmae")),
            (r#"{"inner":{"count":1}}"#, Some("name")),
            (r#"{"name":1}"#, Some("name")),
            (
                r#"{"name":"a","inner":{"count":1,"word":1}}"#,
                Some("inner.word"),
            ),
            (
                r#"{"name":"a","inner":{"count":1,"word":"no"}}"#,
                Some("inner.word"),
            ),
            (r#"["a"]"#, None),
            (r#"["a",{"count":1}]"#, None),
            (r#"{"name":"a""#, None),
            (r#"{"name":"a"} x"#, None),
            ("[]", None),
            ("", None),
        ] {
            let failure = read::<Outer>(text.as_bytes()).unwrap_err();
            assert_eq!(failure.field.as_deref(), field, "{text}: {failure}");
            assert_eq!(failure.kind, Kind::BadRequest);
        }
        let whole = br#" {"name":"a","inner":{"count":1,"word":"yes"}}"#;
        assert!(read::<Outer>(whole).is_ok());
    }
}
