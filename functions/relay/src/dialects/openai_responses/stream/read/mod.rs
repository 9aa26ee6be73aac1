//! Understands a provider's stream of Responses.
//! <https://platform.openai.com/docs/api-reference/responses-streaming>
//!
//! The answer begins with its first item: an error before that is a refusal like any other.

mod ending;
mod output;
mod telling;

use super::super::pieces::Pieces;
use super::super::reply::read as plain;
use super::super::{failure, wire};
use crate::dialects::UpstreamError;
use crate::dialects::convert::Reader;
use crate::dialects::json::{Fields, array};
use crate::dialects::neutral::{Event, Reply};
use crate::dialects::sse;
use shared::domain::usage::Usage;

use output::{Output, Part, Place, Shape, Telling};

#[derive(Debug, Default)]
pub(in crate::dialects) struct Listener {
    /// What the answer has called itself.
    id: Option<String>,
    model: Option<String>,
    begun: bool,
    output: Output,
    /// What the items have said of the provider's own tools so far.
    pieces: Pieces,
    ended: bool,
}

impl Reader for Listener {
    fn event(&mut self, event: &[u8], out: &mut Vec<Event>) -> Result<(), UpstreamError> {
        let Some(data) = sse::data(event).filter(|_| !self.ended) else {
            return Ok(());
        };
        let data = String::from_utf8_lossy(&data);
        let mended;
        let mut fields = match Fields::parse(&data) {
            Some(fields) => fields,
            None => {
                mended = wire::mended(&data).unwrap_or_default();
                Fields::parse(&mended).unwrap_or_default()
            }
        };
        let named = || Some(std::str::from_utf8(sse::name(event)?).ok()?.to_owned());
        let kind = fields.clone().text("type").or_else(named);
        let Some(kind) = kind
            .as_deref()
            .and_then(|kind| kind.strip_prefix("response."))
        else {
            return failure::read_fields(200, fields).map_or(Ok(()), Err);
        };
        match kind {
            "created" | "queued" | "in_progress" => self.name(&mut fields),
            "completed" | "incomplete" => return self.finish(kind, fields, out),
            "failed" | "cancelled" | "error" => {
                // What was used until then is told beside it.
                let response = fields.clone().object("response").filter(|_| self.begun);
                let usage = response.and_then(|response| self.usage(response));
                out.extend(usage.map(Event::Usage));
                let error = failure::read_fields(200, fields);
                return Err(error.unwrap_or_else(|| failure::unnamed(200)));
            }
            _ => self.item(kind, &mut fields, out),
        }
        Ok(())
    }

    fn end(&mut self, _: &mut Vec<Event>) {}
}

impl Listener {
    fn name(&mut self, fields: &mut Fields<'_>) {
        if let Some(mut response) = fields.object("response") {
            self.id = response.text("id").or_else(|| self.id.take());
            self.model = response.text("model").or_else(|| self.model.take());
        }
    }

    fn begin(&mut self, out: &mut Vec<Event>) {
        if !std::mem::replace(&mut self.begun, true) {
            let (id, model) = (self.id.take(), self.model.take());
            out.push(Event::Start { id, model });
        }
    }

    /// An event about an item of the output. The beginnings of parts say nothing yet, and what the
    /// provider's own tools are doing is told when they are done.
    fn item(&mut self, kind: &str, fields: &mut Fields<'_>, out: &mut Vec<Event>) {
        let place = Place {
            index: fields.count("output_index"),
            id: fields.text("item_id"),
        };
        let content = fields.count("content_index");
        let number = content.or_else(|| fields.count("summary_index"));
        let number = number.unwrap_or(0);
        if let Some((shape, telling)) = told(kind) {
            self.begin(out);
            let at = self.output.find(place, shape);
            // A call has one input, however it is numbered.
            let number = if shape.is_call() { 0 } else { number };
            self.text(at, (telling, number), fields, out);
            return;
        }
        let member = match kind {
            "output_item.added" | "output_item.done" => "item",
            "content_part.done" => "part",
            "output_text.annotation.added" => "annotation",
            _ => return,
        };
        let Some(raw) = fields.take(member) else {
            return;
        };
        self.begin(out);
        match kind {
            "output_item.added" => self.output.add(place, raw, out),
            "output_item.done" => {
                let before = self.pieces.usage();
                self.pieces.see(raw);
                self.output.finish(place, raw, out);
                // Should the stream be cut, this was used all the same.
                let now = self.pieces.some().filter(|now| *now != before);
                out.extend(now.map(Event::Usage));
            }
            "content_part.done" => self.output.finish_part(place, number, raw, out),
            _ => self.output.cite(&place, number, raw, out),
        }
    }

    /// A piece of a text, or all of it.
    fn text(&mut self, at: usize, part: Part, fields: &mut Fields<'_>, out: &mut Vec<Event>) {
        if let Some(delta) = fields.take("delta") {
            return self.output.tell(at, part, delta, out);
        }
        let mut names = ["text", "refusal", "arguments", "input"].into_iter();
        if let Some(whole) = names.find_map(|name| fields.take(name)) {
            self.output.tell_whole(at, part, whole, out);
        }
    }

    /// The usage in the last event. Some servers leave the items out there that they have told before.
    fn usage(&self, mut response: Fields<'_>) -> Option<Usage> {
        let items = response.take("output").map(array).unwrap_or_default();
        if items.is_empty() {
            return wire::read_usage(&mut response, &self.pieces);
        }
        wire::read_usage(&mut response, &Pieces::of(&items))
    }

    fn finish(
        &mut self,
        kind: &str,
        fields: Fields<'_>,
        out: &mut Vec<Event>,
    ) -> Result<(), UpstreamError> {
        self.name(&mut fields.clone());
        let mut response = fields.clone().object("response").unwrap_or_default();
        let Some(finish) = plain::finish(&mut response, kind) else {
            let error = failure::read_fields(200, fields);
            return Err(error.unwrap_or_else(|| failure::unnamed(200)));
        };
        self.begin(out);
        self.output.close(out);
        if self.output.is_silent() {
            let mut reply = Reply::default();
            for item in response.clone().array("output") {
                plain::item(item, &mut reply);
            }
            self.output.say(reply, out);
        }
        out.extend(self.usage(response).map(Event::Usage));
        out.push(Event::Finish(self.output.holds().ended(finish)));
        out.push(Event::End);
        self.ended = true;
        Ok(())
    }
}

/// What an event tells a text of; the shorter names are older ones.
fn told(kind: &str) -> Option<(Shape, Telling)> {
    let what = kind
        .strip_suffix(".delta")
        .or_else(|| kind.strip_suffix(".done"))?;
    Some(match what {
        "output_text" => (Shape::Message, Telling::Text),
        "refusal" => (Shape::Message, Telling::Refusal),
        "reasoning_text" | "reasoning" => (Shape::Thought, Telling::Thought),
        "reasoning_summary_text" | "reasoning_summary" => (Shape::Thought, Telling::Summary),
        "function_call_arguments" => (Shape::Function, Telling::Input),
        "custom_tool_call_input" => (Shape::Custom, Telling::Input),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialects::neutral::order;
    use crate::dialects::neutral::{Kind, Reason};
    use serde_json::{Value, json};

    /// What a stream tells; each event keeps the order.
    fn told(events: &[Value]) -> Result<Vec<Event>, UpstreamError> {
        let (mut listener, mut out) = (Listener::default(), Vec::new());
        for event in events {
            let bytes = sse::write(None, event.to_string().as_bytes());
            listener.event(&bytes, &mut out)?;
        }
        listener.end(&mut out);
        let mut place = order::Place::Before;
        for event in &out {
            place = place.after(event).unwrap();
        }
        Ok(out)
    }

    fn fold(events: &[Value]) -> Reply {
        Reply::fold(told(events).unwrap())
    }

    fn said(reply: &Reply) -> Vec<String> {
        let blocks = reply.blocks.iter();
        let said = blocks.map(|block| match &block.kind {
            Kind::Text(text) => format!("text {text}"),
            Kind::Reasoning(text) => format!("thought {text}"),
            Kind::Refusal(text) => format!("refusal {text}"),
            Kind::ToolUse(call) => format!("call {} {} {}", call.id, call.name, call.arguments),
            Kind::Foreign(..) => "foreign".to_owned(),
            _ => "?".to_owned(),
        });
        said.collect()
    }

    fn added(index: u64, item: &Value) -> Value {
        json!({"type": "response.output_item.added", "output_index": index, "item": item})
    }

    fn done(index: u64, item: &Value) -> Value {
        json!({"type": "response.output_item.done", "output_index": index, "item": item})
    }

    fn delta(kind: &str, index: u64, delta: &str) -> Value {
        json!({"type": format!("response.{kind}.delta"), "output_index": index, "content_index": 0,
            "delta": delta})
    }

    fn completed() -> Value {
        json!({"type": "response.completed", "response": {"status": "completed", "output": [],
            "usage": {"input_tokens": 3, "output_tokens": 4}}})
    }

    #[test]
    fn ids_may_change_and_ends_repeat_what_was_told() {
        let message = |id: &str, text: &str| {
            json!({"type": "message", "id": id, "content": [
                {"type": "output_text", "text": text, "annotations": []}]})
        };
        let reply = fold(&[
            json!({"type": "response.created", "response": {"id": "resp_1", "model": "m"}}),
            added(0, &json!({"type": "message", "id": "a", "content": []})),
            delta("output_text", 0, "He"),
            delta("output_text", 0, "llo"),
            json!({"type": "response.output_text.done", "output_index": 0, "content_index": 0,
                "item_id": "b", "text": "Hello"}),
            done(0, &message("c", "Hello")),
            done(1, &message("d", "again")),
            completed(),
        ]);
        assert_eq!(said(&reply), ["text Hello", "text again"]);
        assert_eq!(reply.id.as_deref(), Some("resp_1"));
        assert_eq!(reply.tokens.unwrap().output, 4);
    }

    #[test]
    fn odd_numbers_double_nothing() {
        let reply = fold(&[
            json!({"type": "response.output_text.delta", "output_index": 0, "content_index": 1,
                "delta": "hi"}),
            done(
                0,
                &json!({"type": "message", "content": [{"type": "output_text", "text": "hi"}]}),
            ),
            added(
                1,
                &json!({"type": "function_call", "call_id": "c", "name": "f"}),
            ),
            json!({"type": "response.function_call_arguments.delta", "output_index": 1,
                "content_index": 7, "delta": "{}"}),
            done(
                1,
                &json!({"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}),
            ),
            completed(),
        ]);
        assert_eq!(said(&reply), ["text hi", "call c f {}"]);
    }

    #[test]
    fn what_was_never_told_in_pieces_is_told_at_its_end() {
        let call = json!({"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"});
        let reply = fold(&[
            added(
                0,
                &json!({"type": "function_call", "call_id": "c", "name": "f"}),
            ),
            json!({"type": "response.function_call_arguments.done", "output_index": 0,
                "arguments": "{\"a\":1}"}),
            done(1, &call),
            done(
                2,
                &json!({"type": "reasoning", "summary": [{"text": "s"}],
                "encrypted_content": "gAAA"}),
            ),
            done(3, &json!({"type": "web_search_call", "id": "ws"})),
            done(
                4,
                &json!({"type": "message", "content": [{"type": "refusal", "refusal": "No."}]}),
            ),
            completed(),
        ]);
        let expected = [
            "call c f {\"a\":1}",
            "call c f {}",
            "thought s",
            "foreign",
            "refusal No.",
        ];
        assert_eq!(said(&reply), expected);
        assert!(reply.blocks[2].opaque.is_some());
        assert_eq!(reply.finish.reason, Reason::ToolUse);
    }

    #[test]
    fn calls_that_come_interleaved_are_put_in_order() {
        let call = |id: &str| json!({"type": "function_call", "call_id": id, "name": "f"});
        let reply = fold(&[
            added(0, &call("a")),
            added(1, &call("b")),
            delta("function_call_arguments", 1, "{\"n\":"),
            delta("function_call_arguments", 0, "{}"),
            delta("function_call_arguments", 1, "2}"),
            completed(),
        ]);
        assert_eq!(said(&reply), ["call a f {}", "call b f {\"n\":2}"]);
    }

    #[test]
    fn a_raw_thought_that_ends_last_holds_nothing_back() {
        let events = [
            added(0, &json!({"type": "reasoning", "summary": []})),
            delta("reasoning_text", 0, "hm"),
            added(1, &json!({"type": "message"})),
            delta("output_text", 1, "4"),
        ];
        assert_eq!(said(&fold(&events)).len(), 1, "the text is open");
        assert!(matches!(told(&events).unwrap().last(), Some(Event::Delta(text)) if text == "4"));
        let late = [
            done(
                1,
                &json!({"type": "message", "content": [{"type": "output_text", "text": "4"}]}),
            ),
            json!({"type": "response.reasoning_text.done", "output_index": 0, "content_index": 0,
                "text": "hm"}),
            done(
                0,
                &json!({"type": "reasoning", "content": [
                {"type": "reasoning_text", "text": "hm"}]}),
            ),
            completed(),
        ];
        let reply = fold(&[events.as_slice(), &late].concat());
        assert_eq!(said(&reply), ["thought hm", "text 4"]);
    }

    #[test]
    fn parts_of_a_summary_are_paragraphs() {
        let part = |index: u64, text: &str| {
            json!({"type": "response.reasoning_summary_text.delta", "output_index": 0,
                "summary_index": index, "delta": text})
        };
        let item = json!({"type": "reasoning", "summary": [
            {"type": "summary_text", "text": "one"}, {"type": "summary_text", "text": "two"}],
            "encrypted_content": "gAAA"});
        let reply = fold(&[
            added(
                0,
                &json!({"type": "reasoning", "summary": [], "encrypted_content": "early"}),
            ),
            part(0, "o"),
            part(0, "ne"),
            part(1, "two"),
            done(0, &item),
            completed(),
        ]);
        let mut plain = Reply::default();
        super::plain::item(&serde_json::value::to_raw_value(&item).unwrap(), &mut plain);
        assert_eq!(said(&reply), said(&plain));
        assert_eq!(reply.blocks[0].opaque, plain.blocks[0].opaque);
    }

    #[test]
    fn a_custom_tools_text_becomes_an_argument() {
        let events = [
            added(
                0,
                &json!({"type": "custom_tool_call", "call_id": "c", "name": "sh", "input": ""}),
            ),
            delta("custom_tool_call_input", 0, "echo \"a"),
            delta("custom_tool_call_input", 0, "\"\n"),
            done(
                0,
                &json!({"type": "custom_tool_call", "call_id": "c", "name": "sh",
                "input": "echo \"a\"\n"}),
            ),
            completed(),
        ];
        let expected = r#"call c sh {"input":"echo \"a\"\n"}"#;
        assert_eq!(said(&fold(&events)), [expected]);
        assert_eq!(said(&fold(&events[3..])), [expected]);
    }

    #[test]
    fn a_call_waits_for_its_name() {
        let reply = fold(&[
            delta("function_call_arguments", 0, "{\"a\":"),
            delta("function_call_arguments", 0, "1}"),
            done(
                0,
                &json!({"type": "function_call", "call_id": "c", "name": "f"}),
            ),
            completed(),
        ]);
        assert_eq!(said(&reply), [r#"call c f {"a":1}"#]);
    }

    #[test]
    fn citations_stand_with_their_text_once() {
        let annotation = json!({"type": "url_citation", "url": "https://a", "title": "A",
            "start_index": 0, "end_index": 2});
        let text = json!({"type": "output_text", "text": "hi", "annotations": [annotation]});
        let reply = fold(&[
            added(0, &json!({"type": "message"})),
            delta("output_text", 0, "hi"),
            json!({"type": "response.output_text.annotation.added", "output_index": 0,
                "content_index": 0, "annotation_index": 0, "annotation": annotation}),
            json!({"type": "response.content_part.done", "output_index": 0, "content_index": 0,
                "part": text}),
            done(0, &json!({"type": "message", "content": [text]})),
            completed(),
        ]);
        assert_eq!(reply.citations.len(), 1);
        assert_eq!(reply.citations[0].1.url.as_deref(), Some("https://a"));
    }

    #[test]
    fn an_answer_that_only_its_end_tells_is_told() {
        let reply = fold(&[
            json!({"type": "response.created", "response": {"id": "r"}}),
            json!({"type": "response.incomplete", "response": {"status": "incomplete",
                "incomplete_details": {"reason": "max_output_tokens"}, "output": [
                {"type": "message", "content": [{"type": "output_text", "text": "cut"}]}]}}),
        ]);
        assert_eq!(said(&reply), ["text cut"]);
        assert_eq!(reply.finish.reason, Reason::Length);
    }

    #[test]
    fn an_error_is_an_error_in_each_of_its_forms() {
        let early = json!({"type": "response.created", "response": {"id": "r"}});
        for event in [
            json!({"type": "error", "code": "rate_limit_exceeded", "message": "Slow."}),
            json!({"type": "error", "error": {"code": "rate_limit_exceeded", "message": "Slow."}}),
            json!({"error": {"code": 429, "message": "Slow."}}),
            json!({"type": "response.failed", "response": {"status": "failed",
                "error": {"code": "rate_limit_exceeded", "message": "Slow."}}}),
            json!({"type": "response.completed", "response": {"status": "failed",
                "error": {"code": "rate_limit_exceeded", "message": "Slow."}}}),
        ] {
            assert!(
                told(std::slice::from_ref(&early)).unwrap().is_empty(),
                "nothing has begun"
            );
            let error = told(&[early.clone(), event]).unwrap_err();
            assert_eq!((error.status, error.message.as_str()), (429, "Slow."));
        }
    }

    #[test]
    fn a_cut_stream_has_no_end() {
        let events = told(&[
            added(0, &json!({"type": "message"})),
            delta("output_text", 0, "a"),
        ]);
        let ends = |event: &Event| matches!(event, Event::Finish(_) | Event::End);
        assert!(!events.unwrap().iter().any(ends));
    }

    #[test]
    fn comments_and_other_words_say_nothing() {
        let (mut listener, mut out) = (Listener::default(), Vec::new());
        for event in [
            ": OPENROUTER PROCESSING\n\n",
            "data: [DONE]\n\n",
            "data: not json\n\n",
            "data: {\"type\":\"keepalive\"}\n\n",
            "data: {\"type\":\"response.web_search_call.searching\",\"output_index\":0}\n\n",
        ] {
            listener.event(event.as_bytes(), &mut out).unwrap();
        }
        assert!(out.is_empty());
    }
}
