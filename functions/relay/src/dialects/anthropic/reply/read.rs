//! Reading a provider's plain answer, whatever is odd about it.

use serde_json::value::RawValue;
use shared::domain::dialect::Dialect;

use crate::dialects::anthropic::wire::{self, Counts};
use crate::dialects::json::Fields;
use crate::dialects::neutral::reply::Citation;
use crate::dialects::neutral::request::{Extras, ToolUse};
use crate::dialects::neutral::{Block, Kind, Opaque, Origin, Reply};

/// The answer; `None` when the body is none.
pub(in crate::dialects::anthropic) fn read(body: &[u8]) -> Option<Reply> {
    let body: &RawValue = serde_json::from_slice(body).ok()?;
    let mut fields = Fields::of(body)?;
    if fields.text("type")? != "message" {
        return None;
    }
    // It stays among the members that are carried.
    let container = fields.clone().take("container");
    let usage = fields.take("usage").and_then(Counts::read);
    let usage = usage.map(|usage| usage.within(container));
    let mut reply = Reply {
        id: fields.text("id"),
        model: fields.text("model"),
        tokens: usage.map(Counts::tokens),
        ..Reply::default()
    };
    for raw in fields.array("content") {
        let Some((block, citations)) = block(raw) else {
            continue;
        };
        let at = reply.blocks.len();
        reply
            .citations
            .extend(citations.into_iter().map(|one| (at, one)));
        reply.blocks.push(block);
    }
    reply.finish = wire::read_finish(&mut fields).unwrap_or_default();
    let _ = fields.take("role");
    reply.extras = Extras::rest(Dialect::Anthropic, fields);
    Some(reply)
}

/// A block, and where its text comes from; `None` when it is no block at all.
pub(in crate::dialects::anthropic) fn block(raw: &RawValue) -> Option<(Block, Vec<Citation>)> {
    let mut fields = Fields::of(raw)?;
    let kind = fields.text("type")?;
    let mut text = |name: &str| fields.text(name).unwrap_or_default();
    let mut opaque = None;
    let kind = match kind.as_str() {
        "text" => Kind::Text(text("text")),
        "thinking" => {
            let signature = text("signature");
            opaque = Some(signature).filter(|signature| !signature.is_empty());
            Kind::Reasoning(text("thinking"))
        }
        "redacted_thinking" => {
            opaque = Some(text("data"));
            Kind::Redacted
        }
        "tool_use" => Kind::ToolUse(ToolUse {
            id: text("id"),
            name: text("name"),
            arguments: arguments(fields.take("input")),
        }),
        _ => {
            let foreign = Kind::Foreign(Dialect::Anthropic, raw.to_owned());
            return Some((Block::new(foreign), Vec::new()));
        }
    };
    let citations = fields.array("citations");
    let citations = citations.into_iter().filter_map(wire::read_citation);
    let opaque = opaque.map(|data| Opaque::new(Origin::Anthropic, data));
    Some((Block::new(kind).with_opaque(opaque), citations.collect()))
}

/// The arguments of a call. Some servers write them as a text, as other dialects do.
fn arguments(input: Option<&RawValue>) -> String {
    let Some(input) = input else {
        return "{}".to_owned();
    };
    match crate::dialects::json::text(input) {
        Some(text) if text.trim().is_empty() => "{}".to_owned(),
        Some(text) => text,
        None => input.get().to_owned(),
    }
}
