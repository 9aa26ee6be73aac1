//! Thoughts: told as a summary of one part, which is what clients show.

use bytes::BytesMut;

use super::{Speaker, say};
use crate::dialects::openai_responses::items;

impl Speaker {
    /// More of the thought; its first piece begins the part.
    pub(super) fn think(&mut self, more: &str, first: bool, out: &mut BytesMut) {
        if first {
            const KIND: &str = "response.reasoning_summary_part.added";
            let event = self
                .item_event(KIND)
                .with("summary_index", 0)
                .with("part", items::text_part("summary_text", ""));
            say(KIND, &event, out);
        }
        const KIND: &str = "response.reasoning_summary_text.delta";
        let event = self
            .item_event(KIND)
            .with("summary_index", 0)
            .with("delta", more.to_owned());
        say(KIND, &event, out);
    }

    /// The thought is told.
    pub(super) fn close_thought(&mut self, text: &str, out: &mut BytesMut) {
        const TEXT: &str = "response.reasoning_summary_text.done";
        let event = self
            .item_event(TEXT)
            .with("summary_index", 0)
            .with("text", text.to_owned());
        say(TEXT, &event, out);
        const PART: &str = "response.reasoning_summary_part.done";
        let event = self
            .item_event(PART)
            .with("summary_index", 0)
            .with("part", items::text_part("summary_text", text));
        say(PART, &event, out);
    }
}
