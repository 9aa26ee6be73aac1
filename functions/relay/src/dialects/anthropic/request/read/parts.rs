//! Content of a caller's request: texts, and blocks of every kind.

use serde_json::value::RawValue;
use shared::domain::dialect::Dialect;
use shared::failure::Failure;

use super::super::SOURCE;
use super::{cache, keep, keep_one, missing, within};
use crate::dialects::json::{Fields, wrong};
use crate::dialects::neutral::request::{Content, Extras, Medium, Source, ToolResult, ToolUse};
use crate::dialects::neutral::{Block, Kind, Opaque, Origin};

/// A text, or an array of blocks.
pub(super) fn content(value: &RawValue, name: &'static str) -> Result<Content, Failure> {
    if value.get().starts_with('"') {
        let text: String =
            serde_json::from_str(value.get()).map_err(|_| wrong(name, "a valid text"))?;
        return Ok(Content::text(text));
    }
    let blocks: Vec<&RawValue> = serde_json::from_str(value.get())
        .map_err(|_| wrong(name, "a string or an array of blocks"))?;
    let mut read = Vec::with_capacity(blocks.len());
    for (at, raw) in blocks.into_iter().enumerate() {
        read.push(block(raw).map_err(|failure| within(failure, &format!("{name}[{at}]")))?);
    }
    Ok(Content::blocks(settle(read)))
}

/// What a text begins with that Claude Code says to its provider's books, and not to the model: it
/// differs from call to call, so that no other provider could cache what comes after it.
const BOOKS: &str = "x-anthropic-billing-header";

/// What the model is told before the conversation.
pub(super) fn system(value: &RawValue) -> Result<Content, Failure> {
    let mut content = content(value, "system")?;
    if content.plain {
        return Ok(content);
    }
    let raws = crate::dialects::json::array(value);
    for (block, raw) in content.blocks.iter_mut().zip(raws) {
        if matches!(&block.kind, Kind::Text(text) if text.starts_with(BOOKS)) {
            *block = Block::new(Kind::Foreign(Dialect::Anthropic, raw.to_owned()));
        }
    }
    Ok(content)
}

/// Puts state that was told in an empty thought back where it belongs: on the call after it, or the
/// text before it. Callers of this dialect can carry it nowhere else.
fn settle(blocks: Vec<Block>) -> Vec<Block> {
    let mut settled: Vec<Block> = Vec::with_capacity(blocks.len());
    let mut carried: Option<Block> = None;
    for mut block in blocks {
        if let Some(carrier) = carried.take() {
            if matches!(block.kind, Kind::ToolUse(_)) {
                block.opaque = carrier.opaque;
            } else {
                leave(&mut settled, carrier);
            }
        }
        if carries(&block) {
            carried = Some(block);
        } else {
            settled.push(block);
        }
    }
    if let Some(carrier) = carried {
        leave(&mut settled, carrier);
    }
    settled
}

/// Whether a block is an empty thought that only carries the state of another.
fn carries(block: &Block) -> bool {
    let empty = matches!(&block.kind, Kind::Reasoning(text) if text.is_empty());
    let opaque = block.opaque.as_ref();
    empty && opaque.is_some_and(|opaque| opaque.origin.marks_any_block())
}

/// Leaves state with the text before it, or as it came.
fn leave(settled: &mut Vec<Block>, carrier: Block) {
    match settled.last_mut() {
        Some(text) if matches!(text.kind, Kind::Text(_)) && text.opaque.is_none() => {
            text.opaque = carrier.opaque;
        }
        _ => settled.push(carrier),
    }
}

fn block(raw: &RawValue) -> Result<Block, Failure> {
    let mut fields = Fields::of(raw).ok_or_else(|| wrong("type", "an object with a type"))?;
    let kind: String = fields
        .read("type", "a string")?
        .ok_or_else(|| missing("type"))?;
    let mut extras = Extras::default();
    let mut opaque = None;
    let kind = match kind.as_str() {
        "text" => Kind::Text(required(&mut fields, "text")?),
        "image" => Kind::Image(medium(&mut fields, &mut extras)?),
        "document" => {
            let mut document = medium(&mut fields, &mut extras)?;
            document.name = fields.read("title", "a string")?;
            Kind::Document(document)
        }
        "tool_use" => Kind::ToolUse(call(&mut fields)?),
        "tool_result" => Kind::ToolResult(result(&mut fields)?),
        "thinking" => {
            let signature: Option<String> = fields.read("signature", "a string")?;
            // An empty one is what this gateway gives for a thought that nobody has signed.
            opaque = signature.filter(|text| !text.is_empty());
            Kind::Reasoning(required(&mut fields, "thinking")?)
        }
        "redacted_thinking" => {
            opaque = Some(required(&mut fields, "data")?);
            Kind::Redacted
        }
        _ => {
            let foreign = Kind::Foreign(Dialect::Anthropic, raw.to_owned());
            return Ok(Block::new(foreign));
        }
    };
    let cache = cache(&mut fields, &mut extras);
    keep(&mut extras, "", fields);
    Ok(Block {
        kind,
        cache,
        opaque: opaque.map(|text| Opaque::unseal(&text, Origin::Anthropic)),
        extras,
    })
}

fn required(fields: &mut Fields<'_>, name: &'static str) -> Result<String, Failure> {
    fields.read(name, "a string")?.ok_or_else(|| missing(name))
}

fn medium(fields: &mut Fields<'_>, extras: &mut Extras) -> Result<Medium, Failure> {
    let raw = fields.take("source").ok_or_else(|| missing("source"))?;
    let mut source = Fields::of(raw).ok_or_else(|| wrong("source", "an object"))?;
    let inside = |failure| within(failure, "source");
    let kind = required(&mut source, "type").map_err(inside)?;
    let mut medium = Medium::default();
    medium.source = match kind.as_str() {
        "base64" => Source::Base64(required(&mut source, "data").map_err(inside)?),
        "text" => Source::Text(required(&mut source, "data").map_err(inside)?),
        "url" => Source::Url(required(&mut source, "url").map_err(inside)?),
        "file" => Source::File(required(&mut source, "file_id").map_err(inside)?),
        _ => {
            // Blocks within a document, mostly: others may have their texts.
            keep_one(extras, "source".to_owned(), raw);
            return Ok(Medium {
                mime: Some("text/plain".to_owned()),
                source: Source::Text(texts(source.take("content"))),
                ..medium
            });
        }
    };
    medium.mime = source.read("media_type", "a string").map_err(inside)?;
    keep(extras, SOURCE, source);
    Ok(medium)
}

/// The texts in a text or some blocks.
fn texts(content: Option<&RawValue>) -> String {
    let Some(content) = content.and_then(|content| self::content(content, "content").ok()) else {
        return String::new();
    };
    let texts = content
        .blocks
        .into_iter()
        .filter_map(|block| match block.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        });
    texts.collect::<Vec<_>>().join("\n")
}

fn call(fields: &mut Fields<'_>) -> Result<ToolUse, Failure> {
    let input = fields.take("input").map_or("{}", RawValue::get);
    Ok(ToolUse {
        id: required(fields, "id")?,
        name: required(fields, "name")?,
        arguments: input.to_owned(),
    })
}

fn result(fields: &mut Fields<'_>) -> Result<ToolResult, Failure> {
    let id = required(fields, "tool_use_id")?;
    let content = match fields.take("content") {
        Some(value) => content(value, "content")?,
        None => Content::default(),
    };
    Ok(ToolResult {
        id,
        name: None,
        content,
        failed: fields.read("is_error", "true or false")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carried_state_goes_back_to_its_block() {
        let sealed = |text: &str| Opaque::new(Origin::Gemini, text).seal(Origin::Anthropic);
        let json = format!(
            r#"[{{"type":"text","text":"a"}},{{"type":"thinking","thinking":"","signature":"{}"}},
                {{"type":"thinking","thinking":"","signature":"{}"}},
                {{"type":"tool_use","id":"1","name":"f","input":{{}}}},
                {{"type":"thinking","thinking":"","signature":"own"}}]"#,
            sealed("one"),
            sealed("two"),
        );
        let content = content(serde_json::from_str(&json).unwrap(), "content").unwrap();
        let states: Vec<_> = content
            .blocks
            .iter()
            .map(|block| block.opaque.as_ref().map(|opaque| opaque.data.as_str()))
            .collect();
        assert_eq!(states, [Some("one"), Some("two"), Some("own")]);
    }

    #[test]
    fn words_for_the_books_are_for_their_provider_only() {
        let json = r#"[{"type":"text","text":"x-anthropic-billing-header: a=1;"},{"type":"text","text":"Be kind."}]"#;
        let content = system(serde_json::from_str(json).unwrap()).unwrap();
        assert!(matches!(content.blocks[0].kind, Kind::Foreign(..)));
        assert!(matches!(content.blocks[1].kind, Kind::Text(_)));
    }

    #[test]
    fn an_empty_signature_is_none() {
        let json = r#"[{"type":"thinking","thinking":"hm","signature":""}]"#;
        let content = content(serde_json::from_str(json).unwrap(), "content").unwrap();
        assert!(content.blocks[0].opaque.is_none());
    }
}
