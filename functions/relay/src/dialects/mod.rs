//! The languages: pure, bytes in and bytes out. One folder each, with the same rooms.

pub mod anthropic;
pub mod estimate;
pub mod members;
pub mod openai_chat;
pub mod sse;
pub mod watch;

use std::fmt::Debug;

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use shared::domain::dialect::Dialect as Name;
use shared::domain::id::RequestId;
use shared::failure::Failure;

use watch::{Seen, Watch};

/// What the pipeline wants to know of a request, and the request itself.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The bytes as they came.
    pub body: Bytes,
    /// The caller's name of the model.
    pub model: String,
    /// Whether the answer shall be streamed.
    pub stream: bool,
    /// Whether a streamed answer shall tell its usage, where a dialect lets callers choose.
    pub usage_wanted: bool,
    /// The most tokens that the caller lets each answer have.
    pub max_output: Option<u64>,
    /// How many answers the caller wants.
    pub answers: u64,
}

/// How a provider said no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamError {
    /// The provider's word for it.
    pub code: String,
    /// The status that it means.
    pub status: u16,
    /// The provider's sentence.
    pub message: String,
}

/// A wire language.
pub trait Dialect: Debug + Send + Sync {
    /// Its name.
    fn name(&self) -> Name;

    /// Where conversations are posted, below a provider's host: `v1/…`.
    fn path(&self) -> &'static str;

    /// The headers of a caller that a provider may see.
    fn forwarded_headers(&self) -> &'static [HeaderName];

    /// Headers without which a provider refuses, where the caller gave none.
    fn default_headers(&self) -> HeaderMap {
        HeaderMap::new()
    }

    /// Reads as much of a request as the pipeline needs.
    ///
    /// # Errors
    /// When it is not a request of this dialect.
    fn read(&self, body: Bytes) -> Result<Wanted, Failure>;

    /// The request for the express lane: the bytes as they came, but for the model's name and what
    /// is needed to see the usage.
    ///
    /// # Errors
    /// When the request cannot be read a second time.
    fn express(&self, wanted: &Wanted, upstream_model: &str) -> Result<Bytes, Failure>;

    /// A watcher for one streamed answer.
    fn watch(&self, wanted: &Wanted) -> Box<dyn Watch>;

    /// What a plain answer says of itself; `None` when it is not an answer of this dialect.
    fn read_reply(&self, body: &[u8]) -> Option<Seen>;

    /// The error in a body that should have been an answer, if it is one.
    fn read_error(&self, status: u16, body: &[u8]) -> Option<UpstreamError>;

    /// The body that says no.
    fn write_error(&self, failure: &Failure, id: RequestId) -> Bytes;

    /// The event that says no in a stream that has begun.
    fn write_error_event(&self, failure: &Failure, id: RequestId) -> Bytes;

    /// What is sent in a silent stream, so that nobody on the way gives up.
    fn filler(&self) -> &'static [u8];
}

/// The dialect of that name, where callers may speak it.
#[must_use]
pub fn of(name: Name) -> &'static dyn Dialect {
    match name {
        Name::Anthropic => &anthropic::Anthropic,
        Name::OpenaiChat | Name::OpenaiResponses | Name::Gemini | Name::Bedrock => {
            &openai_chat::OpenaiChat
        }
    }
}
