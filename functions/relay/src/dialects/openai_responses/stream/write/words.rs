//! Texts and refusals: parts of messages, once they say something.

use bytes::BytesMut;

use super::super::super::items;
use super::{Item, Speaker, say};
use crate::dialects::json::{Json, Object};
use crate::dialects::neutral::Opaque;
use crate::dialects::neutral::reply::Citation;
use crate::dialects::openai_responses::state::Owner;
use crate::dialects::openai_responses::wire::Refused;

/// A text or a refusal; it is a part of a message once it says something.
#[derive(Debug)]
pub(super) struct Words {
    pub(super) kind: Said,
    pub(super) text: String,
    pub(super) annotations: Vec<Json>,
    pub(super) state: Option<Opaque>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    Text,
    Refusal,
}

impl Speaker {
    pub(super) fn speak(&mut self, more: &str, out: &mut BytesMut) {
        let Some(words) = &mut self.words else {
            return;
        };
        let (kind, first) = (words.kind, words.text.is_empty());
        words.text.push_str(more);
        if first {
            if !matches!(self.item, Some(Item::Message(_))) {
                self.begin_item(Item::Message(Vec::new()), out);
            }
            const KIND: &str = "response.content_part.added";
            let event = self
                .part_event(KIND)
                .with("part", kind.part("", Vec::new()));
            say(KIND, &event, out);
        }
        match kind {
            Said::Text => {
                const KIND: &str = "response.output_text.delta";
                let event = self.part_event(KIND).with("delta", more.to_owned());
                let event = event.with("logprobs", Vec::<Json>::new());
                say(KIND, &event, out);
            }
            Said::Refusal => {
                const KIND: &str = "response.refusal.delta";
                let event = self.part_event(KIND).with("delta", more.to_owned());
                say(KIND, &event, out);
            }
        }
    }

    /// An event about the part of the message that is being said.
    fn part_event(&mut self, kind: &'static str) -> Object {
        let index = match &self.item {
            Some(Item::Message(parts)) => parts.len() as u64,
            _ => 0,
        };
        self.item_event(kind).with("content_index", index)
    }

    pub(super) fn cite(&mut self, citation: &Citation, out: &mut BytesMut) {
        let Some(words) = &mut self.words else {
            return;
        };
        let Some(annotation) = items::annotation(citation, &words.text) else {
            return;
        };
        let index = words.annotations.len() as u64;
        words.annotations.push(annotation.clone());
        if words.text.is_empty() {
            return;
        }
        const KIND: &str = "response.output_text.annotation.added";
        let event = self
            .part_event(KIND)
            .with("annotation_index", index)
            .with("annotation", annotation);
        say(KIND, &event, out);
    }

    pub(super) fn close_words(&mut self, words: Words, out: &mut BytesMut) {
        if words.text.is_empty() {
            // What nobody hears is no part. Its state is.
            if let Some(state) = words.state {
                self.bear(&state, Owner::Text, out);
            }
            return;
        }
        let done = match words.kind {
            Said::Text => {
                const KIND: &str = "response.output_text.done";
                let event = self.part_event(KIND).with("text", words.text.clone());
                let event = event.with("logprobs", Vec::<Json>::new());
                say(KIND, &event, out);
                words.kind.part(&words.text, words.annotations)
            }
            Said::Refusal => {
                self.refused = Refused::InWords;
                const KIND: &str = "response.refusal.done";
                let event = self.part_event(KIND).with("refusal", words.text.clone());
                say(KIND, &event, out);
                words.kind.part(&words.text, Vec::new())
            }
        };
        const KIND: &str = "response.content_part.done";
        let event = self.part_event(KIND).with("part", done.clone());
        say(KIND, &event, out);
        if let Some(Item::Message(parts)) = &mut self.item {
            parts.push(done.into());
        }
        if let Some(state) = words.state {
            self.bear(&state, Owner::Before, out);
        }
    }
}

impl Said {
    fn part(self, text: &str, annotations: Vec<Json>) -> Object {
        match self {
            Self::Text => items::text_part("output_text", text)
                .with("annotations", annotations)
                .with("logprobs", Vec::<Json>::new()),
            Self::Refusal => Object::of_type("refusal").with("refusal", text.to_owned()),
        }
    }
}
