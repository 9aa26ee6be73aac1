//! Parts of a content → blocks. <https://ai.google.dev/api/caching#Part>

use std::collections::VecDeque;

use serde_json::value::RawValue;
use shared::domain::dialect::Dialect;
use shared::failure::Failure;

use super::super::super::spelling::{Reading, own};
use super::super::super::{names, signature, wire};
use super::super::SAID_AS;
use crate::dialects::json::{Fields, Json, text, wrong};
use crate::dialects::neutral::request::{
    Content, Extra, Extras, Medium, Source, ToolResult, ToolUse,
};
use crate::dialects::neutral::{Block, Kind};

/// The calls of a conversation, so far as they have no answer.
#[derive(Debug, Default)]
pub(super) struct Calls {
    count: usize,
    /// Their names and ids.
    open: VecDeque<(String, String)>,
}

impl Calls {
    fn made(&mut self, id: Option<String>, name: &str, arguments: &str) -> String {
        let id = id.unwrap_or_else(|| names::mint(self.count, &format!("{name}{arguments}")));
        self.count += 1;
        self.open.push_back((name.to_owned(), id.clone()));
        id
    }

    /// The id of the call that is answered: the oldest one of that name where the answer does not say.
    fn answered(&mut self, id: Option<String>, name: &str) -> String {
        let at = self.open.iter().position(|(known, open)| match &id {
            Some(id) => open == id,
            None => known == name,
        });
        let call = at.and_then(|at| self.open.remove(at));
        match (id, call) {
            (Some(id), _) | (None, Some((_, id))) => id,
            (None, None) => {
                self.count += 1;
                names::mint(self.count, name)
            }
        }
    }
}

/// One part.
pub(super) fn read(mut part: Reading<'_, '_>, calls: &mut Calls) -> Result<Block, Failure> {
    let raw = part.raw;
    let opaque = part.text("thoughtSignature")?;
    let opaque = opaque.as_deref().map(signature::read);
    let thought = part.take("thought");
    let is_thought = wire::is_true(thought);
    let mut extras = Vec::new();
    let (kind, thought) = if let Some(call) = part.object("functionCall")? {
        (read_call(call, calls, &mut extras)?, thought)
    } else if let Some(response) = part.object("functionResponse")? {
        (read_result(response, calls, &mut extras)?, thought)
    } else if let Some(medium) = read_medium(&mut part, &mut extras)? {
        (wire::kind(medium), thought)
    } else if let Some(text) = part.text("text")? {
        if is_thought {
            (Kind::Reasoning(text), None)
        } else {
            (Kind::Text(text), thought)
        }
    } else if is_thought && opaque.is_some() {
        (Kind::Redacted, None)
    } else {
        return Ok(Block::new(Kind::Foreign(Dialect::Gemini, raw.to_owned())));
    };
    // A thought that is no text, or is said to be none.
    extras.extend(thought.map(|value| own("=thought", value.to_owned())));
    extras.extend(part.rest(""));
    let mut block = Block::new(kind).with_opaque(opaque);
    block.extras = Extras(extras);
    Ok(block)
}

fn read_call(
    mut call: Reading<'_, '_>,
    calls: &mut Calls,
    extras: &mut Vec<Extra>,
) -> Result<Kind, Failure> {
    let id = call.text("id")?.filter(|id| !id.is_empty());
    let name = call.text("name")?;
    let name = name.ok_or_else(|| wrong(call.path("name"), "the name of a function"))?;
    let arguments = match call.take("args") {
        Some(args) if args.get().starts_with('{') => args.get().to_owned(),
        Some(_) => return Err(wrong(call.path("args"), "an object")),
        None => String::new(),
    };
    extras.extend(call.rest("functionCall."));
    Ok(Kind::ToolUse(ToolUse {
        id: calls.made(id, &name, &arguments),
        name,
        arguments,
    }))
}

fn read_result(
    mut result: Reading<'_, '_>,
    calls: &mut Calls,
    extras: &mut Vec<Extra>,
) -> Result<Kind, Failure> {
    let id = result.text("id")?.filter(|id| !id.is_empty());
    let name = result.text("name")?.unwrap_or_default();
    let mut blocks = Vec::new();
    let mut failed = None;
    match result.take("response") {
        Some(response) if response.get().starts_with('{') => {
            let (said, error, name) = read_response(response);
            failed = error.then_some(true);
            extras.extend(name.map(|name| own(SAID_AS, Json::word(name).to_raw())));
            blocks.push(Block::text(said));
        }
        Some(_) => return Err(wrong(result.path("response"), "an object")),
        None => {}
    }
    for mut part in result.objects("parts")? {
        let raw = part.raw;
        let mut more = Vec::new();
        let kind = match read_medium(&mut part, &mut more)? {
            Some(medium) => wire::kind(medium),
            None => Kind::Foreign(Dialect::Gemini, raw.to_owned()),
        };
        let foreign = matches!(kind, Kind::Foreign(..));
        let mut block = Block::new(kind);
        if !foreign {
            more.extend(part.rest(""));
            block.extras = Extras(more);
        }
        blocks.push(block);
    }
    extras.extend(result.rest("functionResponse."));
    Ok(Kind::ToolResult(ToolResult {
        id: calls.answered(id, &name),
        name: Some(name).filter(|name| !name.is_empty()),
        content: Content::blocks(blocks),
        failed,
    }))
}

/// What a function answered, whether that is an error, and how it is called where it is not called as
/// documented. An object that says `output`, `result` or `error` and nothing else is the text that it
/// says; any other is its own text. <https://ai.google.dev/api/caching#FunctionResponse>
fn read_response(response: &RawValue) -> (String, bool, Option<&'static str>) {
    let whole = response.get().to_owned();
    let Some(mut fields) = Fields::of(response) else {
        return (whole, false, None);
    };
    let names = ["output", "result", "error"];
    let mut said = names.map(|name| fields.take(name).map(|value| (name, value)));
    let failed = said.last().is_some_and(Option::is_some);
    let mut said = said.iter_mut().filter_map(Option::take);
    let only = said.next().filter(|_| fields.is_empty());
    let only = only.filter(|_| said.next().is_none());
    // What looks like an object would be taken for one on the way back.
    let only = only
        .and_then(|(name, value)| Some((name, text(value)?)))
        .filter(|(_, text)| Fields::parse(text).is_none());
    match only {
        Some((name, text)) => (text, failed, Some(name).filter(|name| *name == "result")),
        None => (whole, failed, None),
    }
}

/// A medium of a part: its bytes, or where they are.
fn read_medium(
    part: &mut Reading<'_, '_>,
    extras: &mut Vec<Extra>,
) -> Result<Option<Medium>, Failure> {
    if let Some(mut blob) = part.object("inlineData")? {
        let data = blob.text("data")?;
        let data = data.ok_or_else(|| wrong(blob.path("data"), "bytes in base64"))?;
        let mime = blob.text("mimeType")?;
        let medium = Medium {
            source: Source::Base64(part.spelling.read_bytes(data)),
            name: read_name(&mut blob, "inlineData", mime.as_deref(), extras)?,
            mime,
            detail: None,
        };
        extras.extend(blob.rest("inlineData."));
        return Ok(Some(medium));
    }
    let Some(mut file) = part.object("fileData")? else {
        return Ok(None);
    };
    let address = file.text("fileUri")?;
    let address = address.ok_or_else(|| wrong(file.path("fileUri"), "an address"))?;
    let mime = file.text("mimeType")?;
    let medium = Medium {
        source: Source::Url(address),
        name: read_name(&mut file, "fileData", mime.as_deref(), extras)?,
        mime,
        detail: None,
    };
    extras.extend(file.rest("fileData."));
    Ok(Some(medium))
}

/// What a medium is called. Not every service of Google's takes names, so it is remembered that this
/// caller gives one. Elsewhere only documents have names: any other's is this dialect's own.
fn read_name(
    medium: &mut Reading<'_, '_>,
    member: &str,
    mime: Option<&str>,
    extras: &mut Vec<Extra>,
) -> Result<Option<String>, Failure> {
    let name = medium.text("displayName")?;
    let nameless = ["image/", "audio/", "video/"];
    let nameless = mime.is_some_and(|mime| nameless.iter().any(|kind| mime.starts_with(kind)));
    let mark = if nameless { "" } else { "=" };
    let value = name.clone().map(|name| Json::from(name).to_raw());
    extras.extend(value.map(|value| own(format!("{mark}{member}.displayName"), value)));
    Ok(name.filter(|_| !nameless))
}
