//! OpenAI's completions, from before there were chats: callers that fill in text still speak them.
//! <https://platform.openai.com/docs/api-reference/completions>

mod express;
mod reply;
mod request;
mod stream;
mod unread;
mod wire;

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use shared::domain::dialect::Dialect as Name;
use shared::domain::id::RequestId;
use shared::domain::limit::Room;
use shared::failure::{Failure, Kind};

use super::convert::{Reader, Writer};
use super::json::Object;
use super::neutral::{Field, Reply, Request};
use super::openai::{failure, limit, room, splice};
use super::watch::{Seen, Watch};
use super::{Asked, CallerSide, Destination, InUrl, ProviderSide, UpstreamError, Wanted, Written};

/// The dialect. Providers that speak it are reached by callers of the same dialect only: no
/// conversation fits into one prompt.
#[derive(Debug, Clone, Copy)]
pub struct OpenaiCompletions;

static FORWARDED: [HeaderName; 1] = [HeaderName::from_static("openai-beta")];

impl CallerSide for OpenaiCompletions {
    fn name(&self) -> Name {
        Name::OpenaiCompletions
    }

    fn read(&self, body: Bytes, _: &InUrl) -> Result<Wanted, Failure> {
        express::request::read(body)
    }

    fn express(&self, wanted: &Wanted, upstream_model: &str) -> Result<Bytes, Failure> {
        splice::express(wanted, upstream_model)
    }

    fn limit_output(&self, body: &Bytes, limit: u64) -> Result<Bytes, Failure> {
        limit::limit_output(body, &["max_tokens"], limit)
    }

    fn watch(&self, wanted: &Wanted) -> Box<dyn Watch> {
        Box::new(express::stream::watcher(wanted))
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
        wire::word(field)
    }

    fn write_error(&self, failure: &Failure, _: RequestId) -> Bytes {
        failure::write(failure)
    }

    fn write_error_event(&self, failure: &Failure, _: RequestId) -> Bytes {
        super::sse::write(None, &failure::write(failure))
    }

    fn room_headers(&self, room: &Room) -> HeaderMap {
        room::headers(room)
    }

    fn filler(&self) -> &'static [u8] {
        b": keep-alive\n\n"
    }

    fn write_count(&self, tokens: u64) -> Bytes {
        Object::new().with("input_tokens", tokens).to_bytes()
    }
}

impl ProviderSide for OpenaiCompletions {
    fn path(&self, _: &Destination<'_>) -> String {
        "v1/completions".to_owned()
    }

    fn forwarded_headers(&self) -> &'static [HeaderName] {
        &FORWARDED
    }

    fn wants_bytes(&self, _: &str) -> bool {
        false
    }

    fn write_request(&self, _: &Request, _: &Destination<'_>) -> Result<Written, Failure> {
        let text = "The provider completes prompts, and takes no conversation.";
        Err(Failure::new(Kind::BadRequest, "no_conversation", text))
    }

    fn reply(&self, _: &[u8], _: &Destination<'_>) -> Option<Reply> {
        None
    }

    fn reader(&self, _: &Destination<'_>) -> Box<dyn Reader> {
        Box::new(unread::Unread)
    }

    fn read_error(&self, status: u16, _: &HeaderMap, body: &[u8]) -> Option<UpstreamError> {
        failure::read(status, body)
    }
}
