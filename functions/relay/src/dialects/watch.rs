//! Watching a streamed answer go by: what it used, whether it ended, whether it is an error.

use bytes::Bytes;
use shared::domain::id::RequestId;
use shared::domain::usage::Usage;
use shared::failure::Failure;

use super::UpstreamError;
use super::estimate::Delivered;

/// What was seen of an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// What the provider says was used, once it has said so for good.
    pub tokens: Option<Usage>,
    /// What it has said so far, where it says it in parts.
    pub so_far: Option<Usage>,
    /// Whether nothing was delivered since: then it is all that was used until now.
    pub current: bool,
    /// The text that was delivered: answer, thoughts, and calls with their arguments.
    pub delivered: Delivered,
    /// Whether the answer has begun.
    pub began: bool,
    /// Whether it came to its proper end.
    pub complete: bool,
    /// Whether its very last event was seen.
    pub over: bool,
}

impl Seen {
    /// What the provider says for good, if that can be: there is no call without any input.
    #[must_use]
    pub fn believed(&self) -> Option<Usage> {
        self.tokens.filter(|usage| usage.total_input() > 0)
    }
}

/// What becomes of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It goes to the caller as it is.
    Pass,
    /// It does not concern the caller.
    Drop,
    /// This goes instead.
    Replace(Bytes),
    /// The provider says no.
    Fail(UpstreamError),
}

/// A state machine beside a stream.
pub trait Watch: Send + std::fmt::Debug {
    /// Looks at one complete event.
    fn event(&mut self, event: &[u8]) -> Verdict;

    /// The connection has ended: what is left to say.
    fn end(&mut self) -> Option<Bytes> {
        None
    }

    /// Says no in the middle of an answer, where that depends on what was said before.
    fn fail(&mut self, _: &Failure, _: RequestId) -> Option<Bytes> {
        None
    }

    /// What was seen so far.
    fn seen(&self) -> &Seen;
}
