//! Anthropic's Messages dialect. <https://docs.anthropic.com/en/api/messages>

mod failure;
mod reply;
mod request;
mod stream;
mod wire;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use shared::domain::dialect::Dialect as Name;
use shared::domain::id::RequestId;
use shared::failure::Failure;

use super::watch::{Seen, Watch};
use super::{Dialect, UpstreamError, Wanted};

/// The dialect.
#[derive(Debug, Clone, Copy)]
pub struct Anthropic;

const VERSION: HeaderName = HeaderName::from_static("anthropic-version");
static FORWARDED: [HeaderName; 2] = [VERSION, HeaderName::from_static("anthropic-beta")];

impl Dialect for Anthropic {
    fn name(&self) -> Name {
        Name::Anthropic
    }

    fn path(&self) -> &'static str {
        "v1/messages"
    }

    fn forwarded_headers(&self) -> &'static [HeaderName] {
        &FORWARDED
    }

    fn default_headers(&self) -> HeaderMap {
        HeaderMap::from_iter([(VERSION, HeaderValue::from_static("2023-06-01"))])
    }

    fn read(&self, body: Bytes) -> Result<Wanted, Failure> {
        request::read(body)
    }

    fn express(&self, wanted: &Wanted, upstream_model: &str) -> Result<Bytes, Failure> {
        request::express(wanted, upstream_model)
    }

    fn watch(&self, _: &Wanted) -> Box<dyn Watch> {
        Box::new(stream::Watcher::default())
    }

    fn read_reply(&self, body: &[u8]) -> Option<Seen> {
        reply::read(body)
    }

    fn read_error(&self, status: u16, body: &[u8]) -> Option<UpstreamError> {
        failure::read(status, body)
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
}
