//! The items of a request's input: each a turn.

use serde_json::value::RawValue;
use shared::failure::Failure;

use super::{AS_IT_IS, DIALECT, extra, inside, leftover, nulls, quoted};
use crate::dialects::json::{Fields, wrong};
use crate::dialects::neutral::request::{
    Content, Extras, Medium, Source, ToolResult, ToolUse, Turn,
};
use crate::dialects::neutral::{Block, Kind, Role};
use crate::dialects::openai_responses::items as written;
use crate::dialects::openai_responses::state::{self, Owner};

/// An item that is being read.
struct Item<'a> {
    fields: Fields<'a>,
    nulls: Extras,
    path: String,
}

/// Reads the item at a place of the input into a turn, or into state of the turn before.
pub(super) fn read(item: &RawValue, at: usize, turns: &mut Vec<Turn>) -> Result<(), Failure> {
    let path = format!("input[{at}]");
    let mut fields = Fields::of(item).ok_or_else(|| wrong(path.clone(), "an object"))?;
    let nulls = nulls(&fields);
    let kind: Option<String> = fields
        .read("type", "a string")
        .map_err(|failure| inside(&path, failure))?;
    let reading = Item {
        fields,
        nulls,
        path,
    };
    let turn = match kind.as_deref() {
        None | Some("message") => reading.message(kind.as_deref())?,
        Some("function_call") => reading.call("arguments", "function_call")?,
        Some("custom_tool_call") => reading.call("input", "custom_tool_call")?,
        Some(kind @ ("function_call_output" | "custom_tool_call_output")) => {
            reading.result(kind)?
        }
        Some("reasoning") => match reading.reasoning(turns)? {
            Some(turn) => turn,
            None => return Ok(()),
        },
        Some(other) => foreign(other, item),
    };
    turns.push(turn);
    Ok(())
}

/// An item that only this dialect knows: what a provider's own tool was asked, or said.
fn foreign(kind: &str, item: &RawValue) -> Turn {
    let role = if kind.ends_with("_output") || kind.ends_with("_response") {
        Role::Tool
    } else {
        Role::Assistant
    };
    let block = Block::new(Kind::Foreign(DIALECT, item.to_owned()));
    let mut turn = Turn::new(role, Content::blocks(vec![block]));
    turn.extras.0.push(extra("type", &quoted(AS_IT_IS)));
    turn
}

impl<'a> Item<'a> {
    fn wrong(&self, name: &str, expected: &str) -> Failure {
        wrong(format!("{}.{name}", self.path), expected)
    }

    fn read<T: serde::Deserialize<'a>>(
        &mut self,
        name: &'static str,
        expected: &str,
    ) -> Result<Option<T>, Failure> {
        let path = &self.path;
        let value = self.fields.read(name, expected);
        value.map_err(|failure| inside(path, failure))
    }

    fn require(&mut self, name: &'static str) -> Result<String, Failure> {
        const EXPECTED: &str = "a string";
        self.read(name, EXPECTED)?
            .ok_or_else(|| self.wrong(name, EXPECTED))
    }

    /// The turn, with what is left of the item.
    fn turn(self, role: Role, content: Content, kind: Option<&str>) -> Turn {
        let mut turn = Turn::new(role, content);
        turn.extras = leftover(self.nulls, self.fields);
        if let Some(kind) = kind {
            turn.extras.0.push(extra("type", &quoted(kind)));
        }
        turn
    }

    fn message(mut self, kind: Option<&str>) -> Result<Turn, Failure> {
        let role = match self.require("role")?.as_str() {
            "user" => Role::User,
            "assistant" => Role::Assistant,
            "system" => Role::System,
            "developer" => Role::Developer,
            _ => {
                return Err(self.wrong("role", "one of user, assistant, system, developer"));
            }
        };
        let content = self.content("content", role)?;
        Ok(self.turn(role, content, kind))
    }

    /// A text, or parts.
    fn content(&mut self, name: &'static str, role: Role) -> Result<Content, Failure> {
        const EXPECTED: &str = "a string or an array";
        let value = self.fields.take(name);
        let value = value.ok_or_else(|| self.wrong(name, EXPECTED))?;
        if let Ok(text) = serde_json::from_str::<String>(value.get()) {
            return Ok(Content::text(text));
        }
        let parts: Vec<&RawValue> =
            serde_json::from_str(value.get()).map_err(|_| self.wrong(name, EXPECTED))?;
        let path = format!("{}.{name}", self.path);
        let parts = parts.into_iter().enumerate();
        let blocks = parts.map(|(at, raw)| part(raw, &format!("{path}[{at}]"), role));
        Ok(Content::blocks(blocks.collect::<Result<_, _>>()?))
    }

    fn call(mut self, input: &'static str, kind: &str) -> Result<Turn, Failure> {
        let (id, name) = (self.require("call_id")?, self.require("name")?);
        let said = self.require(input)?;
        let arguments = match input {
            "input" => written::arguments(&said),
            _ => said,
        };
        let call = Block::new(Kind::ToolUse(ToolUse {
            id,
            name,
            arguments,
        }));
        let content = Content::blocks(vec![call]);
        Ok(self.turn(Role::Assistant, content, Some(kind)))
    }

    fn result(mut self, kind: &str) -> Result<Turn, Failure> {
        let id = self.require("call_id")?;
        let content = self.content("output", Role::Tool)?;
        let result = Block::new(Kind::ToolResult(ToolResult {
            id,
            name: None,
            content,
            failed: None,
        }));
        let content = Content::blocks(vec![result]);
        Ok(self.turn(Role::Tool, content, Some(kind)))
    }

    /// A thought: a block for each part of its summary, or else of its text, and the state at the
    /// last. State of the block before goes there, and leaves no turn.
    fn reasoning(mut self, turns: &mut [Turn]) -> Result<Option<Turn>, Failure> {
        let parts = |item: &mut Self, name: &'static str| -> Result<Vec<&'a RawValue>, Failure> {
            Ok(item.read(name, "an array")?.unwrap_or_default())
        };
        let summary = parts(&mut self, "summary")?;
        let content = self.fields.take("content");
        let text = |part: &&RawValue| Fields::of(part).and_then(|mut part| part.text("text"));
        let mut blocks: Vec<Block> = summary
            .iter()
            .filter_map(text)
            .map(|text| Block::new(Kind::Reasoning(text)))
            .collect();
        if let Some(content) = content {
            if content.get() == "[]" {
                self.nulls.0.push(extra("content", content));
            }
            for text in written::texts(content) {
                let mut block = Block::new(Kind::Reasoning(text));
                let kind = extra("type", &quoted("reasoning_text"));
                block.extras.0.push(kind);
                blocks.push(block);
            }
        }
        if let Some(text) = self.read::<String>("encrypted_content", "a string")? {
            let (owner, opaque) = state::read(&text);
            match owner {
                Owner::Before => {
                    if let Some(block) = last_block(turns) {
                        block.opaque = Some(opaque);
                    }
                    return Ok(None);
                }
                Owner::Text => blocks = vec![Block::text("")],
                Owner::Redacted => blocks = vec![Block::new(Kind::Redacted)],
                Owner::Thought if blocks.is_empty() => {
                    blocks.push(Block::new(Kind::Reasoning(String::new())));
                }
                Owner::Thought => {}
            }
            if let Some(block) = blocks.last_mut() {
                block.opaque = Some(opaque);
            }
        }
        if blocks.is_empty() {
            blocks.push(Block::new(Kind::Reasoning(String::new())));
        }
        let content = Content::blocks(blocks);
        Ok(Some(self.turn(Role::Assistant, content, Some("reasoning"))))
    }
}

/// The block to which a state that follows it belongs: a text or a call of the model.
fn last_block(turns: &mut [Turn]) -> Option<&mut Block> {
    let turn = turns.last_mut()?;
    let block = turn.content.blocks.last_mut()?;
    let bears = matches!(block.kind, Kind::Text(_) | Kind::ToolUse(_));
    (turn.role == Role::Assistant && bears).then_some(block)
}

/// A part of a message or of a tool's output.
fn part(part: &RawValue, path: &str, role: Role) -> Result<Block, Failure> {
    let mut fields = Fields::of(part).ok_or_else(|| wrong(path.to_owned(), "an object"))?;
    let nulls = nulls(&fields);
    let within = |failure| inside(path, failure);
    let kind: String = fields
        .read("type", "a string")
        .map_err(within)?
        .ok_or_else(|| wrong(format!("{path}.type"), "a string"))?;
    let text = |fields: &mut Fields<'_>, name: &'static str| -> Result<String, Failure> {
        let text = fields.read(name, "a string").map_err(within)?;
        text.ok_or_else(|| wrong(format!("{path}.{name}"), "a string"))
    };
    let read = match kind.as_str() {
        "input_text" | "output_text" | "text" => Kind::Text(text(&mut fields, "text")?),
        "refusal" => Kind::Refusal(text(&mut fields, "refusal")?),
        "input_image" => Kind::Image(image(&mut fields, path)?),
        "input_file" => Kind::Document(file(&mut fields, path)?),
        "input_audio" => match audio(&mut fields) {
            Some(audio) => Kind::Audio(audio),
            None => Kind::Foreign(DIALECT, part.to_owned()),
        },
        _ => Kind::Foreign(DIALECT, part.to_owned()),
    };
    let usual = match role {
        Role::Assistant => "output_text",
        _ => "input_text",
    };
    let mut block = Block::new(read);
    if !matches!(block.kind, Kind::Foreign(..)) {
        block.extras = leftover(nulls, fields);
        if matches!(block.kind, Kind::Text(_)) && kind != usual {
            block.extras.0.push(extra("type", &quoted(&kind)));
        }
    }
    Ok(block)
}

fn image(fields: &mut Fields<'_>, path: &str) -> Result<Medium, Failure> {
    let within = |failure| inside(path, failure);
    let url: Option<String> = fields.read("image_url", "a string").map_err(within)?;
    let file: Option<String> = fields.read("file_id", "a string").map_err(within)?;
    let (mime, source) = match (url, file) {
        (Some(url), _) => of_url(url),
        (None, Some(id)) => (None, Source::File(id)),
        (None, None) => return Err(wrong(format!("{path}.image_url"), "a string")),
    };
    Ok(Medium {
        mime,
        source,
        name: None,
        detail: fields.read("detail", "a string").map_err(within)?,
    })
}

fn file(fields: &mut Fields<'_>, path: &str) -> Result<Medium, Failure> {
    let mut text = |name: &'static str| -> Result<Option<String>, Failure> {
        let text = fields.read(name, "a string");
        text.map_err(|failure| inside(path, failure))
    };
    let (data, id, url) = (text("file_data")?, text("file_id")?, text("file_url")?);
    let (mime, source) = match (data, url, id) {
        (Some(data), _, _) => match of_url(data) {
            (None, Source::Url(data)) => (None, Source::Base64(data)),
            read => read,
        },
        (None, Some(url), _) => (None, Source::Url(url)),
        (None, None, Some(id)) => (None, Source::File(id)),
        (None, None, None) => return Err(wrong(format!("{path}.file_data"), "a string")),
    };
    Ok(Medium {
        mime,
        source,
        name: text("filename")?,
        detail: None,
    })
}

fn audio(fields: &mut Fields<'_>) -> Option<Medium> {
    let mut audio = fields.object("input_audio")?;
    let (data, format) = (audio.text("data")?, audio.text("format")?);
    Some(Medium {
        mime: Some(format!("audio/{format}")),
        source: Source::Base64(data),
        name: None,
        detail: None,
    })
}

/// Bytes that stand in a `data:` URL, or what is at another one.
fn of_url(url: String) -> (Option<String>, Source) {
    let inside = url.strip_prefix("data:");
    match inside.and_then(|inside| inside.split_once(";base64,")) {
        Some((mime, data)) => {
            let mime = Some(mime.to_owned()).filter(|mime| !mime.is_empty());
            (mime, Source::Base64(data.to_owned()))
        }
        None => (None, Source::Url(url)),
    }
}
