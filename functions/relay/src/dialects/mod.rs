//! The languages: pure, bytes in and bytes out. One folder each, with the same rooms.
//!
//! A caller's side reads requests and writes answers; a provider's side writes requests and reads
//! answers. Between different dialects both meet in the [`neutral`] form.

pub mod anthropic;
pub mod bedrock;
pub mod borrowed;
pub mod claude;
pub mod cohere;
pub mod convert;
pub mod embedding;
pub mod envelope;
pub mod estimate;
pub mod frame;
pub mod gemini;
pub mod json;
pub mod limit;
pub mod members;
pub mod neutral;
mod openai;
pub mod openai_chat;
pub mod openai_completions;
pub mod openai_responses;
pub mod parts;
pub mod rename;
pub mod sse;
pub mod watch;

use std::fmt::Debug;

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use shared::domain::dialect::Dialect as Name;
use shared::domain::id::RequestId;
use shared::domain::limit::Room;
use shared::domain::provider::Provider;
use shared::failure::Failure;

use convert::{Reader, Renames, Writer};
use neutral::{Field, Notes, Reply, Request};
use watch::{Seen, Watch};

/// What the address of a request says, where a dialect says it there.
#[derive(Debug, Clone, Default)]
pub struct InUrl {
    /// The model.
    pub model: Option<String>,
    /// Whether the answer shall be streamed.
    pub stream: bool,
    /// Whether a streamed answer shall be events (`alt=sse`), and not one long JSON array.
    pub events: bool,
    /// Whether only the request's tokens shall be counted.
    pub counting: bool,
}

/// What the pipeline wants to know of a request, and the request itself.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The bytes as they came.
    pub body: Bytes,
    /// The caller's name of the model.
    pub model: String,
    /// Whether the answer shall be streamed.
    pub stream: bool,
    /// Whether a streamed answer shall be events, where a dialect has another form, too.
    pub events: bool,
    /// Whether a streamed answer shall tell its usage, where a dialect lets callers choose.
    pub usage_wanted: bool,
    /// The most tokens that the caller lets each answer have.
    pub max_output: Option<u64>,
    /// How many answers the caller wants.
    pub answers: u64,
}

/// What an answer is written for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The request.
    pub wanted: &'a Wanted,
    /// Its id.
    pub id: RequestId,
    /// When it came, in seconds since 1970.
    pub at_s: u64,
}

/// Where a request goes.
#[derive(Debug, Clone, Copy)]
pub struct Destination<'a> {
    /// The provider's name of the model.
    pub model: &'a str,
    /// Whether the answer shall be streamed.
    pub stream: bool,
    /// What is known of the provider.
    pub card: &'a Provider,
}

/// A request in a provider's dialect.
#[derive(Debug, Clone)]
pub struct Written {
    /// The request.
    pub body: Bytes,
    /// What happened to the caller's members.
    pub notes: Notes,
    /// What the answer must have changed back.
    pub renames: Renames,
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
    /// When it is worth trying again, in seconds, where the provider says it in the body.
    pub retry_after_s: Option<u64>,
}

/// A language that callers speak.
pub trait CallerSide: Debug + Send + Sync {
    /// Its name.
    fn name(&self) -> Name;

    /// Reads as much of a request as the pipeline needs.
    ///
    /// # Errors
    /// When it is not a request of this dialect.
    fn read(&self, body: Bytes, url: &InUrl) -> Result<Wanted, Failure>;

    /// The request for the express lane: the bytes as they came, but for the model's name and what
    /// is needed to see the usage.
    ///
    /// # Errors
    /// When the request cannot be read a second time.
    fn express(&self, wanted: &Wanted, upstream_model: &str) -> Result<Bytes, Failure>;

    /// Whether a request carries what another provider has said, which this one would refuse.
    fn is_borrowed(&self, body: &[u8], _: &Destination<'_>) -> bool {
        borrowed::has_envelope(body)
    }

    /// The same request, with at most `limit` tokens in each answer: 1 or more. A limit of the caller's
    /// that is lower stays. All other bytes are as they were.
    ///
    /// # Errors
    /// When the request cannot be read a second time, or cannot be fulfilled with so few tokens.
    fn limit_output(&self, body: &Bytes, limit: u64) -> Result<Bytes, Failure>;

    /// A watcher for one streamed answer of the express lane.
    fn watch(&self, wanted: &Wanted) -> Box<dyn Watch>;

    /// What a plain answer of the express lane says of itself; `None` when it is not an answer of
    /// this dialect.
    fn read_reply(&self, body: &[u8]) -> Option<Seen>;

    /// The whole request in the neutral form.
    ///
    /// # Errors
    /// When a member is not what this dialect says.
    fn read_request(&self, wanted: &Wanted) -> Result<Request, Failure>;

    /// A plain answer.
    fn write_reply(&self, reply: &Reply, asked: &Asked<'_>) -> Bytes;

    /// A writer for one streamed answer.
    fn writer(&self, asked: &Asked<'_>) -> Box<dyn Writer>;

    /// What this dialect calls a member.
    fn word(&self, field: &Field) -> String;

    /// The status with which this dialect says no.
    fn status(&self, failure: &Failure) -> u16 {
        failure.kind.status()
    }

    /// The body that says no.
    fn write_error(&self, failure: &Failure, id: RequestId) -> Bytes;

    /// The event that says no in a stream that has begun.
    fn write_error_event(&self, failure: &Failure, id: RequestId) -> Bytes;

    /// The headers that tell what a minute's limits leave; none where the dialect has none.
    fn room_headers(&self, _: &Room) -> HeaderMap {
        HeaderMap::new()
    }

    /// What is sent in a silent stream, so that nobody on the way gives up.
    fn filler(&self) -> &'static [u8];

    /// How many tokens a request has, as an answer.
    fn write_count(&self, tokens: u64) -> Bytes;
}

/// A language that providers speak.
pub trait ProviderSide: Debug + Send + Sync {
    /// Where conversations are posted, below a provider's host: `v1/…`.
    fn path(&self, to: &Destination<'_>) -> String;

    /// The headers of a caller of the same dialect that a provider may see.
    fn forwarded_headers(&self) -> &'static [HeaderName];

    /// Headers without which a provider refuses, where the caller gave none.
    fn default_headers(&self) -> HeaderMap {
        HeaderMap::new()
    }

    /// Whether media must be in the request, because the provider does not fetch them from this
    /// address itself.
    fn wants_bytes(&self, url: &str) -> bool;

    /// The request.
    ///
    /// # Errors
    /// When it cannot be said in this dialect.
    fn write_request(&self, request: &Request, to: &Destination<'_>) -> Result<Written, Failure>;

    /// A request of a caller of the same dialect, changed where this provider differs from what the
    /// dialect says.
    fn adapt(&self, body: Bytes, _: &Destination<'_>, _: &mut Notes) -> Bytes {
        body
    }

    /// A plain answer; `None` when it is not one of this dialect.
    fn reply(&self, body: &[u8], to: &Destination<'_>) -> Option<Reply>;

    /// A reader for one streamed answer.
    fn reader(&self, to: &Destination<'_>) -> Box<dyn Reader>;

    /// The error in a body that should have been an answer, if it is one.
    fn read_error(&self, status: u16, headers: &HeaderMap, body: &[u8]) -> Option<UpstreamError>;

    /// Where tokens are counted; `None` when the dialect cannot count.
    fn count_path(&self, _: &Destination<'_>) -> Option<String> {
        None
    }

    /// A request to count tokens, made from a request for an answer that was written before.
    ///
    /// # Errors
    /// When it cannot be said in this dialect.
    fn write_count_request(&self, written: &Bytes, _: &Destination<'_>) -> Result<Bytes, Failure> {
        Ok(written.clone())
    }

    /// How many tokens the provider has counted.
    fn read_count(&self, _: &[u8]) -> Option<u64> {
        None
    }
}

/// The dialect of that name, as callers speak it. Those that only providers speak have no callers;
/// embeddings say no as their vendor's conversations do.
#[must_use]
pub fn caller(name: Name) -> &'static dyn CallerSide {
    match name {
        Name::Anthropic => &anthropic::Anthropic,
        Name::Gemini | Name::GeminiEmbeddings => &gemini::Gemini,
        Name::OpenaiCompletions => &openai_completions::OpenaiCompletions,
        Name::OpenaiResponses => &openai_responses::OpenaiResponses,
        Name::OpenaiChat
        | Name::OpenaiEmbeddings
        | Name::Bedrock
        | Name::Cohere
        | Name::CohereEmbeddings
        | Name::TitanEmbeddings
        | Name::NovaEmbeddings => &openai_chat::OpenaiChat,
    }
}

/// The dialect of that name, as providers speak it; embeddings fail as their vendor's conversations.
#[must_use]
pub fn provider(name: Name) -> &'static dyn ProviderSide {
    match name {
        Name::Anthropic => &anthropic::Anthropic,
        Name::Bedrock | Name::TitanEmbeddings | Name::NovaEmbeddings => &bedrock::Bedrock,
        Name::Cohere | Name::CohereEmbeddings => &cohere::Cohere,
        Name::Gemini | Name::GeminiEmbeddings => &gemini::Gemini,
        Name::OpenaiCompletions => &openai_completions::OpenaiCompletions,
        Name::OpenaiResponses => &openai_responses::OpenaiResponses,
        Name::OpenaiChat | Name::OpenaiEmbeddings => &openai_chat::OpenaiChat,
    }
}
