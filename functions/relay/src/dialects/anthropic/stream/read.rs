//! Understanding a provider's stream.

use serde_json::value::RawValue;
use shared::domain::dialect::Dialect;

use crate::dialects::UpstreamError;
use crate::dialects::anthropic::failure;
use crate::dialects::anthropic::reply::read::block;
use crate::dialects::anthropic::wire::{self, Counts};
use crate::dialects::convert::Reader;
use crate::dialects::json::{Fields, Halves, Json, Object, Raw};
use crate::dialects::neutral::order::Queue;
use crate::dialects::neutral::{Block, Event, Finish, Kind, Opaque, Opening, Origin};
use crate::dialects::sse;

/// The state of one stream.
#[derive(Debug, Default)]
pub(in crate::dialects::anthropic) struct StreamReader {
    started: bool,
    id: Option<String>,
    queue: Queue<u64>,
    open: Vec<OpenBlock>,
    usage: Option<Counts>,
    finished: bool,
    ended: bool,
}

/// A block that has begun.
#[derive(Debug)]
struct OpenBlock {
    index: u64,
    halves: Halves,
    content: Content,
}

#[derive(Debug)]
enum Content {
    /// A text or a thought: it goes on as it comes.
    Streamed,
    /// A call, with what to say if nothing comes.
    Call {
        /// The input with which it began.
        input: String,
        /// Whether something came.
        filled: bool,
    },
    /// A block that only this dialect knows: it goes on when it is complete.
    Collected {
        /// How it began.
        raw: Raw,
        /// Its input, as it comes in pieces.
        input: String,
        /// Other members that came later.
        members: Vec<(String, Raw)>,
    },
}

impl Reader for StreamReader {
    fn event(&mut self, event: &[u8], out: &mut Vec<Event>) -> Result<(), UpstreamError> {
        if self.ended {
            return Ok(());
        }
        let Some(data) = sse::data(event) else {
            return Ok(());
        };
        // What is no JSON is a mark of other dialects (`[DONE]`).
        let parsed = serde_json::from_slice::<&RawValue>(&data).ok();
        let named = sse::name(event).and_then(|name| std::str::from_utf8(name).ok());
        let Some(mut fields) = parsed.and_then(Fields::of) else {
            return match named {
                Some("error") => Err(failure::read_event(&data)),
                _ => Ok(()),
            };
        };
        let kind = fields.text("type");
        match kind.as_deref().or(named).unwrap_or_default() {
            "message_start" => self.message_start(fields, out),
            "content_block_start" => {
                self.block_start(fields, out);
                Ok(())
            }
            "content_block_delta" => {
                self.block_delta(fields, out);
                Ok(())
            }
            "content_block_stop" => {
                let index = self.index(&mut fields);
                self.block_stop(index, out);
                Ok(())
            }
            "message_delta" => {
                self.message_delta(fields, out);
                Ok(())
            }
            "message_stop" => {
                self.message_stop(out);
                Ok(())
            }
            "error" => Err(failure::read_event(&data)),
            "" if fields.take("error").is_some() => Err(failure::read_event(&data)),
            _ => Ok(()),
        }
    }

    fn end(&mut self, out: &mut Vec<Event>) {
        if self.finished && !self.ended {
            self.ended = true;
            out.push(Event::End);
        }
    }
}

impl StreamReader {
    fn message_start(
        &mut self,
        mut fields: Fields<'_>,
        out: &mut Vec<Event>,
    ) -> Result<(), UpstreamError> {
        if self.finished {
            self.end(out);
            return Ok(());
        }
        let Some(mut message) = fields.object("message") else {
            return Ok(());
        };
        let id = message.text("id");
        if self.started {
            // The same one again is a proxy's mistake; another one would mix two answers.
            if id.is_none() || id == self.id {
                return Ok(());
            }
            return Err(UpstreamError {
                code: "api_error".to_owned(),
                status: 502,
                message: "The provider began a second answer within the first.".to_owned(),
                retry_after_s: None,
            });
        }
        self.id.clone_from(&id);
        self.start(id, message.text("model"), out);
        self.add_usage(&mut message, out);
        Ok(())
    }

    fn start(&mut self, id: Option<String>, model: Option<String>, out: &mut Vec<Event>) {
        if !self.started {
            self.started = true;
            out.push(Event::Start { id, model });
        }
    }

    /// Usage comes in parts, each of which replaces what it says again.
    fn add_usage(&mut self, teller: &mut Fields<'_>, out: &mut Vec<Event>) {
        if let Some(later) = teller.take("usage").and_then(Counts::read) {
            let later = later.within(wire::container(teller));
            let usage = self.usage.unwrap_or_default().then(later);
            self.usage = Some(usage);
            out.push(Event::Usage(usage.tokens()));
        }
    }

    /// The index of a block. Without one it is the block that began last.
    fn index(&self, fields: &mut Fields<'_>) -> u64 {
        let last = || self.open.last().map_or(0, |open| open.index);
        fields.count("index").unwrap_or_else(last)
    }

    fn block_start(&mut self, mut fields: Fields<'_>, out: &mut Vec<Event>) {
        if self.finished {
            return;
        }
        self.start(None, None, out);
        let index = match fields.count("index") {
            Some(index) => index,
            None => self.open.last().map_or(0, |open| open.index + 1),
        };
        self.block_stop(index, out);
        let Some(raw) = fields.take("content_block") else {
            return;
        };
        let Some((block, citations)) = block(raw) else {
            return;
        };
        let content = match (&block.kind, Opening::of(&block)) {
            (Kind::ToolUse(call), Some((opening, _))) => {
                self.queue.open(index, opening, out);
                Content::Call {
                    input: call.arguments.clone(),
                    filled: false,
                }
            }
            (_, Some((opening, text))) => {
                self.queue.open(index, opening, out);
                self.queue.delta(&index, text, out);
                for citation in citations {
                    self.queue.push(&index, Event::Citation(citation), out);
                }
                if let Some(opaque) = block.opaque {
                    self.queue.opaque(&index, opaque, out);
                }
                Content::Streamed
            }
            (Kind::Foreign(_, raw), None) => Content::Collected {
                raw: raw.clone(),
                input: String::new(),
                members: Vec::new(),
            },
            (_, None) => {
                self.queue.whole(block, out);
                return;
            }
        };
        self.open.push(OpenBlock {
            index,
            halves: Halves::default(),
            content,
        });
    }

    fn block_delta(&mut self, mut fields: Fields<'_>, out: &mut Vec<Event>) {
        if self.finished {
            return;
        }
        let index = self.index(&mut fields);
        let Some(mut delta) = fields.object("delta") else {
            return;
        };
        let kind = delta.text("type").unwrap_or_default();
        let known = |open: &OpenBlock| open.index == index;
        if !self.open.iter().any(known) && !self.open_unsaid(index, &kind, out) {
            return;
        }
        let Some(open) = self.open.iter_mut().find(|open| open.index == index) else {
            return;
        };
        let (halves, queue) = (&mut open.halves, &mut self.queue);
        let mut text = |delta: &mut Fields<'_>, name: &str| {
            let value = delta.take(name);
            value
                .and_then(|value| halves.text(value))
                .unwrap_or_default()
        };
        match (kind.as_str(), &mut open.content) {
            ("text_delta", Content::Streamed) => queue.delta(&index, text(&mut delta, "text"), out),
            ("thinking_delta", Content::Streamed) => {
                queue.delta(&index, text(&mut delta, "thinking"), out);
            }
            ("signature_delta", Content::Streamed) => {
                let signature = text(&mut delta, "signature");
                if !signature.is_empty() {
                    let opaque = Opaque::new(Origin::Anthropic, signature);
                    queue.opaque(&index, opaque, out);
                }
            }
            ("citations_delta", Content::Streamed) => {
                let citation = delta.take("citation").and_then(wire::read_citation);
                if let Some(citation) = citation {
                    queue.push(&index, Event::Citation(citation), out);
                }
            }
            ("input_json_delta", Content::Call { filled, .. }) => {
                let piece = text(&mut delta, "partial_json");
                *filled |= !piece.is_empty();
                queue.delta(&index, piece, out);
            }
            ("input_json_delta", Content::Collected { input, .. }) => {
                input.push_str(&text(&mut delta, "partial_json"));
            }
            (_, Content::Collected { members, .. }) => {
                let rest = delta.rest();
                members.extend(rest.map(|(name, value)| (name, value.to_owned())));
            }
            _ => {}
        }
    }

    /// Opens a block of whose beginning nothing was said, by what comes of it.
    fn open_unsaid(&mut self, index: u64, kind: &str, out: &mut Vec<Event>) -> bool {
        let opening = match kind {
            "text_delta" => Opening::Text,
            "thinking_delta" => Opening::Reasoning,
            _ => return false,
        };
        self.start(None, None, out);
        self.queue.open(index, opening, out);
        self.open.push(OpenBlock {
            index,
            halves: Halves::default(),
            content: Content::Streamed,
        });
        true
    }

    fn block_stop(&mut self, index: u64, out: &mut Vec<Event>) {
        let Some(at) = self.open.iter().position(|open| open.index == index) else {
            return;
        };
        match self.open.remove(at).content {
            Content::Streamed => {}
            Content::Call { input, filled } => {
                if !filled {
                    self.queue.delta(&index, input, out);
                }
            }
            Content::Collected {
                raw,
                input,
                members,
            } => {
                let raw = collected(raw, &input, members);
                let foreign = Block::new(Kind::Foreign(Dialect::Anthropic, raw));
                self.queue.whole(foreign, out);
                return;
            }
        }
        self.queue.close(&index, out);
    }

    /// Closes what some servers forget to close.
    fn stop_all(&mut self, out: &mut Vec<Event>) {
        while let Some(first) = self.open.first() {
            self.block_stop(first.index, out);
        }
    }

    fn message_delta(&mut self, mut fields: Fields<'_>, out: &mut Vec<Event>) {
        self.start(None, None, out);
        let delta = fields.clone().object("delta");
        let finish = delta.and_then(|mut delta| wire::read_finish(&mut delta));
        if finish.is_some() {
            self.stop_all(out);
        }
        self.add_usage(&mut fields, out);
        if let Some(finish) = finish.filter(|_| !self.finished) {
            self.finished = true;
            out.push(Event::Finish(finish));
        }
    }

    fn message_stop(&mut self, out: &mut Vec<Event>) {
        if !self.started {
            return;
        }
        self.stop_all(out);
        if !self.finished {
            // Its end is said, only the reason is not.
            self.finished = true;
            out.push(Event::Finish(Finish::default()));
        }
        self.end(out);
    }
}

/// A block with what came after its beginning.
fn collected(raw: Raw, input: &str, members: Vec<(String, Raw)>) -> Raw {
    let input: Option<Raw> = serde_json::from_str(input).ok();
    if input.is_none() && members.is_empty() {
        return raw;
    }
    let Some(fields) = Fields::of(&raw) else {
        return raw;
    };
    let mut all: Vec<(String, Raw)> = fields
        .rest()
        .map(|(name, value)| (name, value.to_owned()))
        .collect();
    let later = members
        .into_iter()
        .chain(input.map(|input| ("input".to_owned(), input)));
    for (name, value) in later {
        match all.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = joined(known, value),
            None => all.push((name, value)),
        }
    }
    let object = all
        .into_iter()
        .fold(Object::new(), |object, (name, value)| {
            object.with(name, value)
        });
    object.to_raw()
}

/// A text goes on where it ended; everything else is replaced.
fn joined(before: &Raw, after: Raw) -> Raw {
    let text = |raw: &Raw| crate::dialects::json::text(raw);
    match (text(before), text(&after)) {
        (Some(before), Some(after)) => Json::from(before + &after).to_raw(),
        _ => after,
    }
}
