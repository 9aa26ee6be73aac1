//! A streamed answer for a caller of OpenAI's chat dialect.

use bytes::{BufMut, BytesMut};
use shared::domain::usage::Usage;

use crate::dialects::json::{Json, Object};
use crate::dialects::neutral::reply::Citation;
use crate::dialects::neutral::{Block, Event, Finish, Kind, Opaque, Opening};
use crate::dialects::openai::usage;
use crate::dialects::openai_chat::answer::{self, Form, Head};
use crate::dialects::openai_chat::{media, thought, wire};
use crate::dialects::{Asked, convert};

/// Speaks in chunks.
#[derive(Debug)]
pub(in crate::dialects::openai_chat) struct Writer {
    head: Head,
    form: Form,
    usage_wanted: bool,
    open: Open,
    /// How many calls, states of thoughts, and pictures there have been.
    calls: u64,
    functions: u64,
    states: u64,
    /// How many characters of text there have been.
    length: u64,
    tokens: Option<Usage>,
}

/// The block that is open.
#[derive(Debug, Default)]
enum Open {
    #[default]
    None,
    Text {
        /// Where in the message's text it begins.
        from: u64,
        /// What it cites: told at its end, when all of it is known.
        citations: Vec<Citation>,
    },
    /// A thought of so many characters.
    Thought(u64),
    Refusal,
    Call {
        index: u64,
        /// Whether any arguments have come.
        begun: bool,
    },
    /// A call of a custom tool: its text is known at its end.
    Custom {
        index: u64,
        arguments: String,
    },
    /// A `function_call`, from before there were tools.
    Function {
        begun: bool,
    },
}

impl Writer {
    pub(in crate::dialects::openai_chat) fn new(asked: &Asked<'_>) -> Self {
        Self {
            head: Head::new(asked),
            form: Form::of(&asked.wanted.body),
            usage_wanted: asked.wanted.usage_wanted,
            open: Open::None,
            calls: 0,
            functions: 0,
            states: 0,
            length: 0,
            tokens: None,
        }
    }

    fn chunk(&self, choices: Vec<Object>, usage: Option<Object>, out: &mut BytesMut) {
        let mut chunk = self
            .head
            .object("chat.completion.chunk")
            .with("choices", choices);
        if self.usage_wanted {
            chunk.put("usage", usage.map_or(Json::Null, Json::Object));
        }
        out.put_slice(b"data: ");
        out.put_slice(&chunk.to_bytes());
        out.put_slice(b"\n\n");
    }

    fn choice(&self, delta: Object, reason: Option<&'static str>, out: &mut BytesMut) {
        let choice = Object::new()
            .with("index", 0)
            .with("delta", delta)
            .with("logprobs", Json::Null)
            .with("finish_reason", reason.map_or(Json::Null, Json::word));
        self.chunk(vec![choice], None, out);
    }

    fn delta(&self, name: &'static str, value: impl Into<Json>, out: &mut BytesMut) {
        self.choice(Object::new().with(name, value), None, out);
    }

    fn call(&self, call: Object, out: &mut BytesMut) {
        self.delta("tool_calls", vec![call], out);
    }

    fn open(&mut self, opening: Opening, out: &mut BytesMut) {
        self.open = match opening {
            Opening::Text => Open::Text {
                from: self.length,
                citations: Vec::new(),
            },
            Opening::Reasoning => Open::Thought(0),
            Opening::Refusal => Open::Refusal,
            Opening::ToolUse { id, name } => self.open_call(id, name, out),
        };
    }

    fn open_call(&mut self, id: String, name: String, out: &mut BytesMut) -> Open {
        if self.form.legacy && self.functions == 0 {
            self.functions = 1;
            let function = Object::new().with("name", name).with("arguments", "");
            self.delta("function_call", function, out);
            return Open::Function { begun: false };
        }
        let index = self.calls;
        self.calls += 1;
        let call = Object::new().with("index", index).with("id", id);
        if self.form.is_custom(&name) {
            let custom = Object::new().with("name", name).with("input", "");
            self.call(call.with("type", "custom").with("custom", custom), out);
            return Open::Custom {
                index,
                arguments: String::new(),
            };
        }
        let function = Object::new().with("name", name).with("arguments", "");
        self.call(
            call.with("type", "function").with("function", function),
            out,
        );
        Open::Call {
            index,
            begun: false,
        }
    }

    fn say(&mut self, text: String, out: &mut BytesMut) {
        match &mut self.open {
            Open::None => {}
            Open::Text { .. } => {
                self.length = self.length.saturating_add(text.chars().count() as u64);
                self.delta("content", text, out);
            }
            Open::Thought(length) => {
                *length = length.saturating_add(text.chars().count() as u64);
                self.delta("reasoning_content", text, out);
            }
            Open::Refusal => self.delta("refusal", text, out),
            Open::Call { index, begun } => {
                *begun |= !text.trim().is_empty();
                let call = Object::new().with("index", *index);
                self.call(call.with("function", arguments(text)), out);
            }
            Open::Custom { arguments, .. } => arguments.push_str(&text),
            Open::Function { begun } => {
                *begun |= !text.trim().is_empty();
                self.delta("function_call", arguments(text), out);
            }
        }
    }

    fn state(&mut self, state: &Opaque, out: &mut BytesMut) {
        match &self.open {
            Open::Thought(length) => self.detail(state, Some(*length), out),
            Open::Call { index, .. } | Open::Custom { index, .. } => {
                let call = Object::new().with("index", *index);
                let state = wire::write_signature(state);
                self.call(call.with("extra_content", state), out);
            }
            Open::Text { .. } => {
                self.delta("extra_content", wire::write_signature(state), out);
            }
            Open::None | Open::Refusal | Open::Function { .. } => {}
        }
    }

    fn detail(&mut self, state: &Opaque, length: Option<u64>, out: &mut BytesMut) {
        let detail = thought::write_state(state, self.states, length);
        self.states += 1;
        self.delta("reasoning_details", vec![detail], out);
    }

    fn close(&mut self, out: &mut BytesMut) {
        match std::mem::take(&mut self.open) {
            Open::Text { from, citations } => {
                let whole = (from, self.length);
                let annotations = citations.into_iter().filter_map(|citation| {
                    let span = citation.span.map_or(whole, |(start, end)| {
                        (from.saturating_add(start), from.saturating_add(end))
                    });
                    wire::write_annotation(citation, span)
                });
                let annotations: Vec<Object> = annotations.collect();
                if !annotations.is_empty() {
                    self.delta("annotations", annotations, out);
                }
            }
            // A call without arguments has an empty object.
            Open::Call {
                index,
                begun: false,
            } => {
                let call = Object::new().with("index", index);
                self.call(call.with("function", arguments("{}".to_owned())), out);
            }
            Open::Function { begun: false } => {
                self.delta("function_call", arguments("{}".to_owned()), out);
            }
            Open::Custom { index, arguments } => {
                let custom = Object::new().with("input", answer::custom_input(&arguments));
                let call = Object::new().with("index", index);
                self.call(call.with("custom", custom), out);
            }
            Open::None
            | Open::Thought(_)
            | Open::Refusal
            | Open::Call { .. }
            | Open::Function { .. } => {}
        }
    }

    fn whole(&mut self, block: &Block, out: &mut BytesMut) {
        if let Some((opening, text)) = Opening::of(block) {
            self.open(opening, out);
            if !text.is_empty() {
                self.say(text, out);
            }
            if let Some(state) = &block.opaque {
                self.state(state, out);
            }
            self.close(out);
            return;
        }
        if let (Kind::Redacted, Some(state)) = (&block.kind, &block.opaque) {
            self.detail(state, None, out);
        }
        match media::write_made(block) {
            Some(("images", image)) => self.delta("images", vec![image], out),
            Some((name, made)) => self.delta(name, made, out),
            None => {}
        }
    }

    fn finish(&self, finish: &Finish, out: &mut BytesMut) {
        let mut word = wire::finish_word(finish.reason);
        if self.form.legacy && word == "tool_calls" {
            word = "function_call";
        }
        self.choice(Object::new(), Some(word), out);
    }
}

impl convert::Writer for Writer {
    fn write(&mut self, event: Event, out: &mut BytesMut) {
        match event {
            Event::Start { .. } => {
                let delta = Object::new()
                    .with("role", "assistant")
                    .with("content", "")
                    .with("refusal", Json::Null);
                self.choice(delta, None, out);
            }
            Event::Open(opening) => self.open(opening, out),
            Event::Delta(text) => self.say(text, out),
            Event::Citation(citation) => {
                if let Open::Text { citations, .. } = &mut self.open {
                    citations.push(citation);
                }
            }
            Event::Opaque(state) => self.state(&state, out),
            Event::Close => self.close(out),
            Event::Whole(block) => self.whole(&block, out),
            Event::Usage(tokens) => self.tokens = Some(tokens),
            Event::Finish(finish) => self.finish(&finish, out),
            Event::End => {
                if let Some(tokens) = self.tokens.filter(|_| self.usage_wanted) {
                    self.chunk(Vec::new(), Some(usage::write(&tokens)), out);
                }
                out.put_slice(b"data: [DONE]\n\n");
            }
        }
    }
}

fn arguments(text: String) -> Object {
    Object::new().with("arguments", text)
}
