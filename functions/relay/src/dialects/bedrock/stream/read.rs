//! A streamed answer of `ConverseStream`, frame by frame.
//!
//! Only calls, results and pictures begin with `contentBlockStart`; texts and thoughts begin with
//! their first delta. What was used comes last, after the reason to end.
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;

use crate::dialects::UpstreamError;
use crate::dialects::bedrock::failure;
use crate::dialects::bedrock::model::Model;
use crate::dialects::bedrock::reply::read::{citation, foreign, is_own, picture, redacted};
use crate::dialects::bedrock::wire::{self, Tools};
use crate::dialects::convert::Reader;
use crate::dialects::frame::{self, Kind};
use crate::dialects::json::{Fields, Halves, Json, Object, Raw};
use crate::dialects::neutral::order::Queue;
use crate::dialects::neutral::request::{Source, object};
use crate::dialects::neutral::{Event, Opaque, Opening, Origin};

/// Reads one streamed answer.
#[derive(Debug)]
pub(in crate::dialects::bedrock) struct StreamReader {
    origin: Origin,
    queue: Queue<u64>,
    open: Vec<(u64, Part)>,
    began: bool,
    finished: bool,
    told_usage: bool,
    tools: Tools,
    ended: bool,
}

/// A block that has begun.
#[derive(Debug)]
enum Part {
    /// A text.
    Text(Halves),
    /// A thought, and its signature as far as it has come.
    Thought(Halves, String),
    /// A call.
    Call(Halves),
    /// A thought of which only the state is told.
    Redacted(Vec<u8>),
    /// A call of a tool of the provider's own: its head, and its arguments.
    OwnCall(Object, String),
    /// What the provider's own tool answered: its head, and the contents.
    OwnResult(Object, Vec<Raw>),
    /// A picture: its format and its bytes.
    Picture(String, Vec<u8>),
}

impl StreamReader {
    pub(in crate::dialects::bedrock) fn new(model: Model<'_>) -> Self {
        Self {
            origin: model.origin(),
            queue: Queue::default(),
            open: Vec::new(),
            began: false,
            finished: false,
            told_usage: false,
            tools: Tools::default(),
            ended: false,
        }
    }

    fn begin(&mut self, out: &mut Vec<Event>) {
        if !self.began {
            self.began = true;
            let (id, model) = (None, None);
            out.push(Event::Start { id, model });
        }
    }

    fn part(&mut self, index: u64) -> Option<&mut Part> {
        let mut parts = self.open.iter_mut();
        parts.find_map(|(known, part)| (*known == index).then_some(part))
    }

    /// `contentBlockStart`.
    fn start(&mut self, mut event: Fields<'_>, out: &mut Vec<Event>) {
        let index = event.count("contentBlockIndex").unwrap_or(0);
        let Some(mut start) = event.object("start") else {
            return;
        };
        if let Some(raw) = start.take("toolUse") {
            let mut call = Fields::of(raw).unwrap_or_default();
            if is_own(&mut call) {
                self.tools.see(&call.text("name").unwrap_or_default());
                self.insert(index, Part::OwnCall(head(raw), String::new()), out);
                return;
            }
            let id = call.text("toolUseId").filter(|id| !id.is_empty());
            let opening = Opening::ToolUse {
                id: id.unwrap_or_else(|| format!("tooluse_{index}")),
                name: call.text("name").unwrap_or_default(),
            };
            self.insert(index, Part::Call(Halves::default()), out);
            self.queue.open(index, opening, out);
        } else if let Some(raw) = start.take("toolResult") {
            self.insert(index, Part::OwnResult(head(raw), Vec::new()), out);
        } else if let Some(mut image) = start.object("image") {
            let format = image.text("format").unwrap_or_default();
            self.insert(index, Part::Picture(format, Vec::new()), out);
        }
    }

    /// A block begins; one of the same index ends.
    fn insert(&mut self, index: u64, part: Part, out: &mut Vec<Event>) {
        self.stop(index, out);
        self.open.push((index, part));
    }

    /// `contentBlockDelta`. A new kind of delta is nothing.
    fn delta(&mut self, mut event: Fields<'_>, out: &mut Vec<Event>) {
        let index = event.count("contentBlockIndex").unwrap_or(0);
        let Some(mut delta) = event.object("delta") else {
            return;
        };
        if let Some(text) = delta.take("text") {
            self.text(index, text, out);
        } else if let Some(mut thought) = delta.object("reasoningContent") {
            self.thought(index, &mut thought, out);
        } else if let Some(mut call) = delta.object("toolUse") {
            self.arguments(index, call.take("input"), out);
        } else if let Some(raw) = delta.take("citation") {
            self.open_text(index, out);
            self.queue.push(&index, Event::Citation(citation(raw)), out);
        } else if let Some(raw) = delta.take("toolResult") {
            if let Some(Part::OwnResult(_, contents)) = self.part(index) {
                let more = crate::dialects::json::array(raw).into_iter();
                contents.extend(more.map(ToOwned::to_owned));
            }
        } else if let Some(mut image) = delta.object("image")
            && let Some(more) = bytes(image.object("source"))
            && let Some(Part::Picture(_, bytes)) = self.part(index)
        {
            bytes.extend(more);
        }
    }

    fn text(&mut self, index: u64, text: &RawValue, out: &mut Vec<Event>) {
        // Some models send empty deltas, and nothing else.
        if text.get() == "\"\"" {
            return;
        }
        self.open_text(index, out);
        if let Some(Part::Text(halves)) = self.part(index)
            && let Some(text) = halves.text(text)
        {
            self.queue.delta(&index, text, out);
        }
    }

    fn open_text(&mut self, index: u64, out: &mut Vec<Event>) {
        if !matches!(self.part(index), Some(Part::Text(_))) {
            self.insert(index, Part::Text(Halves::default()), out);
            self.queue.open(index, Opening::Text, out);
        }
    }

    fn thought(&mut self, index: u64, thought: &mut Fields<'_>, out: &mut Vec<Event>) {
        if let Some(more) = thought.text("redactedContent") {
            if !matches!(self.part(index), Some(Part::Redacted(_))) {
                self.insert(index, Part::Redacted(Vec::new()), out);
            }
            if let Some(Part::Redacted(bytes)) = self.part(index) {
                bytes.extend(wire::decode(&more).unwrap_or_default());
            }
            return;
        }
        let text = thought.take("text").filter(|text| text.get() != "\"\"");
        let more = thought.text("signature").filter(|text| !text.is_empty());
        if text.is_none() && more.is_none() {
            return;
        }
        if !matches!(self.part(index), Some(Part::Thought(..))) {
            self.insert(index, Part::Thought(Halves::default(), String::new()), out);
            self.queue.open(index, Opening::Reasoning, out);
        }
        let Some(Part::Thought(halves, signature)) = self.part(index) else {
            return;
        };
        signature.push_str(&more.unwrap_or_default());
        if let Some(text) = text.and_then(|text| halves.text(text)) {
            self.queue.delta(&index, text, out);
        }
    }

    /// A piece of a call's arguments: text of JSON, or already an object where a server is hasty.
    fn arguments(&mut self, index: u64, input: Option<&RawValue>, out: &mut Vec<Event>) {
        let Some(input) = input else {
            return;
        };
        match self.part(index) {
            Some(Part::Call(halves)) => {
                let text = halves.text(input).unwrap_or_else(|| input.get().to_owned());
                self.queue.delta(&index, text, out);
            }
            Some(Part::OwnCall(_, arguments)) => {
                let text = crate::dialects::json::text(input);
                arguments.push_str(&text.unwrap_or_else(|| input.get().to_owned()));
            }
            _ => {}
        }
    }

    /// A block ends.
    fn stop(&mut self, index: u64, out: &mut Vec<Event>) {
        let Some(at) = self.open.iter().position(|(known, _)| *known == index) else {
            return;
        };
        let (_, part) = self.open.remove(at);
        let whole = match part {
            Part::Text(_) | Part::Call(_) => return self.queue.close(&index, out),
            Part::Thought(_, signature) => {
                if !signature.is_empty() {
                    let opaque = Opaque::new(self.origin, signature);
                    self.queue.opaque(&index, opaque, out);
                }
                return self.queue.close(&index, out);
            }
            Part::Redacted(bytes) => redacted(self.origin, bytes),
            Part::OwnCall(mut head, arguments) => {
                head.put("input", object(&arguments));
                foreign(&Object::new().with("toolUse", head).to_raw())
            }
            Part::OwnResult(mut head, contents) => {
                head.put("content", contents);
                foreign(&Object::new().with("toolResult", head).to_raw())
            }
            Part::Picture(format, bytes) => {
                picture(&format, Source::Base64(STANDARD.encode(bytes)))
            }
        };
        self.queue.whole(whole, out);
    }

    /// `messageStop`.
    fn finish(&mut self, mut event: Fields<'_>, out: &mut Vec<Event>) {
        if self.finished {
            return;
        }
        while let Some((index, _)) = self.open.first() {
            let index = *index;
            self.stop(index, out);
        }
        out.push(Event::Finish(wire::finish(&mut event).unwrap_or_default()));
        self.finished = true;
        if self.told_usage {
            self.say_end(out);
        }
    }

    /// `metadata`.
    fn metadata(&mut self, mut event: Fields<'_>, out: &mut Vec<Event>) {
        let usage = wire::tokens(&mut event);
        out.extend(usage.map(|usage| Event::Usage(self.tools.add(usage))));
        self.told_usage = true;
        if self.finished {
            self.say_end(out);
        }
    }

    fn say_end(&mut self, out: &mut Vec<Event>) {
        self.ended = true;
        out.push(Event::End);
    }
}

impl Reader for StreamReader {
    fn event(&mut self, event: &[u8], out: &mut Vec<Event>) -> Result<(), UpstreamError> {
        let Some(frame) = frame::read(event) else {
            return Ok(());
        };
        if let Some(error) = failure::of_frame(&frame) {
            return Err(error);
        }
        let Kind::Event(name) = &frame.kind else {
            return Ok(());
        };
        let text = String::from_utf8_lossy(&frame.payload);
        let Some(mut fields) = Fields::parse(&text).filter(|_| !self.ended) else {
            return Ok(());
        };
        // The payload is the event itself; some servers wrap it once more in its name.
        if let Some(inner) = fields.object(name) {
            fields = inner;
        }
        let known = [
            "messageStart",
            "contentBlockStart",
            "contentBlockDelta",
            "contentBlockStop",
            "messageStop",
            "metadata",
        ];
        if known.contains(&name.as_str()) {
            self.begin(out);
        }
        match name.as_str() {
            "contentBlockStart" if !self.finished => self.start(fields, out),
            "contentBlockDelta" if !self.finished => self.delta(fields, out),
            "contentBlockStop" => {
                let index = fields.count("contentBlockIndex").unwrap_or(0);
                self.stop(index, out);
            }
            "messageStop" => self.finish(fields, out),
            "metadata" => self.metadata(fields, out),
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, out: &mut Vec<Event>) {
        if self.finished && !self.ended {
            self.say_end(out);
        }
    }
}

/// The members of a call or result of the provider's own, as they came.
fn head(raw: &RawValue) -> Object {
    let fields = Fields::of(raw).unwrap_or_default();
    let mut head = Object::new();
    for (name, value) in fields.rest() {
        head.put(name, Json::Raw(value.to_owned()));
    }
    head
}

fn bytes(source: Option<Fields<'_>>) -> Option<Vec<u8>> {
    wire::decode(&source?.text("bytes")?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialects::bedrock::reply;
    use crate::dialects::frame::tests::{event, exception};
    use crate::dialects::neutral::order::Place;
    use crate::dialects::neutral::{Kind, Reason, Reply};

    const CLAUDE: Model<'static> = Model("us.anthropic.claude-sonnet-4-5-20250929-v1:0");

    /// The events of some frames, each where it may stand.
    fn read(frames: &[(&'static str, &str)]) -> Vec<Event> {
        let mut reader = StreamReader::new(CLAUDE);
        let mut out = Vec::new();
        for (name, payload) in frames {
            reader.event(&event(name, payload), &mut out).unwrap();
        }
        reader.end(&mut out);
        let mut place = Place::default();
        for event in &out {
            place = place.after(event).unwrap();
        }
        out
    }

    const STREAM: &[(&str, &str)] = &[
        ("messageStart", r#"{"role":"assistant","p":"ab"}"#),
        (
            "contentBlockDelta",
            r#"{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"h"}},"p":"a"}"#,
        ),
        (
            "contentBlockDelta",
            r#"{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"m"}}}"#,
        ),
        (
            "contentBlockDelta",
            r#"{"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"Ep"}}}"#,
        ),
        (
            "contentBlockDelta",
            r#"{"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"=="}}}"#,
        ),
        ("contentBlockStop", r#"{"contentBlockIndex":0}"#),
        (
            "contentBlockDelta",
            r#"{"contentBlockIndex":1,"delta":{"reasoningContent":{"redactedContent":"RXU4Qg=="}}}"#,
        ),
        ("contentBlockStop", r#"{"contentBlockIndex":1}"#),
        (
            "contentBlockDelta",
            r#"{"contentBlockIndex":2,"delta":{"text":""}}"#,
        ),
        ("contentBlockStop", r#"{"contentBlockIndex":2}"#),
        (
            "contentBlockDelta",
            r#"{"contentBlockIndex":3,"delta":{"citation":{"title":"policy","sourceContent":[{"text":"20 days."}]}}}"#,
        ),
        (
            "contentBlockDelta",
            r#"{"contentBlockIndex":3,"delta":{"text":"20 \ud83d"}}"#,
        ),
        (
            "contentBlockDelta",
            r#"{"contentBlockIndex":3,"delta":{"text":"\ude00 days"}}"#,
        ),
        ("contentBlockStop", r#"{"contentBlockIndex":3}"#),
        (
            "contentBlockStart",
            r#"{"contentBlockIndex":4,"start":{"toolUse":{"name":"code","toolUseId":"s1","type":"server_tool_use"}}}"#,
        ),
        (
            "contentBlockDelta",
            r#"{"contentBlockIndex":4,"delta":{"toolUse":{"input":"{\"a\":1}"}}}"#,
        ),
        ("contentBlockStop", r#"{"contentBlockIndex":4}"#),
        (
            "contentBlockStart",
            r#"{"contentBlockIndex":5,"start":{"toolResult":{"status":"success","toolUseId":"s1","type":"code_result"}}}"#,
        ),
        (
            "contentBlockDelta",
            r#"{"contentBlockIndex":5,"delta":{"toolResult":[{"json":{"out":"7"}}]}}"#,
        ),
        ("contentBlockStop", r#"{"contentBlockIndex":5}"#),
        (
            "contentBlockStart",
            r#"{"contentBlockIndex":6,"start":{"toolUse":{"name":"f","toolUseId":"t1"}}}"#,
        ),
        (
            "contentBlockDelta",
            r#"{"contentBlockIndex":6,"delta":{"toolUse":{"input":""}}}"#,
        ),
        (
            "contentBlockDelta",
            r#"{"contentBlockIndex":6,"delta":{"toolUse":{"input":"{\"n\":"}}}"#,
        ),
        (
            "contentBlockDelta",
            r#"{"contentBlockIndex":6,"delta":{"toolUse":{"input":"1.0}"}}}"#,
        ),
        ("contentBlockStop", r#"{"contentBlockIndex":6}"#),
        (
            "contentBlockStart",
            r#"{"contentBlockIndex":7,"start":{"image":{"format":"png"}}}"#,
        ),
        (
            "contentBlockDelta",
            r#"{"contentBlockIndex":7,"delta":{"image":{"source":{"bytes":"aGk="}}}}"#,
        ),
        ("contentBlockStop", r#"{"contentBlockIndex":7}"#),
        ("messageStop", r#"{"stopReason":"tool_use"}"#),
        (
            "metadata",
            r#"{"usage":{"inputTokens":2,"outputTokens":5,"totalTokens":7},"metrics":{"latencyMs":1}}"#,
        ),
    ];

    const PLAIN: &str = r#"{"output":{"message":{"role":"assistant","content":[
        {"reasoningContent":{"reasoningText":{"text":"hm","signature":"Ep=="}}},
        {"reasoningContent":{"redactedContent":"RXU4Qg=="}},
        {"citationsContent":{"content":[{"text":"20 😀 days"}],
            "citations":[{"title":"policy","sourceContent":[{"text":"20 days."}]}]}},
        {"toolUse":{"name":"code","toolUseId":"s1","type":"server_tool_use","input":{"a":1}}},
        {"toolResult":{"status":"success","toolUseId":"s1","type":"code_result","content":[{"json":{"out":"7"}}]}},
        {"toolUse":{"name":"f","toolUseId":"t1","input":{"n":1.0}}},
        {"image":{"format":"png","source":{"bytes":"aGk="}}}]}},
        "stopReason":"tool_use","usage":{"inputTokens":2,"outputTokens":5}}"#;

    #[test]
    fn a_stream_tells_the_same_as_a_plain_answer() {
        let streamed = Reply::fold(read(STREAM));
        let plain = reply::read::read(PLAIN.as_bytes(), CLAUDE).unwrap();
        assert_eq!(
            format!("{:?}", streamed.blocks),
            format!("{:?}", plain.blocks)
        );
        assert_eq!(
            format!("{:?}", streamed.citations),
            format!("{:?}", plain.citations)
        );
        assert_eq!(streamed.finish, plain.finish);
        assert_eq!(streamed.tokens, plain.tokens);
    }

    #[test]
    fn a_cut_stream_has_no_end() {
        let before_the_reason = STREAM.len() - 2;
        for cut in 0..before_the_reason {
            let events = read(&STREAM[..cut]);
            let ends = |event: &Event| matches!(event, Event::Finish(_) | Event::End);
            assert!(!events.iter().any(ends), "cut after {cut}");
        }
    }

    #[test]
    fn what_was_used_comes_after_the_reason_or_not_at_all() {
        let events = read(&STREAM[..STREAM.len() - 1]);
        assert!(matches!(events.last(), Some(Event::End)));
        let reply = Reply::fold(events);
        assert_eq!((reply.finish.reason, reply.tokens), (Reason::ToolUse, None));
        let mut early = STREAM.to_vec();
        let metadata = early.pop().unwrap();
        early.insert(1, metadata);
        assert!(matches!(read(&early).last(), Some(Event::End)));
    }

    #[test]
    fn an_empty_answer_is_an_answer() {
        let stop = ("messageStop", r#"{"stopReason":"guardrail_intervened"}"#);
        let reply = Reply::fold(read(&[("messageStart", "{}"), stop]));
        assert!(reply.blocks.is_empty());
        assert_eq!(reply.finish.reason, Reason::Refusal);
    }

    #[test]
    fn an_exception_is_the_providers_no() {
        let mut reader = StreamReader::new(CLAUDE);
        let mut out = Vec::new();
        let text = r#"{"contentBlockIndex":0,"delta":{"text":"Partial "}}"#;
        reader
            .event(&event("contentBlockDelta", text), &mut out)
            .unwrap();
        let no = exception("serviceUnavailableException", r#"{"message":"busy"}"#);
        let error = reader.event(&no, &mut out).unwrap_err();
        assert_eq!((error.status, error.message.as_str()), (503, "busy"));
        assert_eq!(out.len(), 3, "{out:?}");
    }

    #[test]
    fn thoughts_of_other_houses_are_not_claudes() {
        let mut reader = StreamReader::new(Model("openai.gpt-oss-120b-1:0"));
        let mut out = Vec::new();
        for payload in [
            r#"{"contentBlockIndex":0,"delta":{"reasoningContent":{"redactedContent":"aGVs"}}}"#,
            r#"{"contentBlockIndex":0,"delta":{"reasoningContent":{"redactedContent":"bG8="}}}"#,
        ] {
            reader
                .event(&event("contentBlockDelta", payload), &mut out)
                .unwrap();
        }
        let stop = r#"{"contentBlockIndex":0}"#;
        reader
            .event(&event("contentBlockStop", stop), &mut out)
            .unwrap();
        let Some(Event::Whole(block)) = out.last() else {
            panic!("{out:?}");
        };
        assert!(matches!(block.kind, Kind::Redacted));
        assert_eq!(block.opaque, Some(Opaque::new(Origin::Bedrock, "aGVsbG8=")));
    }
}
