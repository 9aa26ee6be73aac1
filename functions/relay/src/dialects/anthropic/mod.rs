//! Anthropic's Messages dialect. <https://docs.anthropic.com/en/api/messages>

mod express;
mod failure;
mod reply;
mod request;
mod room;
mod stream;
mod wire;
mod words;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use shared::domain::dialect::Dialect as Name;
use shared::domain::id::RequestId;
use shared::domain::limit::Room;
use shared::failure::Failure;

use super::convert::{Reader, Writer};
use super::neutral::{Field, Reply, Request};
use super::watch::{Seen, Watch};
use super::{
    Asked, CallerSide, Destination, InUrl, ProviderSide, UpstreamError, Wanted, Written, borrowed,
};

/// The dialect.
#[derive(Debug, Clone, Copy)]
pub struct Anthropic;

const VERSION: HeaderName = HeaderName::from_static("anthropic-version");
static FORWARDED: [HeaderName; 2] = [VERSION, HeaderName::from_static("anthropic-beta")];

impl CallerSide for Anthropic {
    fn name(&self) -> Name {
        Name::Anthropic
    }

    fn read(&self, body: Bytes, url: &InUrl) -> Result<Wanted, Failure> {
        express::request::read(body, url)
    }

    fn express(&self, wanted: &Wanted, upstream_model: &str) -> Result<Bytes, Failure> {
        express::request::express(wanted, upstream_model)
    }

    /// Thoughts that nobody has signed are refused.
    fn is_borrowed(&self, body: &[u8], _: &Destination<'_>) -> bool {
        borrowed::has_envelope(body) || borrowed::has_empty(body, br#""signature""#)
    }

    fn limit_output(&self, body: &Bytes, limit: u64) -> Result<Bytes, Failure> {
        express::limit::limit_output(body, limit)
    }

    fn watch(&self, _: &Wanted) -> Box<dyn Watch> {
        Box::new(express::stream::Watcher::default())
    }

    fn read_reply(&self, body: &[u8]) -> Option<Seen> {
        express::reply::read(body)
    }

    fn read_request(&self, wanted: &Wanted) -> Result<Request, Failure> {
        request::read::read(&wanted.body)
    }

    fn write_reply(&self, reply: &Reply, asked: &Asked<'_>) -> Bytes {
        reply::write::write(reply, asked)
    }

    fn writer(&self, asked: &Asked<'_>) -> Box<dyn Writer> {
        Box::new(stream::write::StreamWriter::new(asked))
    }

    fn word(&self, field: &Field) -> String {
        words::word(field)
    }

    fn status(&self, failure: &Failure) -> u16 {
        failure::status(failure)
    }

    fn write_error(&self, failure: &Failure, id: RequestId) -> Bytes {
        failure::write(failure, id)
    }

    fn write_error_event(&self, failure: &Failure, id: RequestId) -> Bytes {
        super::sse::write(Some("error"), &failure::write(failure, id))
    }

    fn room_headers(&self, room: &Room) -> HeaderMap {
        room::headers(room)
    }

    fn filler(&self) -> &'static [u8] {
        b"event: ping\ndata: {\"type\": \"ping\"}\n\n"
    }

    fn write_count(&self, tokens: u64) -> Bytes {
        request::count::answer(tokens)
    }
}

impl ProviderSide for Anthropic {
    fn path(&self, _: &Destination<'_>) -> String {
        "v1/messages".to_owned()
    }

    fn forwarded_headers(&self) -> &'static [HeaderName] {
        &FORWARDED
    }

    fn default_headers(&self) -> HeaderMap {
        HeaderMap::from_iter([(VERSION, HeaderValue::from_static("2023-06-01"))])
    }

    /// It fetches what is on the web itself, and only over TLS.
    fn wants_bytes(&self, url: &str) -> bool {
        url.starts_with("http://")
    }

    fn write_request(&self, request: &Request, to: &Destination<'_>) -> Result<Written, Failure> {
        request::write::write(request, to)
    }

    fn reply(&self, body: &[u8], _: &Destination<'_>) -> Option<Reply> {
        reply::read::read(body)
    }

    fn reader(&self, _: &Destination<'_>) -> Box<dyn Reader> {
        Box::new(stream::read::StreamReader::default())
    }

    fn read_error(&self, status: u16, _: &HeaderMap, body: &[u8]) -> Option<UpstreamError> {
        failure::read(status, body)
    }

    fn count_path(&self, _: &Destination<'_>) -> Option<String> {
        Some("v1/messages/count_tokens".to_owned())
    }

    fn write_count_request(&self, written: &Bytes, _: &Destination<'_>) -> Result<Bytes, Failure> {
        request::count::write(written)
    }

    fn read_count(&self, body: &[u8]) -> Option<u64> {
        request::count::read(body)
    }
}
