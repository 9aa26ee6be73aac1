//! Speaking to a caller: one block after the other, each opened, filled and closed.

use bytes::BytesMut;
use shared::domain::id::RequestId;
use shared::domain::usage::Usage;

use crate::dialects::anthropic::reply::write::{call_id, head, is_carrier, whole};
use crate::dialects::anthropic::wire::{self, Refused};
use crate::dialects::convert::Writer;
use crate::dialects::json::{Fields, Json, Object};
use crate::dialects::neutral::{Block, Event, Finish, Opaque, Opening, Origin};
use crate::dialects::sse;
use crate::dialects::{Asked, Wanted};

/// The state of one stream.
#[derive(Debug)]
pub(in crate::dialects::anthropic) struct StreamWriter {
    wanted: Wanted,
    id: RequestId,
    at_s: u64,
    /// Where the message stands that has not been begun yet: usage may be told right after it.
    pending: Option<Pending>,
    index: usize,
    open: Open,
    /// State of the open text, which only a block of its own can carry.
    carried: Option<Opaque>,
    refused: Refused,
    finish: Finish,
    tokens: Option<Usage>,
}

/// A message that has not been begun yet.
#[derive(Debug)]
struct Pending {
    id: Option<String>,
    model: Option<String>,
}

/// What is open.
#[derive(Debug)]
enum Open {
    Nothing,
    Text,
    Thought,
    /// A call that is not said yet, and the first of its arguments: its state, if it comes with it,
    /// must stand before it.
    Held {
        id: String,
        name: String,
        first: Option<String>,
    },
    Call,
}

impl StreamWriter {
    pub(in crate::dialects::anthropic) fn new(asked: &Asked<'_>) -> Self {
        Self {
            wanted: asked.wanted.clone(),
            id: asked.id,
            at_s: asked.at_s,
            pending: None,
            index: 0,
            open: Open::Nothing,
            carried: None,
            refused: Refused::default(),
            finish: Finish::default(),
            tokens: None,
        }
    }

    fn asked(&self) -> Asked<'_> {
        Asked {
            wanted: &self.wanted,
            id: self.id,
            at_s: self.at_s,
        }
    }

    fn begin(&mut self, out: &mut BytesMut) {
        let Some(Pending { id, model }) = self.pending.take() else {
            return;
        };
        let message = head(id.as_deref(), model.as_deref(), &self.asked())
            .with("content", Json::Array(Vec::new()))
            .with("stop_reason", Json::Null)
            .with("stop_sequence", Json::Null)
            .with("usage", wire::usage(self.tokens));
        say("message_start", |event| event.with("message", message), out);
    }

    fn start_block(&self, block: Object, out: &mut BytesMut) {
        let index = self.index as u64;
        let event = |event: Object| event.with("index", index).with("content_block", block);
        say("content_block_start", event, out);
    }

    fn delta(&self, delta: Object, out: &mut BytesMut) {
        let index = self.index as u64;
        let event = |event: Object| event.with("index", index).with("delta", delta);
        say("content_block_delta", event, out);
    }

    fn stop_block(&mut self, out: &mut BytesMut) {
        let index = self.index as u64;
        say(
            "content_block_stop",
            |event| event.with("index", index),
            out,
        );
        self.index += 1;
    }

    /// An empty thought that carries a state: begun and filled as clients expect thoughts.
    fn carry(&mut self, opaque: &Opaque, out: &mut BytesMut) {
        self.start_block(thought(), out);
        self.delta(signature(opaque), out);
        self.stop_block(out);
    }

    fn open(&mut self, opening: Opening, out: &mut BytesMut) {
        self.open = match opening {
            Opening::Text | Opening::Refusal => {
                self.refused.0 |= opening == Opening::Refusal;
                self.start_block(Object::of_type("text").with("text", ""), out);
                Open::Text
            }
            Opening::Reasoning => {
                self.start_block(thought(), out);
                Open::Thought
            }
            Opening::ToolUse { id, name } => Open::Held {
                id,
                name,
                first: None,
            },
        };
    }

    /// Says a call that was held back.
    fn release(&mut self, out: &mut BytesMut) {
        if !matches!(self.open, Open::Held { .. }) {
            return;
        }
        let Open::Held { id, name, first } = std::mem::replace(&mut self.open, Open::Call) else {
            return;
        };
        let id = Some(id).filter(|id| !id.is_empty());
        let call = Object::of_type("tool_use")
            .with(
                "id",
                id.unwrap_or_else(|| call_id(&self.asked(), self.index)),
            )
            .with("name", name)
            .with("input", Object::new());
        self.start_block(call, out);
        if let Some(first) = first {
            self.arguments(first, out);
        }
    }

    fn arguments(&self, piece: String, out: &mut BytesMut) {
        let delta = Object::of_type("input_json_delta").with("partial_json", piece);
        self.delta(delta, out);
    }

    fn text(&mut self, text: String, out: &mut BytesMut) {
        match &mut self.open {
            Open::Text => self.delta(Object::of_type("text_delta").with("text", text), out),
            Open::Thought => {
                let delta = Object::of_type("thinking_delta").with("thinking", text);
                self.delta(delta, out);
            }
            Open::Held { first, .. } if first.is_none() => *first = Some(text),
            Open::Held { .. } => {
                self.release(out);
                self.arguments(text, out);
            }
            Open::Call => self.arguments(text, out),
            Open::Nothing => {}
        }
    }

    fn opaque(&mut self, opaque: Opaque, out: &mut BytesMut) {
        match &self.open {
            Open::Thought => self.delta(signature(&opaque), out),
            Open::Held { .. } => {
                self.carry(&opaque, out);
                self.release(out);
            }
            Open::Text | Open::Call => self.carried = Some(opaque),
            Open::Nothing => {}
        }
    }

    fn close(&mut self, out: &mut BytesMut) {
        if let Open::Held { first, .. } = &mut self.open {
            // Nothing is an empty object, as it stands in the beginning of the block.
            let nothing = |text: &mut String| matches!(text.trim(), "" | "null");
            first.take_if(nothing);
        }
        self.release(out);
        if !matches!(self.open, Open::Nothing) {
            self.stop_block(out);
        }
        self.open = Open::Nothing;
        if let Some(opaque) = self.carried.take() {
            self.carry(&opaque, out);
        }
    }

    fn block(&mut self, block: &Block, out: &mut BytesMut) {
        if let (true, Some(opaque)) = (is_carrier(block), &block.opaque) {
            self.carry(opaque, out);
        } else if let Some((opening, text)) = Opening::of(block) {
            self.open(opening, out);
            if !text.is_empty() {
                self.text(text, out);
            }
            if let Some(opaque) = block.opaque.clone() {
                self.opaque(opaque, out);
            }
            self.close(out);
        } else if let Some(object) = whole(block, Vec::new(), "") {
            let (beginning, delta) = apart(object);
            self.start_block(beginning, out);
            if let Some(delta) = delta {
                self.delta(delta, out);
            }
            self.stop_block(out);
        }
    }

    fn end(&mut self, out: &mut BytesMut) {
        let stopped = self.finish.stop_sequence.take();
        let delta = Object::new()
            .with("stop_reason", wire::stop_reason(&self.finish, self.refused))
            .with("stop_sequence", stopped.map_or(Json::Null, Json::from));
        let usage = wire::usage(self.tokens);
        let event = |event: Object| event.with("delta", delta).with("usage", usage);
        say("message_delta", event, out);
        say("message_stop", |event| event, out);
    }
}

impl Writer for StreamWriter {
    fn write(&mut self, event: Event, out: &mut BytesMut) {
        if let Event::Usage(tokens) = event {
            self.tokens = Some(tokens);
            return;
        }
        self.begin(out);
        match event {
            Event::Start { id, model } => self.pending = Some(Pending { id, model }),
            Event::Open(opening) => self.open(opening, out),
            Event::Delta(text) => self.text(text, out),
            Event::Citation(citation) => {
                if matches!(self.open, Open::Text) {
                    let delta = Object::of_type("citations_delta");
                    self.delta(delta.with("citation", wire::citation(&citation)), out);
                }
            }
            Event::Opaque(opaque) => self.opaque(opaque, out),
            Event::Close => self.close(out),
            Event::Whole(block) => self.block(&block, out),
            Event::Finish(finish) => self.finish = finish,
            Event::Usage(_) => {}
            Event::End => self.end(out),
        }
    }

    fn pause(&mut self, out: &mut BytesMut) {
        self.begin(out);
        self.release(out);
    }
}

/// How a block of the provider's own begins, and what comes of it: clients expect the input of a
/// call and the text of a compaction in pieces, even if it is one.
fn apart(block: Object) -> (Object, Option<Object>) {
    let raw = block.to_raw();
    let mut fields = Fields::of(&raw).unwrap_or_default();
    let kind = fields.text("type").unwrap_or_default();
    let (mut beginning, mut delta) = match kind.as_str() {
        "compaction" => (
            Object::of_type("compaction"),
            Object::of_type("compaction_delta"),
        ),
        kind if kind.ends_with("_tool_use") => (
            Object::new().with("type", kind.to_owned()),
            Object::of_type("input_json_delta"),
        ),
        _ => return (block, None),
    };
    for (name, value) in fields.rest() {
        if kind == "compaction" {
            beginning.put(name.clone(), Json::Null);
            delta.put(name, value.to_owned());
        } else if name == "input" {
            beginning.put(name, Object::new());
            delta.put("partial_json", value.get().to_owned());
        } else {
            beginning.put(name, value.to_owned());
        }
    }
    (beginning, Some(delta))
}

fn thought() -> Object {
    Object::of_type("thinking")
        .with("thinking", "")
        .with("signature", "")
}

fn signature(opaque: &Opaque) -> Object {
    Object::of_type("signature_delta").with("signature", opaque.seal(Origin::Anthropic))
}

/// An event, named by its type.
fn say(kind: &'static str, filled: impl FnOnce(Object) -> Object, out: &mut BytesMut) {
    let event = filled(Object::of_type(kind));
    out.extend_from_slice(&sse::write(Some(kind), &event.to_bytes()));
}
