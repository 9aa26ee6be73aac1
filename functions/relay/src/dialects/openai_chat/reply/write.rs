//! A plain answer for a caller of OpenAI's chat dialect.

use bytes::Bytes;

use crate::dialects::Asked;
use crate::dialects::json::{Json, Object};
use crate::dialects::neutral::{Block, Kind, Reply};
use crate::dialects::openai::usage;
use crate::dialects::openai_chat::answer::{self, Form, Head};
use crate::dialects::openai_chat::{media, thought, wire};

/// An answer.
pub(in crate::dialects::openai_chat) fn write(reply: &Reply, asked: &Asked<'_>) -> Bytes {
    let form = Form::of(&asked.wanted.body);
    let mut message = Message::default();
    for (at, block) in reply.blocks.iter().enumerate() {
        let from = message.length;
        message.add(block, &form);
        let cited = reply.citations.iter().filter(|(block, _)| *block == at);
        for (_, citation) in cited {
            let span = citation
                .span
                .map_or((from, message.length), |(start, end)| {
                    (from.saturating_add(start), from.saturating_add(end))
                });
            let annotation = wire::write_annotation(citation.clone(), span);
            message.annotations.extend(annotation);
        }
    }
    let mut word = wire::finish_word(reply.finish.reason);
    if form.legacy && word == "tool_calls" {
        word = "function_call";
    }
    let choice = Object::new()
        .with("index", 0)
        .with("message", message.object())
        .with("logprobs", Json::Null)
        .with("finish_reason", word);
    let body = Head::new(asked)
        .object("chat.completion")
        .with("choices", vec![choice])
        .maybe("usage", reply.tokens.as_ref().map(usage::write));
    body.to_bytes()
}

/// The message of an answer.
#[derive(Debug, Default)]
struct Message {
    text: Option<String>,
    /// How many characters the text has.
    length: u64,
    thought: Option<String>,
    details: Vec<Object>,
    refusal: Option<String>,
    annotations: Vec<Object>,
    function: Option<Object>,
    calls: Vec<Object>,
    images: Vec<Object>,
    audio: Option<Object>,
    state: Option<Object>,
}

impl Message {
    fn add(&mut self, block: &Block, form: &Form) {
        match &block.kind {
            Kind::Text(text) => {
                self.length = self.length.saturating_add(text.chars().count() as u64);
                append(&mut self.text, text);
                self.state = block
                    .opaque
                    .as_ref()
                    .map(wire::write_signature)
                    .or(self.state.take());
            }
            Kind::Reasoning(text) => {
                append(&mut self.thought, text);
                self.add_state(block, Some(text.chars().count() as u64));
            }
            Kind::Redacted => self.add_state(block, None),
            Kind::Refusal(text) => append(&mut self.refusal, text),
            Kind::ToolUse(call) if form.legacy && self.function.is_none() => {
                self.function = Some(answer::function(call));
            }
            Kind::ToolUse(call) => {
                let state = block.opaque.as_ref().map(wire::write_signature);
                self.calls
                    .push(form.call(call).maybe("extra_content", state));
            }
            _ => match media::write_made(block) {
                Some(("images", image)) => self.images.push(image),
                Some((_, audio)) => self.audio = Some(audio),
                None => {}
            },
        }
    }

    fn add_state(&mut self, block: &Block, length: Option<u64>) {
        if let Some(state) = &block.opaque {
            let index = self.details.len() as u64;
            self.details
                .push(thought::write_state(state, index, length));
        }
    }

    fn object(self) -> Object {
        let some = |list: Vec<Object>| (!list.is_empty()).then_some(list);
        let nothing = self.calls.is_empty()
            && self.function.is_none()
            && self.refusal.is_none()
            && self.audio.is_none();
        let empty = || nothing.then(String::new);
        let content = self.text.filter(|text| nothing || !text.is_empty());
        let null_or = |text: Option<String>| text.map_or(Json::Null, Json::from);
        Object::new()
            .with("role", "assistant")
            .with("content", null_or(content.or_else(empty)))
            .with("refusal", null_or(self.refusal))
            .with("annotations", self.annotations)
            .maybe(
                "reasoning_content",
                self.thought.filter(|text| !text.is_empty()),
            )
            .maybe("reasoning_details", some(self.details))
            .maybe("function_call", self.function)
            .maybe("tool_calls", some(self.calls))
            .maybe("images", some(self.images))
            .maybe("audio", self.audio)
            .maybe("extra_content", self.state)
    }
}

fn append(text: &mut Option<String>, more: &str) {
    text.get_or_insert_default().push_str(more);
}
