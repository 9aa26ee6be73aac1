//! A streamed answer of Cohere's → neutral. <https://docs.cohere.com/docs/streaming>

use std::str;

use super::super::{failure, wire};
use crate::dialects::json::{Fields, Halves, array};
use crate::dialects::neutral::order::Queue;
use crate::dialects::neutral::{Event, Opening};
use crate::dialects::{UpstreamError, convert, sse};

/// Which block an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    /// A text, by its place in Cohere's array.
    Text(u64),
    /// A thought, likewise.
    Thought(u64),
    /// What the model means to do before it calls tools.
    Plan,
    /// A call, by its place.
    Call(u64),
}

/// Understands one streamed answer.
///
/// Texts, thoughts and plans are opened by their first words, so that empty ones leave no block, and
/// closed by what comes next: citations come after the end of the text that they are about.
#[derive(Debug)]
pub(in crate::dialects::cohere) struct Reader {
    model: String,
    started: bool,
    finished: bool,
    queue: Queue<Key>,
    /// The text, thought or plan that is open.
    open: Option<Key>,
    /// Calls that are open, and whether they have any arguments yet.
    calls: Vec<(u64, bool)>,
    halves: Halves,
}

impl Reader {
    pub(in crate::dialects::cohere) fn new(model: &str) -> Self {
        Self {
            model: model.to_owned(),
            started: false,
            finished: false,
            queue: Queue::default(),
            open: None,
            calls: Vec::new(),
            halves: Halves::default(),
        }
    }

    fn start(&mut self, id: Option<String>, out: &mut Vec<Event>) {
        if !self.started {
            self.started = true;
            out.push(Event::Start {
                id,
                model: Some(self.model.clone()),
            });
        }
    }

    /// Words of a text, a thought or a plan.
    fn say(&mut self, key: Key, words: &serde_json::value::RawValue, out: &mut Vec<Event>) {
        let Some(words) = self.halves.text(words).filter(|words| !words.is_empty()) else {
            return;
        };
        if self.open != Some(key) {
            self.settle(out);
            let opening = match key {
                Key::Text(_) => Opening::Text,
                _ => Opening::Reasoning,
            };
            self.queue.open(key, opening, out);
            self.open = Some(key);
        }
        self.queue.delta(&key, words, out);
    }

    /// Closes the text, thought or plan that is open.
    fn settle(&mut self, out: &mut Vec<Event>) {
        if let Some(key) = self.open.take() {
            self.queue.close(&key, out);
        }
    }

    fn content(&mut self, index: u64, delta: Fields<'_>, out: &mut Vec<Event>) {
        let Some(mut content) = content_of(delta) else {
            return;
        };
        if let Some(words) = content.take("thinking") {
            self.say(Key::Thought(index), words, out);
        }
        if let Some(words) = content.take("text") {
            self.say(Key::Text(index), words, out);
        }
    }

    fn call_begins(&mut self, index: u64, delta: Fields<'_>, out: &mut Vec<Event>) {
        let Some(mut call) = call_of(delta) else {
            return;
        };
        let id = call.text("id").unwrap_or_default();
        let mut function = call.object("function").unwrap_or_default();
        let name = function.text("name").unwrap_or_default();
        self.settle(out);
        // One that was never said to end has ended.
        self.call_ends(index, out);
        self.calls.push((index, false));
        self.queue
            .open(Key::Call(index), Opening::ToolUse { id, name }, out);
        self.arguments(index, function, out);
    }

    fn arguments(&mut self, index: u64, mut function: Fields<'_>, out: &mut Vec<Event>) {
        let Some(more) = function.take("arguments") else {
            return;
        };
        let more = self.halves.text(more).unwrap_or_default();
        let Some((_, begun)) = self.calls.iter_mut().find(|call| call.0 == index) else {
            return;
        };
        // Some models say `null` for no arguments.
        if more.is_empty() || (!*begun && more.trim() == "null") {
            return;
        }
        *begun = true;
        self.queue.delta(&Key::Call(index), more, out);
    }

    fn call_ends(&mut self, index: u64, out: &mut Vec<Event>) {
        let Some(at) = self.calls.iter().position(|call| call.0 == index) else {
            return;
        };
        let (_, begun) = self.calls.remove(at);
        if !begun {
            self.queue.delta(&Key::Call(index), "{}".to_owned(), out);
        }
        self.queue.close(&Key::Call(index), out);
    }

    fn citation(&mut self, delta: Fields<'_>, out: &mut Vec<Event>) {
        let mut delta = delta;
        let citations = delta
            .object("message")
            .and_then(|mut m| m.take("citations"));
        let Some(value) = citations else {
            return;
        };
        let mut several = array(value);
        if several.is_empty() {
            several.push(value);
        }
        let Some(key @ Key::Text(_)) = self.open else {
            return;
        };
        for value in several {
            if let Some((_, citation)) = wire::citation(value) {
                self.queue.push(&key, Event::Citation(citation), out);
            }
        }
    }

    fn message_ends(
        &mut self,
        mut delta: Fields<'_>,
        out: &mut Vec<Event>,
    ) -> Result<(), UpstreamError> {
        self.settle(out);
        for (index, _) in self.calls.clone() {
            self.call_ends(index, out);
        }
        out.extend(delta.take("usage").and_then(wire::tokens).map(Event::Usage));
        let error = delta.text("error").filter(|error| !error.is_empty());
        let word = delta.text("finish_reason").unwrap_or_default();
        if wire::is_failure(&word) || (word.is_empty() && error.is_some()) {
            return Err(failure::broken(&word, error));
        }
        if word.is_empty() {
            return Ok(());
        }
        self.finished = true;
        out.push(Event::Finish(wire::finish(&word)));
        out.push(Event::End);
        Ok(())
    }
}

impl convert::Reader for Reader {
    fn event(&mut self, event: &[u8], out: &mut Vec<Event>) -> Result<(), UpstreamError> {
        let Some(data) = sse::data(event) else {
            return Ok(());
        };
        let Some(mut fields) = str::from_utf8(&data).ok().and_then(Fields::parse) else {
            return Ok(());
        };
        if self.finished {
            return Ok(());
        }
        let Some(kind) = fields.text("type") else {
            return failure::read(200, &data).map_or(Ok(()), Err);
        };
        let index = fields.count("index").unwrap_or(0);
        let id = fields.text("id");
        let delta = fields.object("delta").unwrap_or_default();
        if kind != "error" {
            self.start(id, out);
        }
        match kind.as_str() {
            "content-start" | "content-delta" => self.content(index, delta, out),
            "tool-plan-delta" => {
                let mut delta = delta;
                let message = delta.object("message");
                if let Some(words) = message.and_then(|mut message| message.take("tool_plan")) {
                    self.say(Key::Plan, words, out);
                }
            }
            "tool-call-start" => self.call_begins(index, delta, out),
            "tool-call-delta" => {
                let function = call_of(delta).and_then(|mut call| call.object("function"));
                self.arguments(index, function.unwrap_or_default(), out);
            }
            "tool-call-end" => self.call_ends(index, out),
            "citation-start" => self.citation(delta, out),
            "message-end" => return self.message_ends(delta, out),
            "error" => return failure::read(200, &data).map_or(Ok(()), Err),
            _ => {}
        }
        Ok(())
    }

    /// The last event is `message-end`; whoever did not hear it has heard a part only.
    fn end(&mut self, _: &mut Vec<Event>) {}
}

fn content_of(mut delta: Fields<'_>) -> Option<Fields<'_>> {
    let content = delta.object("message")?.take("content")?;
    Fields::of(content).or_else(|| Fields::of(array(content).first()?))
}

fn call_of(mut delta: Fields<'_>) -> Option<Fields<'_>> {
    let call = delta.object("message")?.take("tool_calls")?;
    Fields::of(call).or_else(|| Fields::of(array(call).first()?))
}

#[cfg(test)]
mod tests {
    use super::super::super::reply;
    use super::*;
    use crate::dialects::convert::Reader as _;
    use crate::dialects::neutral::order::Place;
    use crate::dialects::neutral::{Kind, Reply};

    fn hear(events: &[&str]) -> Result<Vec<Event>, UpstreamError> {
        let mut reader = Reader::new("m");
        let (mut out, mut place) = (Vec::new(), Place::default());
        for data in events {
            let kind = data.split('"').nth(3).unwrap_or_default();
            let event = format!("event: {kind}\ndata: {data}\n\n");
            reader.event(event.as_bytes(), &mut out)?;
        }
        reader.end(&mut out);
        for event in &out {
            place = place.after(event).unwrap();
        }
        Ok(out)
    }

    const START: &str = r#"{"type":"message-start","id":"a","delta":{"message":{"role":"assistant","content":[],"tool_plan":"","tool_calls":[],"citations":[]}}}"#;
    const END: &str = r#"{"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":{"billed_units":{"input_tokens":3,"output_tokens":4}}}}"#;

    #[test]
    fn a_folded_stream_is_the_plain_answer() {
        let heard = hear(&[
            START,
            r#"{"type":"content-start","index":0,"delta":{"message":{"content":{"type":"thinking","thinking":""}}}}"#,
            r#"{"type":"content-delta","index":0,"delta":{"message":{"content":{"thinking":"Hm."}}}}"#,
            r#"{"type":"content-end","index":0}"#,
            r#"{"type":"content-start","index":1,"delta":{"message":{"content":{"type":"text","text":""}}}}"#,
            r#"{"type":"content-delta","index":1,"delta":{"message":{"content":{"text":"Blue "}}}}"#,
            r#"{"type":"content-delta","index":1,"delta":{"message":{"content":{"text":"sky \ud83d"}}}}"#,
            r#"{"type":"content-delta","index":1,"delta":{"message":{"content":{"text":"\ude00"}}}}"#,
            r#"{"type":"content-end","index":1}"#,
            r#"{"type":"citation-start","index":0,"delta":{"message":{"citations":{"start":0,"end":4,"text":"Blue","sources":[]}}}}"#,
            r#"{"type":"citation-end","index":0}"#,
            END,
        ]);
        let heard = Reply::fold(heard.unwrap());
        let plain = br#"{"id":"a","message":{"role":"assistant","content":[{"type":"thinking","thinking":"Hm."},
            {"type":"text","text":"Blue sky \ud83d\ude00"}],"citations":[{"start":0,"end":4,"text":"Blue","sources":[]}]},
            "finish_reason":"COMPLETE","usage":{"billed_units":{"input_tokens":3,"output_tokens":4}}}"#;
        let plain = reply::read::read(plain, "m").unwrap();
        assert_eq!(format!("{heard:?}"), format!("{plain:?}"));
    }

    #[test]
    fn plans_and_calls_come_one_after_the_other() {
        let heard = hear(&[
            START,
            r#"{"type":"tool-plan-delta","delta":{"message":{"tool_plan":"Ask"}}}"#,
            r#"{"type":"tool-plan-delta","delta":{"message":{"tool_plan":" both."}}}"#,
            r#"{"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"c1","type":"function","function":{"name":"f","arguments":""}}}}}"#,
            r#"{"type":"tool-call-start","index":1,"delta":{"message":{"tool_calls":{"id":"c2","type":"function","function":{"name":"g","arguments":""}}}}}"#,
            r#"{"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":"{\"a\":"}}}}}"#,
            r#"{"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":"1.0}"}}}}}"#,
            r#"{"type":"tool-call-end","index":0}"#,
            r#"{"type":"tool-call-end","index":1}"#,
            r#"{"type":"message-end","delta":{"finish_reason":"TOOL_CALL"}}"#,
            r#"{"type":"message-end","delta":{"finish_reason":"TOOL_CALL"}}"#,
        ]);
        let reply = Reply::fold(heard.unwrap());
        let blocks = reply.blocks.iter().map(|block| match &block.kind {
            Kind::Reasoning(plan) => plan.clone(),
            Kind::ToolUse(call) => format!("{} {} {}", call.id, call.name, call.arguments),
            other => panic!("{other:?}"),
        });
        let expected = ["Ask both.", r#"c1 f {"a":1.0}"#, "c2 g {}"];
        assert_eq!(blocks.collect::<Vec<_>>(), expected);
        assert_eq!(reply.finish.raw.as_deref(), Some("TOOL_CALL"));
    }

    #[test]
    fn a_cut_stream_has_no_end() {
        let words =
            r#"{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"a"}}}}"#;
        let heard = hear(&[START, words]).unwrap();
        assert!(matches!(heard.last(), Some(Event::Delta(_))), "{heard:?}");
    }

    #[test]
    fn what_breaks_inside_an_answer_is_a_no() {
        for (event, status) in [
            (
                r#"{"type":"message-end","delta":{"error":"oh","finish_reason":"ERROR"}}"#,
                502,
            ),
            (
                r#"{"type":"message-end","delta":{"finish_reason":"TIMEOUT"}}"#,
                504,
            ),
            (r#"{"id":"x","message":"overloaded"}"#, 502),
        ] {
            assert_eq!(hear(&[START, event]).unwrap_err().status, status, "{event}");
        }
        assert!(
            hear(&[
                START,
                "not json",
                "[DONE]",
                r#"{"type":"debug","prompt":"p"}"#
            ])
            .is_ok()
        );
    }
}
