//! A plain answer of Cohere's → neutral.

use std::str;

use super::super::wire;
use crate::dialects::json::{Fields, text};
use crate::dialects::neutral::{Block, Kind, Reply};

/// The answer; `None` when it is none, or ended because something broke.
pub(in crate::dialects::cohere) fn read(body: &[u8], model: &str) -> Option<Reply> {
    let mut fields = Fields::parse(str::from_utf8(body).ok()?)?;
    let mut message = fields.object("message")?;
    let word = fields.text("finish_reason").unwrap_or_default();
    if wire::is_failure(&word) {
        return None;
    }
    let mut reply = Reply {
        id: fields.text("id"),
        model: Some(model.to_owned()),
        finish: wire::finish(&word),
        tokens: fields.take("usage").and_then(wire::tokens),
        ..Reply::default()
    };
    if let Some(plan) = message.text("tool_plan").filter(|plan| !plan.is_empty()) {
        reply.blocks.push(Block::new(Kind::Reasoning(plan)));
    }
    let places = contents(&mut message, &mut reply);
    for value in message.array("citations") {
        let Some((index, citation)) = wire::citation(value) else {
            continue;
        };
        let named = index.and_then(|index| places.iter().find(|place| place.0 == index));
        // Those that name no block are about the only text there is.
        if let Some((_, block)) = named.or(places.last()) {
            reply.citations.push((*block, citation));
        }
    }
    for value in message.array("tool_calls") {
        let Some(mut call) = Fields::of(value) else {
            continue;
        };
        let mut function = call.object("function").unwrap_or_default();
        let arguments = function.text("arguments").unwrap_or_default();
        let arguments = match arguments.trim() {
            "" | "null" => "{}".to_owned(),
            _ => arguments,
        };
        let id = call.text("id").unwrap_or_default();
        let name = function.text("name").unwrap_or_default();
        reply.blocks.push(Block::call(id, name, arguments));
    }
    Some(reply)
}

/// Reads texts and thoughts. Tells for each text its place in Cohere's array, and among the blocks.
fn contents(message: &mut Fields<'_>, reply: &mut Reply) -> Vec<(u64, usize)> {
    let Some(content) = message.take("content") else {
        return Vec::new();
    };
    let mut places = Vec::new();
    if let Some(whole) = text(content) {
        if !whole.is_empty() {
            places.push((0, reply.blocks.len()));
            reply.blocks.push(Block::text(whole));
        }
        return places;
    }
    for (at, value) in (0..).zip(crate::dialects::json::array(content)) {
        let Some(mut part) = Fields::of(value) else {
            continue;
        };
        let thought = part.text("thinking").filter(|thought| !thought.is_empty());
        let said = part.text("text").filter(|said| !said.is_empty());
        if let Some(thought) = thought {
            reply.blocks.push(Block::new(Kind::Reasoning(thought)));
        } else if let Some(said) = said {
            places.push((at, reply.blocks.len()));
            reply.blocks.push(Block::text(said));
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialects::neutral::Reason;

    #[test]
    fn a_plan_and_its_calls_are_read() {
        let body = br#"{"id":"a","message":{"role":"assistant","tool_plan":"Ask both.",
            "tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"n\":1.0}"}},
            {"id":"c2","type":"function","function":{"name":"g","arguments":"null"}}]},
            "finish_reason":"TOOL_CALL","usage":{"billed_units":{"input_tokens":3,"output_tokens":4}}}"#;
        let reply = read(body, "command-a").unwrap();
        assert_eq!(reply.finish.reason, Reason::ToolUse);
        assert_eq!(reply.tokens.unwrap().output, 4);
        let Kind::Reasoning(plan) = &reply.blocks[0].kind else {
            panic!("{:?}", reply.blocks)
        };
        assert_eq!(plan, "Ask both.");
        let calls = reply.blocks[1..].iter().map(|block| match &block.kind {
            Kind::ToolUse(call) => (call.id.as_str(), call.arguments.as_str()),
            other => panic!("{other:?}"),
        });
        assert_eq!(
            calls.collect::<Vec<_>>(),
            [("c1", r#"{"n":1.0}"#), ("c2", "{}")]
        );
    }

    #[test]
    fn a_citation_belongs_to_its_text() {
        let body = br#"{"id":"a","message":{"content":[{"type":"thinking","thinking":"Hm."},
            {"type":"text","text":"Blue."}],"citations":[
            {"start":0,"end":4,"text":"Blue","content_index":1,"type":"TEXT_CONTENT","sources":
            [{"type":"document","id":"d","document":{"id":"d","title":"Sky","text":"It is blue."}}]},
            {"start":0,"end":1,"type":"PLAN"}]},"finish_reason":"COMPLETE"}"#;
        let reply = read(body, "m").unwrap();
        let [(block, citation)] = reply.citations.as_slice() else {
            panic!("{:?}", reply.citations)
        };
        assert_eq!((*block, citation.span), (1, Some((0, 4))));
        assert_eq!(citation.title.as_deref(), Some("Sky"));
        assert_eq!(reply.tokens, None);
    }

    #[test]
    fn what_is_no_answer_is_none() {
        for body in [
            "{}",
            "[]",
            r#"{"message":"no"}"#,
            r#"{"message":{"content":[]},"finish_reason":"ERROR"}"#,
        ] {
            assert!(read(body.as_bytes(), "m").is_none(), "{body}");
        }
        assert!(read(br#"{"message":{}}"#, "m").is_some());
    }
}
