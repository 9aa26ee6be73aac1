//! A stream that nobody reads: nothing is ever converted for a provider of this dialect.

use crate::dialects::UpstreamError;
use crate::dialects::convert::Reader;
use crate::dialects::neutral::Event;

/// Refuses whatever comes.
#[derive(Debug)]
pub(super) struct Unread;

impl Reader for Unread {
    fn event(&mut self, _: &[u8], _: &mut Vec<Event>) -> Result<(), UpstreamError> {
        Err(UpstreamError {
            code: "no_conversation".to_owned(),
            status: 502,
            message: "The provider completes prompts, and takes no conversation.".to_owned(),
            retry_after_s: None,
        })
    }

    fn end(&mut self, _: &mut Vec<Event>) {}
}
