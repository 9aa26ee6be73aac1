//! Gemini's dialect: `generateContent`, alone or as a stream.
//! <https://ai.google.dev/api/generate-content>

mod citations;
mod express;
mod failure;
mod frame;
mod media;
mod names;
mod reply;
mod request;
mod schema;
mod signature;
mod spelling;
mod stream;
mod usage;
mod wire;

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use shared::domain::dialect::Dialect as Name;
use shared::domain::id::RequestId;
use shared::domain::provider::card::Envelope;
use shared::failure::Failure;

use super::convert::{Reader, Writer};
use super::json::Object;
use super::neutral::{Field, Reply, Request};
use super::watch::{Seen, Watch};
use super::{
    Asked, CallerSide, Destination, InUrl, ProviderSide, UpstreamError, Wanted, Written, borrowed,
};

/// The dialect.
#[derive(Debug, Clone, Copy)]
pub struct Gemini;

/// What needs no escape in a segment of a path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The method that answers, as it stands after a model's name and a colon, wherever the model is.
/// A provider is always asked for events.
#[must_use]
pub fn method(to: &Destination<'_>) -> &'static str {
    if to.stream {
        "streamGenerateContent?alt=sse"
    } else {
        "generateContent"
    }
}

/// The method that counts tokens.
pub const COUNT_METHOD: &str = "countTokens";

/// A model's name as a segment of a path.
#[must_use]
pub fn segment(model: &str) -> String {
    utf8_percent_encode(model, SEGMENT).to_string()
}

/// The resource that a model is: one of `models`, unless its name says otherwise. Its kind and its name.
fn resource(model: &str) -> (&'static str, &str) {
    let named = |kind: &'static str| {
        let name = model.strip_prefix(kind)?.strip_prefix('/')?;
        Some((kind, name))
    };
    named("tunedModels")
        .or_else(|| named("models"))
        .unwrap_or(("models", model))
}

/// The path of a method of a model.
fn path(model: &str, method: &str) -> String {
    let (kind, name) = resource(model);
    format!("v1beta/{kind}/{}:{method}", segment(name))
}

/// Whether the model is asked at Vertex AI, which counts tokens in another way.
fn on_vertex(to: &Destination<'_>) -> bool {
    let mut tongues = to.card.speaks.iter();
    let tongue = tongues.find(|one| one.dialect == Name::Gemini && one.fits(to.model));
    tongue.is_some_and(|one| one.envelope == Envelope::Vertex)
}

impl CallerSide for Gemini {
    fn name(&self) -> Name {
        Name::Gemini
    }

    fn read(&self, body: Bytes, url: &InUrl) -> Result<Wanted, Failure> {
        express::request::read(&body, url)
    }

    fn express(&self, wanted: &Wanted, _: &str) -> Result<Bytes, Failure> {
        Ok(wanted.body.clone())
    }

    /// From the third generation on, calls must be signed.
    fn is_borrowed(&self, body: &[u8], to: &Destination<'_>) -> bool {
        let calls = [br#""functionCall""#.as_slice(), br#""function_call""#];
        let signed = [
            br#""thoughtSignature""#.as_slice(),
            br#""thought_signature""#,
        ];
        let has = |members: [&[u8]; 2]| members.iter().any(|name| borrowed::has_member(body, name));
        let strict = request::wants_signatures(to.model);
        borrowed::has_envelope(body) || (strict && has(calls) && !has(signed))
    }

    fn limit_output(&self, body: &Bytes, limit: u64) -> Result<Bytes, Failure> {
        express::limit::limit_output(body, limit)
    }

    fn watch(&self, wanted: &Wanted) -> Box<dyn Watch> {
        Box::new(express::stream::Watcher::new(wanted.events, wanted.answers))
    }

    fn read_reply(&self, body: &[u8]) -> Option<Seen> {
        express::reply::read(body)
    }

    fn read_request(&self, wanted: &Wanted) -> Result<Request, Failure> {
        request::read(&wanted.body)
    }

    fn write_reply(&self, reply: &Reply, asked: &Asked<'_>) -> Bytes {
        reply::write(reply, asked)
    }

    fn writer(&self, asked: &Asked<'_>) -> Box<dyn Writer> {
        Box::new(stream::Writer::new(asked))
    }

    fn word(&self, field: &Field) -> String {
        request::word(field)
    }

    fn write_error(&self, failure: &Failure, id: RequestId) -> Bytes {
        failure::write(failure, id)
    }

    fn write_error_event(&self, failure: &Failure, id: RequestId) -> Bytes {
        frame::event(&failure::write(failure, id))
    }

    /// An empty event: Google's clients take a comment for an answer, and white space may also stand
    /// between the elements of an array.
    fn filler(&self) -> &'static [u8] {
        b"\r\n\r\n"
    }

    fn write_count(&self, tokens: u64) -> Bytes {
        Object::new().with("totalTokens", tokens).to_bytes()
    }
}

impl ProviderSide for Gemini {
    fn path(&self, to: &Destination<'_>) -> String {
        path(to.model, method(to))
    }

    /// None: which project pays belongs to the credential, which is not the caller's.
    fn forwarded_headers(&self) -> &'static [HeaderName] {
        &[]
    }

    fn wants_bytes(&self, url: &str) -> bool {
        media::wants_bytes(url)
    }

    fn write_request(&self, request: &Request, to: &Destination<'_>) -> Result<Written, Failure> {
        request::write(request, to)
    }

    fn reply(&self, body: &[u8], _: &Destination<'_>) -> Option<Reply> {
        reply::read(body)
    }

    fn reader(&self, _: &Destination<'_>) -> Box<dyn Reader> {
        Box::new(stream::Reader::default())
    }

    fn read_error(&self, status: u16, _: &HeaderMap, body: &[u8]) -> Option<UpstreamError> {
        failure::read(status, body)
    }

    fn count_path(&self, to: &Destination<'_>) -> Option<String> {
        Some(path(to.model, COUNT_METHOD))
    }

    fn write_count_request(&self, written: &Bytes, to: &Destination<'_>) -> Result<Bytes, Failure> {
        Ok(request::count_request(written, to))
    }

    fn read_count(&self, body: &[u8]) -> Option<u64> {
        let text = std::str::from_utf8(body).ok()?;
        super::json::Fields::parse(text)?.count("totalTokens")
    }
}
