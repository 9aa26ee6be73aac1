//! A plain answer of Converse → the neutral form.

use serde_json::value::RawValue;
use shared::domain::dialect::Dialect;

use crate::dialects::bedrock::model::Model;
use crate::dialects::bedrock::wire::{self, Tools};
use crate::dialects::json::Fields;
use crate::dialects::neutral::reply::Citation;
use crate::dialects::neutral::request::{Extras, Medium, Source};
use crate::dialects::neutral::{Block, Finish, Kind, Opaque, Origin, Reply};

/// The answer in a body; `None` when there is none.
pub(in crate::dialects::bedrock) fn read(body: &[u8], model: Model<'_>) -> Option<Reply> {
    let mut fields = Fields::parse(std::str::from_utf8(body).ok()?)?;
    let mut message = fields.object("output")?.object("message")?;
    let mut reply = Reply::default();
    let mut tools = Tools::default();
    for content in message.array("content") {
        add(content, model.origin(), &mut reply);
        let call = Fields::of(content).and_then(|mut content| content.object("toolUse"));
        if let Some(mut call) = call.filter(|call| is_own(&mut call.clone())) {
            tools.see(&call.text("name").unwrap_or_default());
        }
    }
    reply.finish = finish(&mut fields);
    reply.tokens = wire::tokens(&mut fields).map(|usage| tools.add(usage));
    reply.extras = Extras::rest(Dialect::Bedrock, fields);
    Some(reply)
}

/// Converse always tells why it ends; an answer without is at its end.
fn finish(fields: &mut Fields<'_>) -> Finish {
    wire::finish(fields).unwrap_or_default()
}

fn add(content: &RawValue, origin: Origin, reply: &mut Reply) {
    let Some(mut fields) = Fields::of(content) else {
        return;
    };
    if let Some(text) = fields.text("text") {
        if !text.is_empty() {
            reply.blocks.push(Block::text(text));
        }
    } else if let Some(thought) = fields.object("reasoningContent") {
        reply.blocks.extend(reasoning(thought, origin));
    } else if let Some(mut cited) = fields.object("citationsContent") {
        let citations = cited.array("citations").into_iter().map(citation);
        let at = reply.blocks.len();
        reply.citations.extend(citations.map(|one| (at, one)));
        let text = wire::texts(cited.array("content")).unwrap_or_default();
        reply.blocks.push(Block::text(text));
    } else if let Some(block) = fields.object("toolUse").and_then(call) {
        reply.blocks.push(block);
    } else if let Some(block) = fields.object("image").and_then(image) {
        reply.blocks.push(block);
    } else {
        reply.blocks.push(foreign(content));
    }
}

fn reasoning(mut thought: Fields<'_>, origin: Origin) -> Option<Block> {
    if let Some(text) = thought.text("redactedContent") {
        return Some(redacted(origin, wire::decode(&text)?));
    }
    let mut told = thought.object("reasoningText")?;
    let text = told.text("text").unwrap_or_default();
    let signature = told.text("signature").filter(|text| !text.is_empty());
    if text.is_empty() && signature.is_none() {
        return None;
    }
    let opaque = signature.map(|signature| Opaque::new(origin, signature));
    Some(Block::new(Kind::Reasoning(text)).with_opaque(opaque))
}

/// A thought of which only the state is told.
pub(in crate::dialects::bedrock) fn redacted(origin: Origin, bytes: Vec<u8>) -> Block {
    let (origin, data) = wire::redacted(origin, bytes);
    Block::new(Kind::Redacted).with_opaque(Some(Opaque::new(origin, data)))
}

/// A call by the model; `None` when it is one of a tool of the provider's own.
fn call(mut fields: Fields<'_>) -> Option<Block> {
    if is_own(&mut fields) {
        return None;
    }
    let id = fields.text("toolUseId").unwrap_or_default();
    let name = fields.text("name").unwrap_or_default();
    let input = fields.take("input").map_or("{}", RawValue::get);
    Some(Block::call(id, name, input))
}

/// Whether a call's type says that the provider itself answers it.
pub(in crate::dialects::bedrock) fn is_own(call: &mut Fields<'_>) -> bool {
    call.text("type").is_some_and(|kind| kind != "tool_use")
}

fn image(mut fields: Fields<'_>) -> Option<Block> {
    let format = fields.text("format")?;
    let mut source = fields.object("source")?;
    let source = match source.text("bytes") {
        Some(bytes) => Source::Base64(bytes),
        None => Source::Url(source.object("s3Location")?.text("uri")?),
    };
    Some(picture(&format, source))
}

/// A picture that the model has made.
pub(in crate::dialects::bedrock) fn picture(format: &str, source: Source) -> Block {
    Block::new(Kind::Image(Medium {
        mime: Some(format!("image/{format}")),
        source,
        ..Medium::default()
    }))
}

/// Where a text comes from.
pub(in crate::dialects::bedrock) fn citation(raw: &RawValue) -> Citation {
    let mut fields = Fields::of(raw).unwrap_or_default();
    let web = fields
        .object("location")
        .and_then(|mut location| location.object("web")?.text("url"));
    let source = fields.text("source");
    Citation {
        url: web.or(source.filter(|source| source.starts_with("http"))),
        title: fields.text("title"),
        quote: wire::texts(fields.array("sourceContent")),
        span: None,
        raw: Some(raw.to_owned()),
    }
}

/// A block that nobody else knows.
pub(in crate::dialects::bedrock) fn foreign(raw: &RawValue) -> Block {
    Block::new(Kind::Foreign(Dialect::Bedrock, raw.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialects::neutral::Reason;

    const CLAUDE: Model<'static> = Model("us.anthropic.claude-sonnet-4-5-20250929-v1:0");

    #[test]
    fn every_kind_of_block_is_understood() {
        let body = br#"{"output":{"message":{"role":"assistant","content":[
            {"reasoningContent":{"reasoningText":{"text":"hm","signature":"Ep=="}}},
            {"reasoningContent":{"redactedContent":"RXU4Qg=="}},
            {"text":""},
            {"text":"Employees get "},
            {"citationsContent":{"content":[{"text":"20 "},{"text":"days"}],"citations":[
                {"title":"policy","sourceContent":[{"text":"20 days."}],
                 "location":{"documentChar":{"documentIndex":0,"start":0,"end":8}}}]}},
            {"toolUse":{"toolUseId":"t.1:2","name":"f","input":{"n":1.0}}},
            {"toolUse":{"toolUseId":"s","name":"nova_code_interpreter","input":{},"type":"server_tool_use"}},
            {"image":{"format":"png","source":{"bytes":"aGk="}}}]}},
            "stopReason":"tool_use","metrics":{"latencyMs":3},
            "usage":{"inputTokens":2,"outputTokens":5,"totalTokens":29,
                "cacheReadInputTokens":9,"cacheReadInputTokenCount":9,
                "cacheWriteInputTokens":13,"cacheWriteInputTokenCount":13,
                "cacheDetails":[{"ttl":"5m","inputTokens":3},{"ttl":"1h","inputTokens":10}]}}"#;
        let reply = read(body, CLAUDE).unwrap();
        let kinds = reply.blocks.iter().map(|block| match &block.kind {
            Kind::Text(text) => format!("text {text}"),
            Kind::Reasoning(text) => format!("thought {text}"),
            Kind::ToolUse(call) => format!("call {} {} {}", call.id, call.name, call.arguments),
            Kind::Redacted => "redacted".to_owned(),
            Kind::Foreign(dialect, _) => format!("foreign {dialect}"),
            Kind::Image(medium) => format!("image {}", medium.mime.as_deref().unwrap()),
            other => format!("{other:?}"),
        });
        assert_eq!(
            kinds.collect::<Vec<_>>(),
            [
                "thought hm",
                "redacted",
                "text Employees get ",
                "text 20 days",
                r#"call t.1:2 f {"n":1.0}"#,
                "foreign bedrock",
                "image image/png"
            ]
        );
        assert_eq!(
            reply.blocks[0].opaque,
            Some(Opaque::new(Origin::Anthropic, "Ep=="))
        );
        assert_eq!(
            reply.blocks[1].opaque,
            Some(Opaque::new(Origin::Anthropic, "Eu8B"))
        );
        let (at, cited) = &reply.citations[0];
        assert_eq!((*at, cited.quote.as_deref()), (3, Some("20 days.")));
        assert_eq!(reply.finish, Finish::new(Reason::ToolUse, "tool_use"));
        let tokens = reply.tokens.unwrap();
        assert_eq!((tokens.input, tokens.output, tokens.cache_read), (2, 5, 9));
        assert_eq!((tokens.cache_write_5m, tokens.cache_write_1h), (3, 10));
    }

    #[test]
    fn reasons_are_an_open_list() {
        for (word, reason) in [
            ("guardrail_intervened", Reason::Refusal),
            ("malformed_tool_use", Reason::MalformedCall),
            ("model_context_window_exceeded", Reason::ContextFull),
            ("tired", Reason::Other),
        ] {
            let body = format!(r#"{{"output":{{"message":{{}}}},"stopReason":"{word}"}}"#);
            let reply = read(body.as_bytes(), CLAUDE).unwrap();
            assert_eq!(reply.finish, Finish::new(reason, word));
        }
        let body = br#"{"output":{"message":{"content":null}},"stopReason":"stop_sequence",
            "additionalModelResponseFields":{"delta":{"stop_sequence":"END"}}}"#;
        let reply = read(body, CLAUDE).unwrap();
        assert_eq!(reply.finish.stop_sequence.as_deref(), Some("END"));
    }

    #[test]
    fn an_error_is_no_answer() {
        assert!(read(br#"{"message":"no"}"#, CLAUDE).is_none());
        assert!(read(b"[]", CLAUDE).is_none());
    }
}
