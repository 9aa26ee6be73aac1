//! OpenAI's chat dialect. <https://platform.openai.com/docs/api-reference/chat>

mod failure;
mod reply;
mod request;
mod stream;
mod wire;

use bytes::Bytes;
use http::HeaderName;
use shared::domain::dialect::Dialect as Name;
use shared::domain::id::RequestId;
use shared::failure::Failure;

use super::watch::{Seen, Watch};
use super::{Dialect, UpstreamError, Wanted};

/// The dialect.
#[derive(Debug, Clone, Copy)]
pub struct OpenaiChat;

/// Not the organisation and the project: those belong to the credential, which is not the caller's.
static FORWARDED: [HeaderName; 1] = [HeaderName::from_static("openai-beta")];

impl Dialect for OpenaiChat {
    fn name(&self) -> Name {
        Name::OpenaiChat
    }

    fn path(&self) -> &'static str {
        "v1/chat/completions"
    }

    fn forwarded_headers(&self) -> &'static [HeaderName] {
        &FORWARDED
    }

    fn read(&self, body: Bytes) -> Result<Wanted, Failure> {
        request::read(body)
    }

    fn express(&self, wanted: &Wanted, upstream_model: &str) -> Result<Bytes, Failure> {
        request::express(wanted, upstream_model)
    }

    fn watch(&self, wanted: &Wanted) -> Box<dyn Watch> {
        Box::new(stream::Watcher::new(wanted.usage_wanted, wanted.answers))
    }

    fn read_reply(&self, body: &[u8]) -> Option<Seen> {
        reply::read(body)
    }

    fn read_error(&self, status: u16, body: &[u8]) -> Option<UpstreamError> {
        failure::read(status, body)
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
}
