//! Vertex AI: Claude and Gemini, with project, place and model in the address.
//!
//! <https://docs.anthropic.com/en/api/claude-on-vertex-ai>

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use shared::failure::Failure;

use super::betas::{self, Host, Parcel};
use crate::dialects::claude::Claude;
use crate::dialects::neutral::Notes;

/// What the body says of its version.
const VERSION: &str = "vertex-2023-10-16";

/// What may stand in a path as it is: Vertex's names of models have an `@`.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'@');

/// A project's part of a region.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The project.
    pub project: &'a str,
    /// The location: `us-central1`, `global`.
    pub location: &'a str,
}

/// Where Claude answers.
#[must_use]
pub fn claude_path(place: Place<'_>, model: &str, stream: bool) -> String {
    let method = if stream {
        "streamRawPredict"
    } else {
        "rawPredict"
    };
    path(place, "anthropic", model, method)
}

/// Where Gemini answers.
#[must_use]
pub fn gemini_path(place: Place<'_>, model: &str, stream: bool) -> String {
    let method = if stream {
        "streamGenerateContent?alt=sse"
    } else {
        "generateContent"
    };
    path(place, "google", model, method)
}

fn path(place: Place<'_>, publisher: &str, model: &str, method: &str) -> String {
    let escaped = |text| utf8_percent_encode(text, ESCAPED);
    format!(
        "v1/projects/{}/locations/{}/publishers/{publisher}/models/{}:{method}",
        escaped(place.project),
        escaped(place.location),
        escaped(model),
    )
}

/// A request to Claude: without the model, which stands in the address. Flags stay in the header;
/// `headers` keeps those that Vertex takes.
///
/// # Errors
/// When it is no JSON object.
pub fn wrap(
    body: &Bytes,
    model: &str,
    headers: &mut HeaderMap,
    notes: &mut Notes,
) -> Result<Bytes, Failure> {
    let mut parcel = Parcel::of(body)?;
    let flags: Vec<String> = betas::of(headers).chain(parcel.flags()).collect();
    let flags = betas::sort(Host::Vertex, flags, notes);
    parcel.strip(&flags, Claude::read(model), notes);
    parcel.remove("model");
    parcel.remove(betas::MEMBER);
    // The version stands in the body here.
    headers.remove("anthropic-version");
    headers.remove(betas::HEADER);
    let kept: Vec<String> = flags.kept.into_iter().collect();
    if let Ok(value) = HeaderValue::try_from(kept.join(","))
        && !kept.is_empty()
    {
        headers.insert(HeaderName::from_static(betas::HEADER), value);
    }
    let version = serde_json::json!(VERSION).to_string();
    Ok(parcel.write(&[("anthropic_version", version)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn project_place_and_model_stand_in_the_address() {
        let place = Place {
            project: "p-1",
            location: "global",
        };
        assert_eq!(
            claude_path(place, "claude-sonnet-4-5@20250929", true),
            "v1/projects/p-1/locations/global/publishers/anthropic/models/claude-sonnet-4-5@20250929:streamRawPredict"
        );
        assert_eq!(
            gemini_path(place, "gemini-2.5-pro", false),
            "v1/projects/p-1/locations/global/publishers/google/models/gemini-2.5-pro:generateContent"
        );
        assert!(gemini_path(place, "a/b", true).ends_with("a%2Fb:streamGenerateContent?alt=sse"));
    }

    #[test]
    fn flags_stay_in_the_header() {
        let body = br#"{"model":"m","max_tokens":5,"stream":true,"messages":[]}"#;
        let mut headers = HeaderMap::new();
        headers.append(
            betas::HEADER,
            HeaderValue::from_static("files-api-2025-04-14,context-1m-2025-08-07"),
        );
        headers.append("anthropic-version", HeaderValue::from_static("2023-06-01"));
        let mut notes = Notes::default();
        let wrapped = wrap(
            &Bytes::from_static(body),
            "claude-opus-4-5",
            &mut headers,
            &mut notes,
        );
        assert_eq!(
            wrapped.unwrap(),
            r#"{"anthropic_version":"vertex-2023-10-16","max_tokens":5,"stream":true,"messages":[]}"#
        );
        assert_eq!(headers.len(), 1);
        assert_eq!(headers[betas::HEADER], "context-1m-2025-08-07");
    }
}
