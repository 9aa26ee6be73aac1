//! A provider's plain answer → the neutral form. Whatever is odd or missing is passed over.
//!
//! A call of the model's own wrapper for parallel calls (`multi_tool_use.parallel`) stays the one call
//! that it is: the express lane does not take it apart either, and whoever declared a tool of that
//! name wants it whole.

use serde_json::value::RawValue;
use shared::domain::dialect::Dialect;

use super::super::pieces::Pieces;
use super::super::{items, state, wire};
use crate::dialects::json::{Fields, array, text};
use crate::dialects::neutral::request::ToolUse;
use crate::dialects::neutral::{Block, Finish, Kind, Reason, Reply};

/// A plain answer; a failed one is none.
pub(in crate::dialects) fn read(body: &[u8]) -> Option<Reply> {
    let mut response = Fields::parse(std::str::from_utf8(body).ok()?)?;
    let output = response.take("output")?;
    if !output.get().starts_with('[') {
        return None;
    }
    let finish = finish(&mut response, "completed")?;
    let mut reply = Reply {
        id: response.text("id"),
        model: response.text("model"),
        ..Reply::default()
    };
    let output = array(output);
    reply.tokens = wire::read_usage(&mut response, &Pieces::of(&output));
    for raw in output {
        item(raw, &mut reply);
    }
    let mut holds = Holds::default();
    reply.blocks.iter().for_each(|block| holds.see(&block.kind));
    reply.finish = holds.ended(finish);
    Some(reply)
}

/// Why a response ended; `None` when it failed. Where it does not say, the event that ends it does.
pub(in crate::dialects) fn finish(response: &mut Fields<'_>, event: &str) -> Option<Finish> {
    let status = response.text("status").unwrap_or_else(|| event.to_owned());
    if status == "failed" {
        return None;
    }
    let details = response.object("incomplete_details");
    let reason = details.and_then(|mut details| details.text("reason"));
    Some(wire::read_finish(&status, reason.as_deref()))
}

/// What an answer holds, as far as it tells why it ended.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::dialects) struct Holds {
    calls: bool,
    texts: bool,
    refusals: bool,
}

impl Holds {
    /// One block more.
    pub(in crate::dialects) fn see(&mut self, kind: &Kind) {
        match kind {
            Kind::ToolUse(_) => self.calls = true,
            Kind::Text(_) => self.texts = true,
            Kind::Refusal(_) => self.refusals = true,
            _ => {}
        }
    }

    /// Why the answer ended, if the provider says so: it may call tools, or do nothing but refuse.
    pub(in crate::dialects) fn ended(self, finish: Finish) -> Finish {
        if self.refusals && !self.texts && !self.calls && finish.reason == Reason::Stop {
            return Finish {
                reason: Reason::Refusal,
                ..finish
            };
        }
        finish.with_calls(self.calls)
    }
}

/// An item of the output.
pub(in crate::dialects) fn item(raw: &RawValue, reply: &mut Reply) {
    let Some(mut fields) = Fields::of(raw) else {
        return;
    };
    match fields.text("type").as_deref() {
        Some("message") => {
            let Some(content) = fields.take("content") else {
                return;
            };
            if let Some(text) = text(content).filter(|text| !text.is_empty()) {
                reply.blocks.push(Block::text(text));
            }
            for raw in array(content) {
                part(raw, reply);
            }
        }
        Some("reasoning") => reply.blocks.push(thought(&mut fields)),
        Some("function_call") => {
            let arguments = fields.text("arguments").unwrap_or_default();
            reply.blocks.push(call(&mut fields, arguments));
        }
        Some("custom_tool_call") => {
            let input = fields.text("input").unwrap_or_default();
            reply
                .blocks
                .push(call(&mut fields, items::arguments(&input)));
        }
        Some(_) => {
            let kind = Kind::Foreign(Dialect::OpenaiResponses, raw.to_owned());
            reply.blocks.push(Block::new(kind));
        }
        None => {}
    }
}

fn part(raw: &RawValue, reply: &mut Reply) {
    let Some(mut fields) = Fields::of(raw) else {
        return;
    };
    let kind = match fields.text("type").as_deref() {
        Some("refusal") => fields.text("refusal").map(Kind::Refusal),
        _ => fields.text("text").map(Kind::Text),
    };
    let Some(kind) = kind else { return };
    if matches!(&kind, Kind::Text(text) | Kind::Refusal(text) if text.is_empty()) {
        return;
    }
    let at = reply.blocks.len();
    let annotations = fields.array("annotations").into_iter();
    let citations = annotations.map(|raw| (at, items::citation(raw)));
    reply.citations.extend(citations);
    reply.blocks.push(Block::new(kind));
}

/// A thought: what the model has thought itself, where that is told, or else its summary.
fn thought(fields: &mut Fields<'_>) -> Block {
    let parts = |value: Option<&RawValue>| value.map(items::texts).unwrap_or_default();
    let (content, summary) = (parts(fields.take("content")), parts(fields.take("summary")));
    let mut text = items::joined(&content);
    if text.is_empty() {
        text = items::joined(&summary);
    }
    let state = fields.text("encrypted_content");
    Block::new(Kind::Reasoning(text)).with_opaque(state.map(state::of_provider))
}

fn call(fields: &mut Fields<'_>, arguments: String) -> Block {
    Block::new(Kind::ToolUse(ToolUse {
        id: call_id(fields).unwrap_or_default(),
        name: fields.text("name").unwrap_or_default(),
        arguments,
    }))
}

/// By which a call's output is found: the item's own id is only used where there is no other.
pub(in crate::dialects) fn call_id(fields: &mut Fields<'_>) -> Option<String> {
    let said = |id: &String| !id.is_empty();
    let call_id = fields.text("call_id").filter(said);
    call_id.or_else(|| fields.text("id").filter(said))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_item_by_item() {
        let body = br#"{"id":"resp_1","object":"response","status":"completed","model":"m","error":null,
            "output":[
             {"id":"rs_1","type":"reasoning","encrypted_content":"gAAA",
              "summary":[{"type":"summary_text","text":"one"},{"type":"summary_text","text":"two"}]},
             {"id":"ws_1","type":"web_search_call","status":"completed"},
             {"type":"message","content":[
              {"type":"output_text","text":"hi","annotations":[
               {"type":"url_citation","url":"https://a","title":"A","start_index":0,"end_index":2}]},
              {"type":"output_text","text":""}]},
             {"type":"function_call","id":"fc_1","call_id":"call_1","name":"f","arguments":"{\"a\":1.0}"},
             {"type":"custom_tool_call","id":"ctc_1","call_id":"call_2","name":"g","input":"x\ny"}],
            "usage":{"input_tokens":5,"output_tokens":7}}"#;
        let reply = read(body).unwrap();
        assert_eq!(reply.blocks.len(), 5);
        let Kind::Reasoning(text) = &reply.blocks[0].kind else {
            panic!()
        };
        assert_eq!(text, "one\n\ntwo");
        assert_eq!(state::native(reply.blocks[0].opaque.as_ref()), Some("gAAA"));
        assert!(matches!(reply.blocks[1].kind, Kind::Foreign(..)));
        assert_eq!(reply.citations[0].0, 2);
        assert_eq!(reply.citations[0].1.span, Some((0, 2)));
        let Kind::ToolUse(call) = &reply.blocks[4].kind else {
            panic!()
        };
        assert_eq!(call.arguments, r#"{"input":"x\ny"}"#);
        assert_eq!(reply.finish.reason, Reason::ToolUse);
    }

    #[test]
    fn a_call_that_was_cut_is_no_call_to_run() {
        let body = br#"{"status":"incomplete","output":[
            {"type":"function_call","call_id":"c","name":"f","arguments":"{\"a\":"}]}"#;
        let reply = read(body).unwrap();
        assert_eq!(reply.finish.reason, Reason::Length);
    }

    #[test]
    fn a_refusal_alone_is_one() {
        let body = br#"{"status":"completed","output":[
            {"type":"message","content":[{"type":"refusal","refusal":"No."}]}]}"#;
        assert_eq!(read(body).unwrap().finish.reason, Reason::Refusal);
    }

    #[test]
    fn what_is_no_answer_is_none() {
        for body in [
            r#"{"error":{"message":"x"}}"#,
            r#"{"status":"failed","output":[],"error":{"code":"x"}}"#,
            "<html>",
        ] {
            assert!(read(body.as_bytes()).is_none(), "{body}");
        }
    }
}
