//! OpenAI's chat dialect. <https://platform.openai.com/docs/api-reference/chat>

mod express;
mod failure;
mod wire;

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use shared::domain::dialect::Dialect as Name;
use shared::domain::id::RequestId;
use shared::failure::Failure;

use super::convert::{Reader, Writer};
use super::neutral::{Field, Reply, Request};
use super::watch::{Seen, Watch};
use super::{Asked, CallerSide, Destination, InUrl, ProviderSide, UpstreamError, Wanted, Written};

/// The dialect.
#[derive(Debug, Clone, Copy)]
pub struct OpenaiChat;

/// Not the organisation and the project: those belong to the credential, which is not the caller's.
static FORWARDED: [HeaderName; 1] = [HeaderName::from_static("openai-beta")];

impl CallerSide for OpenaiChat {
    fn name(&self) -> Name {
        Name::OpenaiChat
    }

    fn read(&self, body: Bytes, _: &InUrl) -> Result<Wanted, Failure> {
        express::request::read(body)
    }

    fn express(&self, wanted: &Wanted, upstream_model: &str) -> Result<Bytes, Failure> {
        express::request::express(wanted, upstream_model)
    }

    fn watch(&self, wanted: &Wanted) -> Box<dyn Watch> {
        Box::new(express::stream::Watcher::new(
            wanted.usage_wanted,
            wanted.answers,
        ))
    }

    fn read_reply(&self, body: &[u8]) -> Option<Seen> {
        express::reply::read(body)
    }

    fn read_request(&self, _wanted: &Wanted) -> Result<Request, Failure> {
        Err(Failure::internal("being built"))
    }

    fn write_reply(&self, _reply: &Reply, _asked: &Asked<'_>) -> Bytes {
        Bytes::new()
    }

    fn writer(&self, _asked: &Asked<'_>) -> Box<dyn Writer> {
        Box::new(Building)
    }

    fn word(&self, field: &Field) -> String {
        format!("{field:?}")
    }

    fn write_error(&self, failure: &Failure, _: RequestId) -> Bytes {
        failure::write(failure)
    }

    fn write_error_event(&self, failure: &Failure, _: RequestId) -> Bytes {
        super::sse::write(None, &failure::write(failure))
    }

    fn filler(&self) -> &'static [u8] {
        b": keep-alive\n\n"
    }

    fn write_count(&self, _tokens: u64) -> Bytes {
        Bytes::new()
    }
}

impl ProviderSide for OpenaiChat {
    fn path(&self, _: &Destination<'_>) -> String {
        "v1/chat/completions".to_owned()
    }

    fn forwarded_headers(&self) -> &'static [HeaderName] {
        &FORWARDED
    }

    fn wants_bytes(&self, _: &str) -> bool {
        false
    }

    fn write_request(&self, _: &Request, _: &Destination<'_>) -> Result<Written, Failure> {
        Err(Failure::internal("being built"))
    }

    fn reply(&self, _: &[u8], _: &Destination<'_>) -> Option<Reply> {
        None
    }

    fn reader(&self, _: &Destination<'_>) -> Box<dyn Reader> {
        Box::new(Building)
    }

    fn read_error(&self, status: u16, _: &HeaderMap, body: &[u8]) -> Option<UpstreamError> {
        failure::read(status, body)
    }
}

#[derive(Debug)]
struct Building;

impl Reader for Building {
    fn event(&mut self, _: &[u8], _: &mut Vec<super::neutral::Event>) -> Result<(), UpstreamError> {
        Ok(())
    }
    fn end(&mut self, _: &mut Vec<super::neutral::Event>) {}
}

impl Writer for Building {
    fn write(&mut self, _: super::neutral::Event, _: &mut bytes::BytesMut) {}
}
