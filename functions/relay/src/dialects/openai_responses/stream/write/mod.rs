//! Speaks OpenAI's Responses to a caller: numbered events, items opened, filled and closed, and the
//! whole response at the end. <https://platform.openai.com/docs/api-reference/responses-streaming>
//!
//! An item is said to be done when the next begins or the answer ends, for only then it is known
//! whether it is whole. Neighbouring texts are parts of one message.

mod thoughts;
mod whole;
mod words;

use std::collections::BTreeSet;

use bytes::{Bytes, BytesMut};
use shared::domain::id::RequestId;
use shared::domain::usage::Usage;
use shared::failure::Failure;

use crate::dialects::convert::Writer;
use crate::dialects::json::{Fields, Json, Object, Raw, array};
use crate::dialects::neutral::request::ToolUse;
use crate::dialects::neutral::{Event, Opaque, Opening, Reason};
use crate::dialects::openai_responses::items::Called;
use crate::dialects::openai_responses::reply::write::{Frame, State, failed_event};
use crate::dialects::openai_responses::wire::{Refused, write_finish};
use crate::dialects::openai_responses::{failure, items, state};
use crate::dialects::{Asked, sse};
use state::Owner;
use words::{Said, Words};

#[derive(Debug)]
pub(in crate::dialects) struct Speaker {
    id: RequestId,
    frame: Frame,
    /// The caller's tools that take any text.
    custom: BTreeSet<String>,
    /// The number of the next event.
    number: u64,
    begun: bool,
    /// The items that are done.
    items: Vec<Raw>,
    /// The item that is not.
    item: Option<Item>,
    /// The text that is being said.
    words: Option<Words>,
    refused: Refused,
    reason: Reason,
    tokens: Option<Usage>,
}

#[derive(Debug)]
enum Item {
    Message(Vec<Json>),
    Thought { text: String, state: Option<String> },
    Call(Call),
}

#[derive(Debug)]
struct Call {
    tool: ToolUse,
    kind: Called,
    state: Option<Opaque>,
}

/// Whether an item is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whole {
    Yes,
    No,
}

impl Speaker {
    pub(in crate::dialects) fn new(asked: &Asked<'_>) -> Self {
        Self {
            id: asked.id,
            frame: Frame::of(asked),
            custom: custom_tools(&asked.wanted.body),
            number: 0,
            begun: false,
            items: Vec::new(),
            item: None,
            words: None,
            refused: Refused::Silently,
            reason: Reason::Stop,
            tokens: None,
        }
    }

    /// The response as it is when everything is said.
    pub(in crate::dialects) fn response(&self) -> Object {
        let incomplete = write_finish(self.reason, self.refused);
        self.frame.response(State {
            status: incomplete.map_or("completed", |_| "incomplete"),
            incomplete,
            output: &self.items,
            tokens: self.tokens,
            error: None,
        })
    }

    /// An event with its number.
    fn event(&mut self, kind: &'static str) -> Object {
        let event = Object::of_type(kind).with("sequence_number", self.number);
        self.number += 1;
        event
    }

    /// An event about the item that is not done.
    fn item_event(&mut self, kind: &'static str) -> Object {
        let (id, index) = (self.item_id(), self.index());
        self.event(kind)
            .with("item_id", id)
            .with("output_index", index)
    }

    /// The place of the item that is not done.
    fn index(&self) -> u64 {
        self.items.len() as u64
    }

    fn item_id(&self) -> String {
        let kind = match &self.item {
            Some(Item::Message(_)) => "msg",
            Some(Item::Call(call)) if call.kind == Called::Custom => "ctc",
            Some(Item::Call(_)) => "fc",
            Some(Item::Thought { .. }) | None => "rs",
        };
        self.new_id(kind)
    }

    fn new_id(&self, kind: &str) -> String {
        format!("{kind}_{}_{}", self.id, self.index())
    }

    fn begin(&mut self, out: &mut BytesMut) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        for kind in ["response.created", "response.in_progress"] {
            let response = self.frame.response(State {
                status: "in_progress",
                ..State::default()
            });
            let event = self.event(kind).with("response", response);
            say(kind, &event, out);
        }
    }

    fn open(&mut self, opening: Opening, out: &mut BytesMut) {
        let kind = match opening {
            Opening::Text => Said::Text,
            Opening::Refusal => Said::Refusal,
            Opening::Reasoning => {
                let (text, state) = (String::new(), None);
                return self.begin_item(Item::Thought { text, state }, out);
            }
            Opening::ToolUse { id, name } => {
                let kind = if self.custom.contains(&name) {
                    Called::Custom
                } else {
                    Called::Function
                };
                let arguments = String::new();
                let tool = ToolUse {
                    id,
                    name,
                    arguments,
                };
                let state = None;
                let call = Call { tool, kind, state };
                return self.begin_item(Item::Call(call), out);
            }
        };
        self.words = Some(Words {
            kind,
            text: String::new(),
            annotations: Vec::new(),
            state: None,
        });
    }

    fn begin_item(&mut self, item: Item, out: &mut BytesMut) {
        self.finish_item(Whole::Yes, out);
        let begun = match &item {
            Item::Message(_) => items::message(Vec::new(), "in_progress"),
            Item::Thought { .. } => items::reasoning("", None),
            Item::Call(call) => items::call(&call.tool, call.kind, Some("in_progress")),
        };
        self.item = Some(item);
        self.announce("response.output_item.added", begun, out);
    }

    /// Says that an item begins, or is done.
    fn announce(&mut self, kind: &'static str, item: Object, out: &mut BytesMut) -> Raw {
        let item = item.with("id", self.item_id()).to_raw();
        let index = self.index();
        let event = self
            .event(kind)
            .with("output_index", index)
            .with("item", &item);
        say(kind, &event, out);
        item
    }

    /// The item that was begun last is done.
    fn finish_item(&mut self, whole: Whole, out: &mut BytesMut) {
        let status = match whole {
            Whole::Yes => "completed",
            Whole::No => "incomplete",
        };
        let (item, state) = match &mut self.item {
            None => return,
            Some(Item::Message(parts)) => (items::message(std::mem::take(parts), status), None),
            Some(Item::Thought { text, state }) => (items::reasoning(text, state.take()), None),
            Some(Item::Call(call)) => {
                let item = items::call(&call.tool, call.kind, Some(status));
                (item, call.state.take())
            }
        };
        let item = self.announce("response.output_item.done", item, out);
        self.items.push(item);
        self.item = None;
        if let Some(state) = state {
            self.bear(&state, Owner::Before, out);
        }
    }

    fn delta(&mut self, more: &str, out: &mut BytesMut) {
        if more.is_empty() {
            return;
        }
        if self.words.is_some() {
            return self.speak(more, out);
        }
        match &mut self.item {
            Some(Item::Thought { text, .. }) => {
                let first = text.is_empty();
                text.push_str(more);
                self.think(more, first, out);
            }
            Some(Item::Call(call)) => {
                call.tool.arguments.push_str(more);
                if call.kind == Called::Function {
                    const KIND: &str = "response.function_call_arguments.delta";
                    let event = self.item_event(KIND).with("delta", more.to_owned());
                    say(KIND, &event, out);
                }
            }
            Some(Item::Message(_)) | None => {}
        }
    }

    fn opaque(&mut self, opaque: Opaque) {
        if let Some(words) = &mut self.words {
            words.state = Some(opaque);
            return;
        }
        match &mut self.item {
            Some(Item::Thought { state, .. }) => {
                *state = Some(state::write(&opaque, Owner::Thought));
            }
            Some(Item::Call(call)) => call.state = Some(opaque),
            Some(Item::Message(_)) | None => {}
        }
    }

    fn close(&mut self, out: &mut BytesMut) {
        if let Some(words) = self.words.take() {
            return self.close_words(words, out);
        }
        match &self.item {
            Some(Item::Thought { text, .. }) if !text.is_empty() => {
                let text = text.clone();
                self.close_thought(&text, out);
            }
            Some(Item::Call(call)) if call.kind == Called::Custom => {
                let input = items::input(&call.tool.arguments);
                const DELTA: &str = "response.custom_tool_call_input.delta";
                const DONE: &str = "response.custom_tool_call_input.done";
                if !input.is_empty() {
                    let event = self.item_event(DELTA).with("delta", input.clone());
                    say(DELTA, &event, out);
                }
                let event = self.item_event(DONE).with("input", input);
                say(DONE, &event, out);
            }
            Some(Item::Call(call)) => {
                if call.tool.arguments.trim().is_empty() {
                    self.delta("{}", out);
                }
                self.close_arguments(out);
            }
            _ => {}
        }
    }

    fn close_arguments(&mut self, out: &mut BytesMut) {
        if let Some(Item::Call(call)) = &self.item {
            let arguments = call.tool.arguments.clone();
            const KIND: &str = "response.function_call_arguments.done";
            let event = self.item_event(KIND).with("arguments", arguments);
            say(KIND, &event, out);
        }
    }

    fn end(&mut self, out: &mut BytesMut) {
        let kind = match write_finish(self.reason, self.refused) {
            None => "response.completed",
            Some(_) => "response.incomplete",
        };
        let response = self.response();
        let event = self.event(kind).with("response", response);
        say(kind, &event, out);
    }
}

impl Writer for Speaker {
    fn write(&mut self, event: Event, out: &mut BytesMut) {
        self.begin(out);
        match event {
            Event::Start { .. } => {}
            Event::Open(opening) => self.open(opening, out),
            Event::Delta(text) => self.delta(&text, out),
            Event::Citation(citation) => self.cite(&citation, out),
            Event::Opaque(opaque) => self.opaque(opaque),
            Event::Close => self.close(out),
            Event::Whole(block) => self.whole(*block, out),
            Event::Usage(tokens) => self.tokens = Some(tokens),
            Event::Finish(finish) => {
                self.reason = finish.reason;
                let whole = match write_finish(self.reason, self.refused) {
                    None => Whole::Yes,
                    Some(_) => Whole::No,
                };
                self.finish_item(whole, out);
            }
            Event::End => self.end(out),
        }
    }

    fn fail(&mut self, failure: &Failure, _: RequestId) -> Option<Bytes> {
        let mut out = BytesMut::new();
        self.begin(&mut out);
        let response = self.frame.response(State {
            status: "failed",
            error: Some(failure::detail(failure)),
            output: &self.items,
            tokens: self.tokens,
            incomplete: None,
        });
        out.extend_from_slice(&failed_event(self.number, response));
        Some(out.freeze())
    }
}

fn say(kind: &str, event: &Object, out: &mut BytesMut) {
    out.extend_from_slice(&sse::write(Some(kind), &event.to_bytes()));
}

/// The names of the tools of a request that take any text.
fn custom_tools(body: &[u8]) -> BTreeSet<String> {
    let body = std::str::from_utf8(body).unwrap_or_default();
    let mut request = Fields::parse(body).unwrap_or_default();
    let tools = request.take("tools").map(array).unwrap_or_default();
    let custom = tools.into_iter().filter_map(|tool| {
        let mut tool = Fields::of(tool)?;
        (tool.text("type")? == "custom")
            .then(|| tool.text("name"))
            .flatten()
    });
    custom.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialects::Wanted;
    use crate::dialects::neutral::reply::Citation;
    use crate::dialects::neutral::{Block, Finish, Kind, Origin, Reply};
    use crate::dialects::openai_responses::{express, reply};
    use serde_json::{Value, json};
    use shared::failure::Kind as FailureKind;

    fn wanted() -> Wanted {
        let body = json!({"model": "alias", "input": "x", "stream": true, "temperature": 0.5,
            "metadata": {"a": "b"}, "tools": [{"type": "custom", "name": "sh"}]});
        express::request::read(Bytes::from(body.to_string())).unwrap()
    }

    fn asked(wanted: &Wanted) -> Asked<'_> {
        Asked {
            wanted,
            id: RequestId::from_bits(1),
            at_s: 1_700_000_000,
        }
    }

    /// The events that are written, numbered without gaps.
    fn written(out: &[u8]) -> Vec<Value> {
        let text = std::str::from_utf8(out).unwrap();
        let blocks = text.split("\n\n").filter(|block| !block.is_empty());
        let events = blocks.enumerate().map(|(number, block)| {
            let data = sse::data(block.as_bytes()).unwrap();
            let event: Value = serde_json::from_slice(&data).unwrap();
            let name = sse::name(block.as_bytes()).unwrap();
            assert_eq!(event["type"].as_str().unwrap().as_bytes(), name);
            assert_eq!(event["sequence_number"], number);
            event
        });
        events.collect()
    }

    fn speak(events: Vec<Event>) -> Vec<Value> {
        let wanted = wanted();
        let (mut speaker, mut out) = (Speaker::new(&asked(&wanted)), BytesMut::new());
        for event in events {
            speaker.write(event, &mut out);
        }
        written(&out)
    }

    fn kinds(events: &[Value]) -> Vec<&str> {
        let kinds = events.iter().map(|event| event["type"].as_str().unwrap());
        kinds
            .map(|kind| kind.strip_prefix("response.").unwrap())
            .collect()
    }

    fn answer() -> Reply {
        let gemini = Some(Opaque::new(Origin::Gemini, "sig"));
        let mut reply = Reply {
            blocks: vec![
                Block::new(Kind::Reasoning("hm".to_owned()))
                    .with_opaque(Some(Opaque::new(Origin::Anthropic, "s"))),
                Block::text("one"),
                Block::text(""),
                Block::text("two"),
                Block::call("c1", "f", "").with_opaque(gemini),
                Block::call("c2", "sh", r#"{"input":"ls\n"}"#),
            ],
            finish: Finish::new(Reason::ToolUse, "tool_use"),
            tokens: Some(Usage {
                input: 1,
                cache_read: 2,
                output: 3,
                ..Usage::default()
            }),
            ..Reply::default()
        };
        let citation = Citation {
            url: Some("https://a".to_owned()),
            span: Some((0, 3)),
            ..Citation::default()
        };
        reply.citations.push((1, citation));
        reply
    }

    #[test]
    fn items_are_opened_filled_and_closed() {
        let events = speak(answer().unfold());
        assert_eq!(
            kinds(&events),
            [
                "created",
                "in_progress",
                "output_item.added",
                "reasoning_summary_part.added",
                "reasoning_summary_text.delta",
                "reasoning_summary_text.done",
                "reasoning_summary_part.done",
                "output_item.done",
                "output_item.added",
                "content_part.added",
                "output_text.delta",
                "output_text.annotation.added",
                "output_text.done",
                "content_part.done",
                "content_part.added",
                "output_text.delta",
                "output_text.done",
                "content_part.done",
                "output_item.done",
                "output_item.added",
                "function_call_arguments.delta",
                "function_call_arguments.done",
                "output_item.done",
                "output_item.added",
                "output_item.done",
                "output_item.added",
                "custom_tool_call_input.delta",
                "custom_tool_call_input.done",
                "output_item.done",
                "completed",
            ]
        );
        let response = &events.last().unwrap()["response"];
        let output = response["output"].as_array().unwrap();
        let done = events
            .iter()
            .filter(|event| event["type"] == "response.output_item.done");
        for (at, event) in done.enumerate() {
            assert_eq!(event["output_index"], at);
            assert_eq!(event["item"], output[at]);
        }
        assert_eq!(output[0]["encrypted_content"], "th1.anthropic.cw");
        assert_eq!(output[1]["content"][1]["text"], "two");
        assert_eq!(output[2]["arguments"], "{}");
        assert_eq!(output[3]["encrypted_content"], "th1.gemini.c2ln.before");
        assert_eq!(output[4]["input"], "ls\n");
        assert_eq!(response["model"], "alias");
        assert_eq!(response["temperature"], 0.5);
        assert_eq!(response["metadata"], json!({"a": "b"}));
        assert_eq!(response["usage"]["input_tokens"], 3);
        assert_eq!(response["store"], false);
    }

    #[test]
    fn a_plain_answer_is_what_its_stream_ends_with() {
        let wanted = wanted();
        let plain = reply::write::write(&answer(), &asked(&wanted));
        let plain: Value = serde_json::from_slice(&plain).unwrap();
        let events = speak(answer().unfold());
        assert_eq!(plain, events.last().unwrap()["response"]);
    }

    #[test]
    fn what_was_cut_by_a_limit_is_incomplete() {
        let reply = Reply {
            blocks: vec![Block::call("c", "f", "{\"a\":")],
            finish: Finish::new(Reason::Length, "max_tokens"),
            ..Reply::default()
        };
        let events = speak(reply.unfold());
        let last = events.last().unwrap();
        assert_eq!(last["type"], "response.incomplete");
        assert_eq!(
            last["response"]["incomplete_details"]["reason"],
            "max_output_tokens"
        );
        assert_eq!(last["response"]["output"][0]["status"], "incomplete");
        assert_eq!(last["response"]["output"][0]["arguments"], "{\"a\":");
    }

    #[test]
    fn a_refusal_is_complete_when_it_has_words() {
        for (blocks, kind) in [
            (
                vec![Block::new(Kind::Refusal("No.".to_owned()))],
                "completed",
            ),
            (vec![], "incomplete"),
        ] {
            let reply = Reply {
                blocks,
                finish: Finish::new(Reason::Refusal, "refusal"),
                ..Reply::default()
            };
            let events = speak(reply.unfold());
            assert_eq!(kinds(&events).last(), Some(&kind));
        }
    }

    #[test]
    fn a_failed_answer_says_so_under_its_own_id() {
        let wanted = wanted();
        let failure = Failure::new(FailureKind::RateLimited, "provider_rate_limited", "Slow.");
        for begun in [0, 3] {
            let (mut speaker, mut out) = (Speaker::new(&asked(&wanted)), BytesMut::new());
            for event in answer().unfold().into_iter().take(begun) {
                speaker.write(event, &mut out);
            }
            let last = speaker.fail(&failure, RequestId::from_bits(1)).unwrap();
            out.extend_from_slice(&last);
            let events = written(&out);
            let last = events.last().unwrap();
            assert_eq!(last["type"], "response.failed");
            assert_eq!(last["response"]["id"], events[0]["response"]["id"]);
            assert_eq!(last["response"]["status"], "failed");
            assert_eq!(last["response"]["error"]["code"], "rate_limit_exceeded");
            assert_eq!(last["response"]["error"]["message"], "Slow.");
        }
    }
}
