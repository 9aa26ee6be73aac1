//! Writing a plain answer for a caller.

use bytes::Bytes;
use shared::domain::dialect::Dialect;

use crate::dialects::Asked;
use crate::dialects::anthropic::wire::{self, Refused};
use crate::dialects::json::{Json, Object};
use crate::dialects::neutral::request::{Medium, Source};
use crate::dialects::neutral::{Block, Kind, Opaque, Origin, Reply};

/// The answer.
pub(in crate::dialects::anthropic) fn write(reply: &Reply, asked: &Asked<'_>) -> Bytes {
    let mut content: Vec<Json> = Vec::with_capacity(reply.blocks.len());
    for (at, block) in reply.blocks.iter().enumerate() {
        let state = carrier(block);
        let (before, after) = match block.kind {
            Kind::ToolUse(_) => (state, None),
            _ => (None, state),
        };
        content.extend(before.map(Json::from));
        let cited = reply.citations.iter().filter(|(index, _)| *index == at);
        let cited = cited.map(|(_, citation)| wire::citation(citation));
        if !is_carrier(block) {
            let id = call_id(asked, content.len());
            content.extend(whole(block, cited.collect(), &id).map(Json::from));
        }
        content.extend(after.map(Json::from));
    }
    let mut blocks = reply.blocks.iter();
    let refused = Refused(blocks.any(|block| matches!(block.kind, Kind::Refusal(_))));
    let stopped = reply.finish.stop_sequence.clone();
    head(reply.id.as_deref(), reply.model.as_deref(), asked)
        .with("content", Json::Array(content))
        .with("stop_reason", wire::stop_reason(&reply.finish, refused))
        .with("stop_sequence", stopped.map_or(Json::Null, Json::from))
        .with("usage", wire::usage(reply.tokens))
        .to_bytes()
}

/// What an answer begins with. An id of another dialect would look odd: it is the request's then.
pub(in crate::dialects::anthropic) fn head(
    id: Option<&str>,
    model: Option<&str>,
    asked: &Asked<'_>,
) -> Object {
    let id = match id {
        Some(id) if id.starts_with("msg_") => id.to_owned(),
        _ => format!("msg_{}", asked.id),
    };
    let model = model.filter(|model| !model.is_empty());
    Object::new()
        .with("id", id)
        .with("type", "message")
        .with("role", "assistant")
        .with("model", model.unwrap_or(&asked.wanted.model).to_owned())
}

/// An id for a call to which its provider gave none.
pub(in crate::dialects::anthropic) fn call_id(asked: &Asked<'_>, index: usize) -> String {
    format!("toolu_{}_{index}", asked.id)
}

/// The state of a text or a call, in an empty thought beside it: callers bring thoughts back, and
/// nothing else.
pub(in crate::dialects::anthropic) fn carrier(block: &Block) -> Option<Object> {
    let opaque = block.opaque.as_ref()?;
    let carried = matches!(block.kind, Kind::Text(_) | Kind::ToolUse(_));
    carried.then(|| thought_of(opaque))
}

/// Whether a block is an empty text that is there for its state only.
pub(in crate::dialects::anthropic) fn is_carrier(block: &Block) -> bool {
    matches!(&block.kind, Kind::Text(text) if text.is_empty()) && block.opaque.is_some()
}

/// An empty thought that carries a state.
pub(in crate::dialects::anthropic) fn thought_of(opaque: &Opaque) -> Object {
    Object::of_type("thinking")
        .with("thinking", "")
        .with("signature", opaque.seal(Origin::Anthropic))
}

/// A block in one piece; `None` when callers of this dialect know no such block.
pub(in crate::dialects::anthropic) fn whole(
    block: &Block,
    citations: Vec<Json>,
    call_id: &str,
) -> Option<Object> {
    let state = |block: &Block| {
        let sealed = block
            .opaque
            .as_ref()
            .map(|state| state.seal(Origin::Anthropic));
        sealed.unwrap_or_default()
    };
    match &block.kind {
        Kind::Text(text) | Kind::Refusal(text) => {
            let cited = Some(citations).filter(|citations| !citations.is_empty());
            let object = Object::of_type("text").with("text", text);
            Some(object.maybe("citations", cited.map(Json::Array)))
        }
        Kind::Reasoning(text) => Some(
            Object::of_type("thinking")
                .with("thinking", text)
                .with("signature", state(block)),
        ),
        Kind::Redacted => Some(Object::of_type("redacted_thinking").with("data", state(block))),
        Kind::ToolUse(call) => {
            let id = Some(call.id.as_str()).filter(|id| !id.is_empty());
            let object = Object::of_type("tool_use").with("id", id.unwrap_or(call_id).to_owned());
            Some(object.with("name", &call.name).with("input", call.object()))
        }
        Kind::Image(picture) => self::picture(picture),
        // Its members stand as they are.
        Kind::Foreign(Dialect::Anthropic, raw) => {
            let mut object = Object::new();
            for (name, value) in crate::dialects::json::Fields::of(raw)?.rest() {
                object.put(name, value.to_owned());
            }
            Some(object)
        }
        _ => None,
    }
}

/// A picture that the model made, as this dialect writes pictures.
fn picture(picture: &Medium) -> Option<Object> {
    let source = match &picture.source {
        Source::Base64(data) => {
            let mime = picture
                .mime
                .clone()
                .unwrap_or_else(|| "image/png".to_owned());
            let source = Object::of_type("base64").with("media_type", mime);
            source.with("data", data)
        }
        Source::Url(url) => Object::of_type("url").with("url", url),
        _ => return None,
    };
    Some(Object::of_type("image").with("source", source))
}
