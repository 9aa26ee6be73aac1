//! OpenAI's Responses dialect. <https://platform.openai.com/docs/api-reference/responses>

mod express;
mod failure;
mod items;
mod pieces;
mod reply;
mod request;
mod state;
mod stream;
mod wire;

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use shared::domain::dialect::Dialect as Name;
use shared::domain::id::RequestId;
use shared::domain::limit::Room;
use shared::failure::Failure;

use super::convert::{Reader, Writer};
use super::json::{Fields, Object};
use super::neutral::{Field, Reply, Request};
use super::openai::{limit, room};
use super::watch::{Seen, Watch};
use super::{
    Asked, CallerSide, Destination, InUrl, ProviderSide, UpstreamError, Wanted, Written, borrowed,
};

/// The dialect.
#[derive(Debug, Clone, Copy)]
pub struct OpenaiResponses;

/// Not the organisation and the project: those belong to the credential, which is not the caller's.
static FORWARDED: [HeaderName; 1] = [HeaderName::from_static("openai-beta")];

impl CallerSide for OpenaiResponses {
    fn name(&self) -> Name {
        Name::OpenaiResponses
    }

    fn read(&self, body: Bytes, _: &InUrl) -> Result<Wanted, Failure> {
        express::request::read(body)
    }

    fn express(&self, wanted: &Wanted, upstream_model: &str) -> Result<Bytes, Failure> {
        express::request::express(wanted, upstream_model)
    }

    /// Thoughts that this gateway has made into items are kept by nobody.
    fn is_borrowed(&self, body: &[u8], _: &Destination<'_>) -> bool {
        borrowed::has_envelope(body) || borrowed::has_made_id(body, "rs")
    }

    fn limit_output(&self, body: &Bytes, limit: u64) -> Result<Bytes, Failure> {
        limit::limit_output(body, &["max_output_tokens"], limit)
    }

    fn watch(&self, _: &Wanted) -> Box<dyn Watch> {
        Box::new(express::stream::Watcher::default())
    }

    fn read_reply(&self, body: &[u8]) -> Option<Seen> {
        express::reply::read(body)
    }

    fn read_request(&self, wanted: &Wanted) -> Result<Request, Failure> {
        request::read::read(wanted)
    }

    fn write_reply(&self, reply: &Reply, asked: &Asked<'_>) -> Bytes {
        reply::write::write(reply, asked)
    }

    fn writer(&self, asked: &Asked<'_>) -> Box<dyn Writer> {
        Box::new(stream::write::Speaker::new(asked))
    }

    fn word(&self, field: &Field) -> String {
        wire::word(field)
    }

    fn write_error(&self, failure: &Failure, _: RequestId) -> Bytes {
        failure::write(failure)
    }

    fn write_error_event(&self, failure: &Failure, id: RequestId) -> Bytes {
        reply::write::Frame::unknown(id).failed(0, failure, None)
    }

    fn room_headers(&self, room: &Room) -> HeaderMap {
        room::headers(room)
    }

    fn filler(&self) -> &'static [u8] {
        b": keep-alive\n\n"
    }

    fn write_count(&self, tokens: u64) -> Bytes {
        let count = Object::new().with("object", "response.input_tokens");
        count.with("input_tokens", tokens).to_bytes()
    }
}

impl ProviderSide for OpenaiResponses {
    fn path(&self, _: &Destination<'_>) -> String {
        "v1/responses".to_owned()
    }

    fn forwarded_headers(&self) -> &'static [HeaderName] {
        &FORWARDED
    }

    fn wants_bytes(&self, _: &str) -> bool {
        false
    }

    fn write_request(&self, request: &Request, to: &Destination<'_>) -> Result<Written, Failure> {
        request::write::write(request, to)
    }

    fn reply(&self, body: &[u8], _: &Destination<'_>) -> Option<Reply> {
        reply::read::read(body)
    }

    fn reader(&self, _: &Destination<'_>) -> Box<dyn Reader> {
        Box::new(stream::read::Listener::default())
    }

    fn read_error(&self, status: u16, _: &HeaderMap, body: &[u8]) -> Option<UpstreamError> {
        failure::read(status, body)
    }

    fn count_path(&self, _: &Destination<'_>) -> Option<String> {
        Some("v1/responses/input_tokens".to_owned())
    }

    fn write_count_request(&self, written: &Bytes, _: &Destination<'_>) -> Result<Bytes, Failure> {
        Ok(request::write::count(written).to_bytes())
    }

    fn read_count(&self, body: &[u8]) -> Option<u64> {
        Fields::parse(std::str::from_utf8(body).ok()?)?.count("input_tokens")
    }
}
