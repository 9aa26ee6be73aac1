//! The messages of a request: the first instruction apart, then turns.

use serde_json::value::RawValue;
use shared::failure::Failure;

use super::node::Node;
use super::parts;
use crate::dialects::json::{array, text};
use crate::dialects::neutral::request::{Content, Extras, ToolResult, ToolUse};
use crate::dialects::neutral::{Block, Kind, Opaque, Role, Turn};
use crate::dialects::openai_chat::thought::{self, Detail};
use crate::dialects::openai_chat::wire;

/// The messages. The first instruction stands apart unless it has more than content.
pub(super) fn read(messages: Vec<Node<'_>>) -> Result<(Content, Vec<Turn>), Failure> {
    let mut instructions = Content::default();
    let mut turns: Vec<Turn> = Vec::with_capacity(messages.len());
    // Calls from before calls had ids, which wait for their results: the name and the id.
    let mut waiting = Vec::new();
    for (at, message) in messages.into_iter().enumerate() {
        let turn = message_of(message, at, &mut waiting)?;
        let instructs = matches!(turn.role, Role::System | Role::Developer);
        if at == 0 && instructs && turn.extras.0.is_empty() {
            instructions = turn.content;
        } else {
            turns.push(turn);
        }
    }
    Ok((instructions, turns))
}

fn message_of(
    mut message: Node<'_>,
    at: usize,
    waiting: &mut Vec<(String, String)>,
) -> Result<Turn, Failure> {
    let role = message.require_text("role")?;
    let cache = message.cache();
    let mut turn = match role.as_str() {
        "system" => said(message, Role::System)?,
        "developer" => said(message, Role::Developer)?,
        "user" => said(message, Role::User)?,
        "assistant" => assistant(message, at, waiting)?,
        "tool" => result(message)?,
        "function" => function_result(message, at, waiting)?,
        _ => {
            let roles = "'system', 'developer', 'user', 'assistant', 'tool' or 'function'";
            return Err(message.wrong("role", roles));
        }
    };
    // A hint on the message is one on its last part.
    if let Some(last) = turn.content.blocks.last_mut() {
        last.cache = last.cache.or(cache);
    }
    Ok(turn)
}

fn content(message: &mut Node<'_>) -> Result<Option<Content>, Failure> {
    let path = message.at("content");
    let value = message.fields.take("content");
    value.map(|value| parts::read(value, &path)).transpose()
}

fn said(mut message: Node<'_>, role: Role) -> Result<Turn, Failure> {
    let content = content(&mut message)?;
    let content =
        content.ok_or_else(|| message.wrong("content", "a string, or an array of parts"))?;
    Ok(Turn {
        role,
        content,
        extras: message.rest(""),
    })
}

fn assistant(
    mut message: Node<'_>,
    at: usize,
    waiting: &mut Vec<(String, String)>,
) -> Result<Turn, Failure> {
    let mut blocks = thoughts(&mut message)?;
    let said = content(&mut message)?.unwrap_or_default();
    let plain = said.plain;
    blocks.extend(said.blocks);
    if let Some(refusal) = message.text("refusal")? {
        blocks.push(Block::new(Kind::Refusal(refusal)));
    }
    let before = blocks.len();
    for call in message.array("tool_calls")? {
        blocks.push(call_of(call)?);
    }
    if let Some(mut function) = message.object("function_call")? {
        let name = function.require_text("name")?;
        let id = format!("call_{at}");
        waiting.push((name.clone(), id.clone()));
        blocks.push(Block::call(
            id,
            name,
            function.text("arguments")?.unwrap_or_default(),
        ));
    }
    let state = message
        .fields
        .take("extra_content")
        .and_then(wire::read_signature);
    if let Some(state) = state {
        attach(state, &mut blocks, before);
    }
    Ok(Turn {
        role: Role::Assistant,
        content: Content { blocks, plain },
        extras: message.rest(""),
    })
}

/// State of a message belongs to its text, or else to its first call.
fn attach(state: Opaque, blocks: &mut Vec<Block>, calls: usize) {
    let is_text = |block: &Block| matches!(block.kind, Kind::Text(_));
    let text = blocks.iter().rposition(is_text);
    match text.or((calls < blocks.len()).then_some(calls)) {
        Some(at) => {
            if let Some(block) = blocks.get_mut(at) {
                block.opaque.get_or_insert(state);
            }
        }
        None => blocks.push(Block::text("").with_opaque(Some(state))),
    }
}

/// The thoughts of an earlier turn: the text once, under whichever name, and the details.
fn thoughts(message: &mut Node<'_>) -> Result<Vec<Block>, Failure> {
    let usual = message.text("reasoning_content")?;
    let other = message.text("reasoning")?;
    let details: Vec<&RawValue> = message
        .fields
        .take("reasoning_details")
        .map(array)
        .unwrap_or_default();
    let details = details
        .into_iter()
        .filter_map(|detail| Detail::read(detail, text));
    let told = usual.filter(|text| !text.is_empty()).or(other);
    Ok(thought::history(details.collect(), told))
}

fn call_of(mut call: Node<'_>) -> Result<Block, Failure> {
    let id = call.require_text("id")?;
    let kind = call.text("type")?;
    let state = call.fields.take("extra_content");
    let (mut inner, member, prefix) = match kind.as_deref() {
        Some("custom") => (call.require("custom")?, "input", "custom."),
        None | Some("function") => (call.require("function")?, "arguments", "function."),
        Some(_) => return Err(call.wrong("type", "'function' or 'custom'")),
    };
    let name = inner.require_text("name")?;
    // Some clients send the arguments as an object.
    let arguments = inner
        .fields
        .take(member)
        .map(|arguments| text(arguments).unwrap_or_else(|| arguments.get().to_owned()));
    let mut block = Block::new(Kind::ToolUse(ToolUse {
        id,
        name,
        arguments: arguments.unwrap_or_default(),
    }));
    block.opaque = state.and_then(wire::read_signature);
    block.cache = call.cache();
    call.fields.take("index");
    let mut extras = inner.rest(prefix);
    extras.0.extend(call.rest("").0);
    block.extras = extras;
    Ok(block)
}

fn result(mut message: Node<'_>) -> Result<Turn, Failure> {
    let id = message.require_text("tool_call_id")?;
    let name = message.text("name")?;
    let content = content(&mut message)?.unwrap_or_default();
    Ok(turn_of(
        ToolResult {
            id,
            name,
            content,
            failed: None,
        },
        message.rest(""),
    ))
}

/// The result of a call from before calls had ids: the last one of that name that waits.
fn function_result(
    mut message: Node<'_>,
    at: usize,
    waiting: &mut Vec<(String, String)>,
) -> Result<Turn, Failure> {
    let name = message.require_text("name")?;
    let content = content(&mut message)?.unwrap_or_default();
    let found = waiting.iter().rposition(|(known, _)| *known == name);
    let id = found.map(|found| waiting.remove(found).1);
    Ok(turn_of(
        ToolResult {
            id: id.unwrap_or_else(|| format!("call_{at}")),
            name: Some(name),
            content,
            failed: None,
        },
        message.rest(""),
    ))
}

fn turn_of(result: ToolResult, extras: Extras) -> Turn {
    let block = Block::new(Kind::ToolResult(result));
    Turn {
        role: Role::Tool,
        content: Content::blocks(vec![block]),
        extras,
    }
}
