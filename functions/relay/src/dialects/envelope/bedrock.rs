//! Bedrock's `InvokeModel`: Anthropic's own dialect, the model in the address, events in frames.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html>

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::HeaderMap;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use shared::domain::id::RequestId;
use shared::failure::Failure;

use super::betas::{self, Host, Parcel};
use crate::dialects::UpstreamError;
use crate::dialects::bedrock::frame_error;
use crate::dialects::claude::Claude;
use crate::dialects::convert::Reader;
use crate::dialects::frame::{self, Kind};
use crate::dialects::neutral::{Event, Notes};
use crate::dialects::parts::{Edits, Parts};
use crate::dialects::sse;
use crate::dialects::watch::{Seen, Verdict, Watch};

/// What the body says of its version.
const VERSION: &str = "bedrock-2023-05-31";
/// What Bedrock adds to the last event.
const METRICS: &str = "amazon-bedrock-invocationMetrics";

/// What may stand in a path as it is.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// A model's id, as it stands in an address: ids have colons, and ARNs slashes.
pub fn in_path(model: &str) -> impl std::fmt::Display + '_ {
    utf8_percent_encode(model, ESCAPED)
}

/// Where the model is invoked.
#[must_use]
pub fn path(model: &str, stream: bool) -> String {
    let method = if stream {
        "invoke-with-response-stream"
    } else {
        "invoke"
    };
    format!("model/{}/{method}", in_path(model))
}

/// The request: without the members that stand in the address, with those that stand in headers
/// elsewhere.
///
/// # Errors
/// When it is no JSON object.
pub fn wrap(
    body: &Bytes,
    model: &str,
    headers: &HeaderMap,
    notes: &mut Notes,
) -> Result<Bytes, Failure> {
    let mut parcel = Parcel::of(body)?;
    let flags = betas::of(headers).chain(parcel.flags());
    let flags = betas::sort(Host::Invoke, flags, notes);
    parcel.strip(&flags, Claude::read(model), notes);
    for name in ["model", "stream", betas::MEMBER] {
        parcel.remove(name);
    }
    let version = serde_json::json!(VERSION).to_string();
    let mut first = vec![("anthropic_version", version)];
    if !flags.kept.is_empty() {
        first.push((betas::MEMBER, serde_json::json!(flags.kept).to_string()));
    }
    Ok(parcel.write(&first))
}

/// What a frame holds.
#[derive(Debug)]
enum Content {
    /// An event of the dialect, as server-sent events carry it.
    Event(Bytes),
    /// The provider says no.
    No(UpstreamError),
    /// Nothing that concerns anybody.
    Nothing,
}

fn content(bytes: &[u8]) -> Content {
    #[derive(Deserialize)]
    struct Chunk<'a> {
        #[serde(borrow)]
        bytes: Cow<'a, str>,
    }
    #[derive(Deserialize)]
    struct Named<'a> {
        #[serde(borrow, rename = "type")]
        kind: Cow<'a, str>,
    }
    let Some(frame) = frame::read(bytes) else {
        return Content::Nothing;
    };
    if let Some(error) = frame_error(&frame) {
        return Content::No(error);
    }
    if frame.kind != Kind::Event("chunk".to_owned()) {
        return Content::Nothing;
    }
    let chunk = serde_json::from_slice::<Chunk<'_>>(&frame.payload).ok();
    let Some(event) = chunk.and_then(|chunk| STANDARD.decode(&*chunk.bytes).ok()) else {
        return Content::Nothing;
    };
    let event = without_metrics(&Bytes::from(event));
    match serde_json::from_slice::<Named<'_>>(&event) {
        Ok(named) => Content::Event(sse::write(Some(&named.kind), &event)),
        Err(_) => Content::Nothing,
    }
}

/// An event without what Bedrock has added to it.
fn without_metrics(event: &Bytes) -> Bytes {
    if memchr::memmem::find(event, METRICS.as_bytes()).is_none() {
        return event.clone();
    }
    let text = std::str::from_utf8(event).unwrap_or_default();
    let Some(object) = Parts::of(text, 0..text.len()) else {
        return event.clone();
    };
    let mut edits = Edits::default();
    edits.remove(&object, |name| name == METRICS);
    edits.apply(event)
}

/// Watches frames as if they were server-sent events, which the caller gets instead.
#[derive(Debug)]
pub struct Unwrapped(Box<dyn Watch>);

impl Unwrapped {
    /// For the watcher of the dialect that is in the frames.
    #[must_use]
    pub fn new(watch: Box<dyn Watch>) -> Self {
        Self(watch)
    }
}

impl Watch for Unwrapped {
    fn event(&mut self, event: &[u8]) -> Verdict {
        match content(event) {
            Content::Nothing => Verdict::Drop,
            Content::No(error) => Verdict::Fail(error),
            Content::Event(event) => match self.0.event(&event) {
                Verdict::Pass => Verdict::Replace(event),
                other => other,
            },
        }
    }

    fn end(&mut self) -> Option<Bytes> {
        self.0.end()
    }

    fn fail(&mut self, failure: &Failure, id: RequestId) -> Option<Bytes> {
        self.0.fail(failure, id)
    }

    fn seen(&self) -> &Seen {
        self.0.seen()
    }
}

/// Reads frames as if they were server-sent events.
#[derive(Debug)]
pub struct UnwrappedReader(Box<dyn Reader>);

impl UnwrappedReader {
    /// For the reader of the dialect that is in the frames.
    #[must_use]
    pub fn new(reader: Box<dyn Reader>) -> Self {
        Self(reader)
    }
}

impl Reader for UnwrappedReader {
    fn event(&mut self, event: &[u8], out: &mut Vec<Event>) -> Result<(), UpstreamError> {
        match content(event) {
            Content::Nothing => Ok(()),
            Content::No(error) => Err(error),
            Content::Event(event) => self.0.event(&event, out),
        }
    }

    fn end(&mut self, out: &mut Vec<Event>) {
        self.0.end(out);
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::dialects::frame::tests::{event, exception};
    use crate::dialects::neutral::Field;

    const MODEL: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";

    fn chunk(json: &str) -> Vec<u8> {
        let payload = format!(r#"{{"bytes":"{}","p":"abc"}}"#, STANDARD.encode(json));
        event("chunk", &payload)
    }

    #[test]
    fn ids_and_arns_stand_in_the_address() {
        assert_eq!(
            path(MODEL, false),
            "model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/invoke"
        );
        assert_eq!(
            path("arn:aws:bedrock:us-east-1:1:inference-profile/x", true),
            "model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fx/invoke-with-response-stream"
        );
    }

    #[test]
    fn only_what_differs_is_changed() {
        let body = br#"{ "model":"m" ,"max_tokens" : 5,"messages":[ ],"top_p":1.0,"stream":true}"#;
        let mut headers = HeaderMap::new();
        headers.append(
            betas::HEADER,
            HeaderValue::from_static("context-1m-2025-08-07, files-api-2025-04-14"),
        );
        let mut notes = Notes::default();
        let wrapped = wrap(&Bytes::from_static(body), MODEL, &headers, &mut notes).unwrap();
        assert_eq!(
            wrapped,
            concat!(
                r#"{"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["context-1m-2025-08-07"],"#,
                r#""max_tokens" : 5,"messages":[ ],"top_p":1.0}"#
            )
        );
        let dropped = Field::Other("anthropic-beta: files-api-2025-04-14".to_owned());
        assert_eq!(notes.dropped, [dropped].into());
    }

    /// Remembers what it was shown.
    #[derive(Debug, Default)]
    struct Seer(Vec<String>, Seen);

    impl Watch for Seer {
        fn event(&mut self, event: &[u8]) -> Verdict {
            self.0.push(String::from_utf8(event.to_vec()).unwrap());
            Verdict::Pass
        }

        fn seen(&self) -> &Seen {
            &self.1
        }
    }

    #[test]
    fn frames_become_the_events_that_are_in_them() {
        let mut watch = Unwrapped::new(Box::<Seer>::default());
        let said = r#"{"type":"message_start","message":{"id":"m"}}"#;
        assert_eq!(
            watch.event(&chunk(said)),
            Verdict::Replace(Bytes::from(format!(
                "event: message_start\ndata: {said}\n\n"
            )))
        );
        let last =
            r#"{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":9}}"#;
        assert_eq!(
            watch.event(&chunk(last)),
            Verdict::Replace(Bytes::from_static(
                b"event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
            ))
        );
        assert_eq!(watch.event(&event("other", "{}")), Verdict::Drop);
        let no = exception("throttlingException", r#"{"message":"slow"}"#);
        let Verdict::Fail(error) = watch.event(&no) else {
            panic!("an exception passed");
        };
        assert_eq!((error.status, error.message.as_str()), (429, "slow"));
    }
}
