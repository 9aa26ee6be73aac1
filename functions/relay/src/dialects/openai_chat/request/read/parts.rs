//! The content of a message: a text, or parts.

use serde_json::value::RawValue;
use shared::domain::dialect::Dialect;
use shared::failure::Failure;

use super::node::Node;
use crate::dialects::json::{text, wrong};
use crate::dialects::neutral::request::{Content, Medium};
use crate::dialects::neutral::{Block, Kind};
use crate::dialects::openai_chat::media;

/// The value of `content`.
pub(super) fn read(value: &RawValue, path: &str) -> Result<Content, Failure> {
    if let Some(text) = text(value) {
        return Ok(Content::text(text));
    }
    let expected = || wrong(path.to_owned(), "a string, or an array of parts");
    let parts: Vec<&RawValue> = serde_json::from_str(value.get()).map_err(|_| expected())?;
    let parts = parts.into_iter().enumerate();
    let blocks = parts.map(|(at, part)| match text(part) {
        Some(text) => Ok(Block::text(text)),
        None => read_part(part, format!("{path}[{at}]")),
    });
    Ok(Content::blocks(blocks.collect::<Result<_, _>>()?))
}

fn read_part(value: &RawValue, path: String) -> Result<Block, Failure> {
    let mut part = Node::new(value, path)?;
    let kind = part.require_text("type")?;
    let kind = match kind.as_str() {
        "text" | "input_text" | "output_text" => Kind::Text(part.require_text("text")?),
        "refusal" => Kind::Refusal(part.require_text("refusal")?),
        "image_url" => Kind::Image(medium(&mut part, "image_url", media::read_linked)?),
        "video_url" => Kind::Video(medium(&mut part, "video_url", media::read_linked)?),
        "input_audio" => Kind::Audio(medium(&mut part, "input_audio", media::read_audio)?),
        "file" => Kind::Document(medium(&mut part, "file", media::read_file)?),
        _ => {
            return Ok(Block::new(Kind::Foreign(
                Dialect::OpenaiChat,
                value.to_owned(),
            )));
        }
    };
    let mut block = Block::new(kind);
    block.cache = part.cache();
    block.extras = part.rest("");
    Ok(block)
}

fn medium(
    part: &mut Node<'_>,
    name: &str,
    read: impl FnOnce(&RawValue) -> Option<Medium>,
) -> Result<Medium, Failure> {
    let value = part.fields.take(name);
    let medium = value.and_then(read);
    medium.ok_or_else(|| part.wrong(name, "what its type says"))
}
