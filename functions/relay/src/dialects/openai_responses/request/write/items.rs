//! Turns → items of the input.
//!
//! A thought goes only where the provider knows it, and never without the item that followed it:
//! either alone is refused.

use std::collections::BTreeSet;

use shared::domain::provider::card::Quirk;

use super::super::read::{AS_IT_IS, DIALECT};
use super::{Writing, limits};
use crate::dialects::borrowed;
use crate::dialects::json::{self, Json, Object, Raw};
use crate::dialects::neutral::request::{Extras, ToolResult, ToolUse, Turn};
use crate::dialects::neutral::{Block, Field, Kind, Role};
use crate::dialects::openai_responses::items::{Called, call, text_part};
use crate::dialects::openai_responses::state;

/// The type of an item that a caller of this dialect wrote.
pub(super) fn own_type(extras: &Extras) -> Option<String> {
    json::text(extras.get(DIALECT, "type")?)
}

/// An item, and what it is to a thought before it.
struct Item {
    json: Json,
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// It is a thought.
    Thought,
    /// It is what was thought of.
    Output,
    /// It is not the model's.
    Input,
}

/// Where items are put.
#[derive(Default)]
struct Items {
    list: Vec<Item>,
    /// The calls of custom tools.
    custom: BTreeSet<String>,
}

impl Items {
    fn push(&mut self, json: impl Into<Json>, place: Place) {
        let json = json.into();
        self.list.push(Item { json, place });
    }
}

impl Writing<'_> {
    pub(super) fn items(&mut self, turns: &[Turn]) -> Vec<Json> {
        let mut items = Items::default();
        for turn in turns {
            self.turn(turn, &mut items);
        }
        let mut followed = false;
        let mut kept: Vec<Json> = Vec::with_capacity(items.list.len());
        for item in items.list.into_iter().rev() {
            match item.place {
                Place::Thought if !followed => {
                    self.notes.drop(Field::ReasoningHistory);
                    continue;
                }
                Place::Thought => {}
                Place::Output => followed = true,
                Place::Input => followed = false,
            }
            kept.push(item.json);
        }
        kept.reverse();
        kept
    }

    fn turn(&mut self, turn: &Turn, items: &mut Items) {
        for extra in turn.extras.foreign(DIALECT) {
            let name = format!("messages[].{}", extra.name);
            self.notes.drop(Field::Other(name));
        }
        let own = own_type(&turn.extras);
        match (own.as_deref(), turn.content.blocks.as_slice()) {
            (Some(AS_IT_IS), [block]) => {
                if let Kind::Foreign(_, raw) = &block.kind {
                    let place = match turn.role {
                        Role::Assistant => Place::Output,
                        _ => Place::Input,
                    };
                    items.push(raw, place);
                }
            }
            (Some("reasoning"), blocks) => self.own_thought(turn, blocks, items),
            (_, []) => self.message(turn, Vec::new(), items),
            (_, blocks) => self.blocks(turn, blocks, items),
        }
    }

    fn blocks(&mut self, turn: &Turn, blocks: &[Block], items: &mut Items) {
        let mut parts = Vec::new();
        for block in blocks {
            self.note_block(block);
            let flush = |writing: &mut Self, parts: &mut Vec<Json>, items: &mut Items| {
                if !parts.is_empty() {
                    writing.message(turn, std::mem::take(parts), items);
                }
            };
            match &block.kind {
                Kind::ToolUse(call) => {
                    flush(self, &mut parts, items);
                    self.call(turn, call, items);
                }
                Kind::ToolResult(result) => {
                    flush(self, &mut parts, items);
                    self.result(turn, result, items);
                }
                Kind::Reasoning(text) => {
                    flush(self, &mut parts, items);
                    self.thought(text, block, items);
                }
                Kind::Redacted => {
                    flush(self, &mut parts, items);
                    self.thought("", block, items);
                }
                _ => parts.extend(self.part(block, turn.role)),
            }
        }
        if !parts.is_empty() {
            self.message(turn, parts, items);
        }
    }

    /// What a block has beside its content, and this dialect has not.
    pub(super) fn note_block(&mut self, block: &Block) {
        self.notes.drop_if(block.cache.as_ref(), Field::Cache);
        for extra in block.extras.foreign(DIALECT) {
            let name = format!("messages[].content[].{}", extra.name);
            self.notes.drop(Field::Other(name));
        }
    }

    fn message(&mut self, turn: &Turn, parts: Vec<Json>, items: &mut Items) {
        let (role, place) = match turn.role {
            Role::System => ("system", Place::Input),
            Role::Developer if self.to.card.has(Quirk::Openai) => ("developer", Place::Input),
            // Only OpenAI has the newer word.
            Role::Developer => ("system", Place::Input),
            Role::User | Role::Tool => ("user", Place::Input),
            Role::Assistant => ("assistant", Place::Output),
        };
        let kind = own_type(&turn.extras).filter(|kind| kind == "message");
        let object = Object::new()
            .maybe("type", kind)
            .with("role", role)
            .with("content", content(turn, parts));
        items.push(with_own(object, &turn.extras), place);
    }

    fn call(&mut self, turn: &Turn, tool: &ToolUse, items: &mut Items) {
        let kind = match own_type(&turn.extras).as_deref() {
            Some("custom_tool_call") => Called::Custom,
            Some("function_call") => Called::Function,
            _ if self.custom.contains(&tool.name) => Called::Custom,
            _ => Called::Function,
        };
        let mut tool = ToolUse {
            id: limits::fit(&tool.id),
            name: self.limits.tool(&tool.name),
            arguments: tool.arguments.clone(),
        };
        match kind {
            Called::Custom => {
                items.custom.insert(tool.id.clone());
            }
            Called::Function if tool.arguments.trim().is_empty() => {
                tool.arguments = "{}".to_owned();
            }
            Called::Function => {}
        }
        let object = call(&tool, kind, None);
        items.push(with_own(object, &turn.extras), Place::Output);
    }

    fn result(&mut self, turn: &Turn, result: &ToolResult, items: &mut Items) {
        let id = limits::fit(&result.id);
        let own = own_type(&turn.extras);
        let kind = match own.as_deref() {
            Some("custom_tool_call_output") => "custom_tool_call_output",
            Some(_) => "function_call_output",
            None if items.custom.contains(&id) => "custom_tool_call_output",
            None => "function_call_output",
        };
        let output = self.output(result, own.is_some());
        let object = Object::of_type(kind)
            .with("call_id", id)
            .with("output", output);
        items.push(with_own(object, &turn.extras), Place::Input);
    }

    /// What a tool answered: a text where that is all of it, for not every server takes parts.
    fn output(&mut self, result: &ToolResult, as_it_was: bool) -> Json {
        const FAILED: &str = "Error: ";
        let failed = result.failed == Some(true);
        if failed {
            self.notes.emulate(Field::Other("is_error".to_owned()));
        }
        let blocks = &result.content.blocks;
        let texts: Option<Vec<&str>> = blocks.iter().map(text).collect();
        for block in blocks {
            self.note_block(block);
        }
        match texts {
            Some(texts) if result.content.plain || !as_it_was => {
                let text = texts.join("\n");
                let prefix = if failed { FAILED } else { "" };
                format!("{prefix}{text}").into()
            }
            _ => {
                let failed = failed.then(|| text_part("input_text", FAILED.trim()).into());
                let parts = blocks
                    .iter()
                    .filter_map(|block| self.part(block, Role::Tool));
                let parts: Vec<Json> = failed.into_iter().chain(parts).collect();
                parts.into()
            }
        }
    }

    /// A thought of a caller of this dialect: one item, in as many blocks as it has parts.
    fn own_thought(&mut self, turn: &Turn, blocks: &[Block], items: &mut Items) {
        let state = blocks.iter().find_map(|block| block.opaque.as_ref());
        let native = state::native(state);
        if state.is_some() && native.is_none() {
            let told =
                |block: &Block| matches!(&block.kind, Kind::Reasoning(text) if !text.is_empty());
            if blocks.iter().any(told) {
                self.notes.drop(Field::ReasoningHistory);
            }
            return;
        }
        let id = turn.extras.get(DIALECT, "id");
        let made =
            |id: &Raw| json::text(id).is_some_and(|id| borrowed::is_made(id.as_bytes(), "rs"));
        if native.is_none() && id.is_some_and(made) {
            // Nobody keeps an item that this gateway has made of another provider's thought.
            self.notes.drop(Field::ReasoningHistory);
            return;
        }
        let (mut summary, mut content) = (Vec::new(), Vec::new());
        for block in blocks {
            let Kind::Reasoning(text) = &block.kind else {
                continue;
            };
            if own_type(&block.extras).is_some() {
                content.push(text_part("reasoning_text", text));
            } else if !text.is_empty() {
                summary.push(text_part("summary_text", text));
            }
        }
        let content = (!content.is_empty()).then_some(content);
        let object = Object::of_type("reasoning")
            .with("summary", summary)
            .maybe("content", content)
            .maybe("encrypted_content", native.map(str::to_owned));
        items.push(with_own(object, &turn.extras), Place::Thought);
    }

    fn thought(&mut self, text: &str, block: &Block, items: &mut Items) {
        let part = |kind| {
            let part = (!text.is_empty()).then(|| text_part(kind, text));
            part.into_iter().collect::<Vec<_>>()
        };
        if let Some(native) = state::native(block.opaque.as_ref()) {
            let object = Object::of_type("reasoning")
                .with("summary", part("summary_text"))
                .with("encrypted_content", native.to_owned());
            items.push(object, Place::Thought);
        } else if text.is_empty() {
            // The state of another provider: nobody here can read it.
        } else if self.to.card.has(Quirk::ReasoningContent) {
            let object = Object::of_type("reasoning")
                .with("summary", Vec::<Json>::new())
                .with("content", part("reasoning_text"));
            items.push(object, Place::Thought);
        } else {
            self.notes.drop(Field::ReasoningHistory);
        }
    }
}

/// The content of a message: a mere text where it was one.
fn content(turn: &Turn, parts: Vec<Json>) -> Json {
    match turn.content.blocks.as_slice() {
        [block] if turn.content.plain => {
            text(block).map_or(Json::Array(parts), |text| Json::from(text.to_owned()))
        }
        _ => Json::Array(parts),
    }
}

fn text(block: &Block) -> Option<&str> {
    match &block.kind {
        Kind::Text(text) => Some(text),
        _ => None,
    }
}

/// An object with the members that a caller of this dialect gave beside those that are understood.
pub(super) fn with_own(mut object: Object, extras: &Extras) -> Object {
    for extra in extras.of(DIALECT).filter(|extra| extra.name != "type") {
        let value: &Raw = &extra.value;
        object.put(extra.name.clone(), value);
    }
    object
}
