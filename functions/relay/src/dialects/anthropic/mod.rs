//! Anthropic's Messages dialect. <https://docs.anthropic.com/en/api/messages>

mod express;
mod failure;
mod wire;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use shared::domain::dialect::Dialect as Name;
use shared::domain::id::RequestId;
use shared::failure::Failure;

use super::convert::{Reader, Writer};
use super::neutral::{Field, Reply, Request};
use super::watch::{Seen, Watch};
use super::{Asked, CallerSide, Destination, InUrl, ProviderSide, UpstreamError, Wanted, Written};

/// The dialect.
#[derive(Debug, Clone, Copy)]
pub struct Anthropic;

const VERSION: HeaderName = HeaderName::from_static("anthropic-version");
static FORWARDED: [HeaderName; 2] = [VERSION, HeaderName::from_static("anthropic-beta")];

impl CallerSide for Anthropic {
    fn name(&self) -> Name {
        Name::Anthropic
    }

    fn read(&self, body: Bytes, _: &InUrl) -> Result<Wanted, Failure> {
        express::request::read(body)
    }

    fn express(&self, wanted: &Wanted, upstream_model: &str) -> Result<Bytes, Failure> {
        express::request::express(wanted, upstream_model)
    }

    fn watch(&self, _: &Wanted) -> Box<dyn Watch> {
        Box::new(express::stream::Watcher::default())
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

    fn write_error(&self, failure: &Failure, id: RequestId) -> Bytes {
        failure::write(failure, id)
    }

    fn write_error_event(&self, failure: &Failure, id: RequestId) -> Bytes {
        super::sse::write(Some("error"), &failure::write(failure, id))
    }

    fn filler(&self) -> &'static [u8] {
        b"event: ping\ndata: {\"type\": \"ping\"}\n\n"
    }

    fn write_count(&self, _tokens: u64) -> Bytes {
        Bytes::new()
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
