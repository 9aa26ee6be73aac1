//! System, messages and their blocks.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use shared::domain::dialect::Dialect;
use shared::failure::Failure;

use super::turns::{Conversation, word};
use super::{Pen, names, put_parts, tools};
use crate::dialects::anthropic::request::SOURCE;
use crate::dialects::anthropic::wire;
use crate::dialects::json::{Json, Object};
use crate::dialects::neutral::request::{Content, Medium, Source, ToolResult, ToolUse};
use crate::dialects::neutral::{Block, Field, Kind};

/// What the model is told before the conversation, and this `instruction`.
pub(super) fn system(
    conversation: &Conversation<'_>,
    instruction: Option<String>,
    pen: &mut Pen<'_>,
) -> Option<Json> {
    if conversation.plain
        && instruction.is_none()
        && let [one] = conversation.system.as_slice()
        && let Some(text) = bare(one)
    {
        return Some(text.into());
    }
    let mut blocks: Vec<Json> = Vec::new();
    for block in &conversation.system {
        blocks.extend(system_block(block, pen));
    }
    blocks.extend(instruction.map(|text| Object::of_type("text").with("text", text).into()));
    (!blocks.is_empty()).then_some(Json::Array(blocks))
}

fn system_block(block: &Block, pen: &mut Pen<'_>) -> Option<Json> {
    match &block.kind {
        Kind::Text(text) => Some(with_rest(
            Object::of_type("text").with("text", text),
            block,
            pen,
        )),
        Kind::Foreign(_, raw) => Some(raw.into()),
        _ => None,
    }
}

/// The text of a block that has nothing beside it.
fn bare(block: &Block) -> Option<String> {
    match &block.kind {
        Kind::Text(text) if block.cache.is_none() && block.extras.0.is_empty() => {
            Some(text.clone())
        }
        _ => None,
    }
}

/// The messages.
pub(super) fn messages(
    conversation: &Conversation<'_>,
    pen: &mut Pen<'_>,
) -> Result<Json, Failure> {
    let mut messages: Vec<Json> = Vec::with_capacity(conversation.turns.len());
    for said in &conversation.turns {
        let mut message = Object::new().with("role", said.side.word());
        let text = match said.blocks.as_slice() {
            [one] if said.plain => bare(one),
            _ => None,
        };
        let content = match text {
            Some(text) => text.into(),
            None => {
                let mut blocks = Vec::with_capacity(said.blocks.len());
                for one in &said.blocks {
                    blocks.extend(block(one, pen)?);
                }
                Json::Array(blocks)
            }
        };
        message.put("content", content);
        for extra in &said.extras {
            if !message.has(&extra.name) {
                message.put(extra.name.clone(), &extra.value);
            }
        }
        messages.push(message.into());
    }
    Ok(Json::Array(messages))
}

fn block(block: &Block, pen: &mut Pen<'_>) -> Result<Option<Json>, Failure> {
    let object = match &block.kind {
        Kind::Text(text) | Kind::Refusal(text) => Object::of_type("text").with("text", text),
        Kind::Image(medium) | Kind::Document(medium) => self::medium(medium, block, pen)?,
        Kind::ToolUse(call) => self::call(call, pen),
        Kind::ToolResult(result) => self::result(result, pen)?,
        Kind::Reasoning(text) => {
            let signature = block.opaque.as_ref().map(|opaque| opaque.data.clone());
            let thought = Object::of_type("thinking").with("thinking", text);
            let mut thought = thought.maybe("signature", signature);
            pen.put_extras(&mut thought, &block.extras, "messages[].content[].");
            return Ok(Some(thought.into()));
        }
        Kind::Redacted => Object::of_type("redacted_thinking").maybe(
            "data",
            block.opaque.as_ref().map(|opaque| opaque.data.clone()),
        ),
        Kind::Foreign(Dialect::Anthropic, raw) => return Ok(Some(raw.into())),
        Kind::Audio(_) | Kind::Video(_) | Kind::Foreign(..) => return Ok(None),
    };
    Ok(Some(with_rest(object, block, pen)))
}

/// A block with its hint to cache and what only this dialect understands.
fn with_rest(mut object: Object, block: &Block, pen: &mut Pen<'_>) -> Json {
    pen.put_cache(&mut object, block.cache, &block.extras);
    // Citations that another provider made have no index here, and would be refused.
    let foreign = block.extras.get(Dialect::Anthropic, "citations");
    if matches!(block.kind, Kind::Text(_)) && foreign.is_some_and(|raw| wire::cites_others(raw)) {
        let mut extras = block.extras.clone();
        extras.0.retain(|extra| extra.name != "citations");
        pen.put_extras(&mut object, &extras, "messages[].content[].");
    } else {
        pen.put_extras(&mut object, &block.extras, "messages[].content[].");
    }
    object.into()
}

fn call(call: &ToolUse, pen: &mut Pen<'_>) -> Object {
    let input: Json = if pen.text_tools.contains(call.name.as_str()) {
        Object::new().with(tools::TEXT, &call.arguments).into()
    } else {
        call.object().into()
    };
    Object::of_type("tool_use")
        .with("id", names::id(&call.id).into_owned())
        .with("name", tools::name(&call.name, pen).into_owned())
        .with("input", input)
}

fn result(result: &ToolResult, pen: &mut Pen<'_>) -> Result<Object, Failure> {
    let object =
        Object::of_type("tool_result").with("tool_use_id", names::id(&result.id).into_owned());
    let content = result_content(&result.content, pen)?;
    Ok(object
        .maybe("content", content)
        .maybe("is_error", result.failed))
}

fn result_content(content: &Content, pen: &mut Pen<'_>) -> Result<Option<Json>, Failure> {
    if content.plain
        && let [one] = content.blocks.as_slice()
        && let Some(text) = bare(one)
    {
        return Ok(Some(text.into()));
    }
    let mut blocks = Vec::with_capacity(content.blocks.len());
    for one in &content.blocks {
        match &one.kind {
            Kind::Text(text) if text.trim().is_empty() => {}
            Kind::Text(_)
            | Kind::Image(_)
            | Kind::Document(_)
            | Kind::Foreign(Dialect::Anthropic, _) => blocks.extend(block(one, pen)?),
            other => pen.notes.drop(Field::Content(word(other))),
        }
    }
    Ok((!blocks.is_empty()).then_some(Json::Array(blocks)))
}

/// A picture or a document, by what it is and not by what it is called.
fn medium(medium: &Medium, block: &Block, pen: &mut Pen<'_>) -> Result<Object, Failure> {
    if medium
        .detail
        .as_deref()
        .is_some_and(|detail| detail != "auto")
    {
        pen.notes.drop(Field::ImageDetail);
    }
    let picture = matches!(block.kind, Kind::Image(_));
    let (picture, source): (bool, Json) = match block.extras.get(Dialect::Anthropic, "source") {
        Some(raw) => (picture, raw.into()),
        None => {
            let (picture, mut source) = source(medium, picture)?;
            put_parts(&mut source, SOURCE, &block.extras);
            (picture, source.into())
        }
    };
    let object = Object::of_type(if picture { "image" } else { "document" });
    let object = object.with("source", source);
    Ok(if picture {
        object
    } else {
        object.maybe("title", medium.name.clone())
    })
}

/// The source, and whether it is that of a picture.
fn source(medium: &Medium, picture: bool) -> Result<(bool, Object), Failure> {
    Ok(match &medium.source {
        Source::Text(text) => (false, text_source(text)),
        Source::File(id) if id.starts_with("file-") => {
            let text = "This file was uploaded to another provider: send its bytes.";
            return Err(Failure::bad_field("file_id", text));
        }
        Source::File(id) => (picture, Object::of_type("file").with("file_id", id)),
        Source::Url(url) => match data_url(url) {
            Some((mime, data)) => bytes(mime, data)?,
            None => (
                picture && !url.to_ascii_lowercase().ends_with(".pdf"),
                Object::of_type("url").with("url", url),
            ),
        },
        Source::Base64(data) => {
            let usual = if picture {
                "image/png"
            } else {
                "application/pdf"
            };
            bytes(medium.mime.as_deref().unwrap_or(usual), data)?
        }
    })
}

/// The type and the bytes of a `data:` address.
fn data_url(url: &str) -> Option<(&str, &str)> {
    let (head, data) = url.strip_prefix("data:")?.split_once(',')?;
    let mime = head.strip_suffix(";base64")?;
    Some((mime.split(';').next().unwrap_or(mime), data))
}

fn text_source(text: &str) -> Object {
    Object::of_type("text")
        .with("media_type", "text/plain")
        .with("data", text.to_owned())
}

/// Bytes: pictures and PDF go as they are, texts as texts.
fn bytes(mime: &str, data: &str) -> Result<(bool, Object), Failure> {
    // What it is told to be is often wrong; a provider looks for itself, and refuses.
    const SIGNS: [(&str, &str); 5] = [
        ("iVBORw0KGgo", "image/png"),
        ("/9j/", "image/jpeg"),
        ("R0lGOD", "image/gif"),
        ("UklGR", "image/webp"),
        ("JVBER", "application/pdf"),
    ];
    let sign = SIGNS.iter().find(|(sign, _)| data.starts_with(sign));
    let mime = sign.map_or(mime, |(_, mime)| mime);
    let as_it_is = |picture| {
        let source = Object::of_type("base64").with("media_type", mime.to_owned());
        (picture, source.with("data", data.to_owned()))
    };
    if mime.starts_with("image/") {
        return Ok(as_it_is(true));
    }
    if mime == "application/pdf" {
        return Ok(as_it_is(false));
    }
    let text = STANDARD.decode(data).ok();
    let text = text.and_then(|bytes| String::from_utf8(bytes).ok());
    text.map(|text| (false, text_source(&text))).ok_or_else(|| {
        let text = format!("This model's provider takes no documents of type '{mime}'.");
        Failure::bad_field("messages", text)
    })
}
