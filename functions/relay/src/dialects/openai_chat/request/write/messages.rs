//! Turns as messages: results apart from what the user says, and their media after all of them.

use shared::domain::dialect::Dialect;
use shared::domain::provider::card::Quirk;

use super::content::{text_of, what};
use super::names::{self, Names};
use super::turns;
use crate::dialects::Destination;
use crate::dialects::json::{Json, Object, Raw};
use crate::dialects::neutral::request::{Content, Extras, ToolResult, ToolUse};
use crate::dialects::neutral::{Block, Field, Kind, Notes, Origin, Request, Role, Turn};
use crate::dialects::openai_chat::{answer, thought, wire};

/// Writes messages.
pub(super) struct Messages<'a> {
    pub(super) to: &'a Destination<'a>,
    pub(super) notes: &'a mut Notes,
    pub(super) names: &'a mut Names,
    /// The tools that take any text.
    pub(super) custom: Vec<&'a str>,
    messages: Vec<Object>,
    /// Media of results, which wait for the user's next word.
    waiting: Vec<Json>,
}

impl<'a> Messages<'a> {
    pub(super) fn new(
        to: &'a Destination<'a>,
        notes: &'a mut Notes,
        names: &'a mut Names,
        custom: Vec<&'a str>,
    ) -> Self {
        Self {
            to,
            notes,
            names,
            custom,
            messages: Vec::new(),
            waiting: Vec::new(),
        }
    }

    /// All of a request's messages, and the form of the answer where it must be told in words.
    pub(super) fn write(mut self, request: &Request, form: Option<String>) -> Vec<Object> {
        if !request.instructions.blocks.is_empty() {
            self.instruct(&request.instructions, &Extras::default());
        }
        if let Some(form) = form {
            self.instruct(&Content::text(form), &Extras::default());
        }
        for turn in &turns::joined(&request.turns) {
            match turn.role {
                Role::System | Role::Developer => {
                    self.flush();
                    self.instruct(&turn.content, &turn.extras);
                }
                Role::User | Role::Tool => self.user(turn),
                Role::Assistant => {
                    self.flush();
                    self.assistant(turn);
                }
            }
        }
        self.flush();
        self.messages
    }

    fn push(&mut self, mut message: Object, extras: &Extras) {
        for extra in extras.of(Dialect::OpenaiChat) {
            if !message.has(&extra.name) {
                message.put(extra.name.clone(), &extra.value);
            }
        }
        self.note_foreign(extras, "messages[]");
        self.messages.push(message);
    }

    /// Media of results, where the user says nothing more.
    fn flush(&mut self) {
        if !self.waiting.is_empty() {
            let parts = std::mem::take(&mut self.waiting);
            let message = Object::new().with("role", "user").with("content", parts);
            self.messages.push(message);
        }
    }

    fn instruct(&mut self, content: &Content, extras: &Extras) {
        let openai = self.to.card.has(Quirk::Openai);
        let role = if openai && wire::reasons(self.to.model) {
            "developer"
        } else {
            "system"
        };
        if let Some(content) = self.content(content, "\n\n") {
            let message = Object::new().with("role", role).with("content", content);
            self.push(message, extras);
        }
    }

    /// What the user says, and what tools have answered: the answers first, each in a message.
    fn user(&mut self, turn: &Turn) {
        let (results, said): (Vec<&Block>, Vec<&Block>) = turn
            .content
            .blocks
            .iter()
            .partition(|block| matches!(block.kind, Kind::ToolResult(_)));
        let alone = said.is_empty();
        for block in &results {
            if let Kind::ToolResult(result) = &block.kind {
                let extras = if alone { &turn.extras } else { &block.extras };
                self.result(result, extras);
                self.notes.drop_if(block.cache.as_ref(), Field::Cache);
            }
        }
        if alone {
            return;
        }
        let content = Content {
            blocks: said.into_iter().cloned().collect(),
            plain: turn.content.plain,
        };
        let waiting = std::mem::take(&mut self.waiting);
        let content = if waiting.is_empty() {
            self.user_content(&content)
        } else {
            let own = content.blocks.iter().filter_map(|block| self.part(block));
            let own: Vec<Json> = own.collect();
            Some(Json::Array(waiting.into_iter().chain(own).collect()))
        };
        if let Some(content) = content {
            let message = Object::new().with("role", "user").with("content", content);
            self.push(message, &turn.extras);
        }
    }

    fn result(&mut self, result: &ToolResult, extras: &Extras) {
        let id = self.id(&result.id);
        let mut texts = result.content.clone();
        let (said, media): (Vec<Block>, Vec<Block>) = std::mem::take(&mut texts.blocks)
            .into_iter()
            .partition(|block| text_of(block).is_some());
        texts.blocks = said;
        if result.failed == Some(true) {
            self.notes.emulate(Field::Other("is_error".to_owned()));
            match texts.blocks.first_mut().map(|block| &mut block.kind) {
                Some(Kind::Text(text)) => text.insert_str(0, "Error: "),
                _ => texts.blocks.push(Block::text("Error")),
            }
        }
        if !media.is_empty() {
            let note = format!("What the tool has returned for the call {id}:");
            self.waiting
                .push(Object::of_type("text").with("text", note).into());
            for block in &media {
                let part = self.part(block);
                self.waiting.extend(part);
            }
            if texts.blocks.is_empty() {
                let note = "What the tool has returned follows in the next message of the user.";
                texts = Content::text(note);
            }
        }
        let content = self.content(&texts, "\n");
        let message = Object::new()
            .with("role", "tool")
            .with("tool_call_id", id)
            .maybe("name", result.name.clone())
            .with("content", content.unwrap_or_else(|| Json::word("")));
        self.push(message, extras);
    }

    fn assistant(&mut self, turn: &Turn) {
        let mut texts = Content {
            blocks: Vec::new(),
            plain: turn.content.plain,
        };
        let (mut thoughts, mut calls) = (Vec::new(), Vec::new());
        let mut refusal: Option<String> = None;
        let mut state = None;
        for block in &turn.content.blocks {
            match &block.kind {
                Kind::Reasoning(_) | Kind::Redacted => thoughts.push(block),
                Kind::ToolUse(call) => calls.push(self.call(call, block)),
                Kind::Refusal(text) => refusal.get_or_insert_default().push_str(text),
                Kind::ToolResult(_) => self.notes.drop(Field::Content(what(&block.kind))),
                _ => {
                    state = self.state(block).or(state);
                    texts.blocks.push(block.clone());
                }
            }
        }
        let mut message = Object::new().with("role", "assistant");
        let content = self.content(&texts, "");
        let nothing = calls.is_empty() && refusal.is_none();
        if nothing && content.is_none() && thoughts.is_empty() && turn.extras.0.is_empty() {
            return;
        }
        let otherwise = if nothing { Json::word("") } else { Json::Null };
        message.put("content", content.unwrap_or(otherwise));
        message = message.maybe("refusal", refusal);
        message = self.thoughts(&thoughts, message);
        if !calls.is_empty() {
            message.put("tool_calls", calls);
        }
        let message = message.maybe("extra_content", state);
        self.push(message, &turn.extras);
    }

    /// Google's state goes to Google's models, whoever serves them.
    fn state(&self, block: &Block) -> Option<Object> {
        let state = block.opaque.as_ref()?;
        state.of(Origin::google())?;
        self.to
            .model
            .contains("gemini")
            .then(|| wire::write_signature(state))
    }

    fn thoughts(&mut self, thoughts: &[&Block], message: Object) -> Object {
        let text = |block: &&Block| match &block.kind {
            Kind::Reasoning(text) => Some(text.clone()),
            _ => None,
        };
        if self.to.card.has(Quirk::ReasoningDetails) {
            let details: Vec<Object> = thoughts
                .iter()
                .filter_map(|block| thought::write_back(block))
                .collect();
            let unsigned = thoughts.iter().filter(|block| block.opaque.is_none());
            let unsigned: String = unsigned.filter_map(text).collect();
            let said = thoughts
                .iter()
                .filter_map(text)
                .any(|text| !text.is_empty());
            if !details.is_empty() {
                return message.with("reasoning_details", details);
            }
            if !unsigned.is_empty() {
                return message.with("reasoning", unsigned);
            }
            if said {
                self.notes.drop(Field::ReasoningHistory);
            }
            return message;
        }
        let said: String = thoughts.iter().filter_map(text).collect();
        if said.is_empty() {
            return message;
        }
        if self.to.card.has(Quirk::ReasoningContent) {
            return message.with("reasoning_content", said);
        }
        self.notes.drop(Field::ReasoningHistory);
        message
    }

    fn id(&self, id: &str) -> String {
        if self.to.card.has(Quirk::NineCharacterIds) {
            names::id_of_nine(id)
        } else {
            names::id(id)
        }
    }

    fn call(&mut self, call: &ToolUse, block: &Block) -> Object {
        let openai = self.to.card.has(Quirk::Openai);
        let custom = self.custom.contains(&call.name.as_str());
        let name = self.names.write(&call.name);
        let (kind, mut inner) = if custom && openai {
            let input = answer::custom_input(&call.arguments);
            (
                "custom",
                Object::new().with("name", name).with("input", input),
            )
        } else {
            let arguments = if custom {
                own_text(&answer::custom_arguments(&call.arguments))
            } else if openai && !call.arguments.trim().is_empty() {
                call.arguments.clone()
            } else {
                // Others parse what they are given: a call that was cut must not be an error.
                own_text(&call.object())
            };
            let inner = Object::new()
                .with("name", name)
                .with("arguments", arguments);
            ("function", inner)
        };
        let mut outer = Object::new()
            .with("id", self.id(&call.id))
            .with("type", kind);
        let prefix = if kind == "custom" {
            "custom."
        } else {
            "function."
        };
        let mut beside = Object::new();
        for extra in block.extras.of(Dialect::OpenaiChat) {
            match extra.name.strip_prefix(prefix) {
                Some(name) => inner.put(name.to_owned(), &extra.value),
                None => beside.put(extra.name.clone(), &extra.value),
            }
        }
        self.note_foreign(&block.extras, "messages[].tool_calls[]");
        self.notes.drop_if(block.cache.as_ref(), Field::Cache);
        outer.put(kind, inner);
        outer.append(beside);
        outer.maybe("extra_content", self.state(block))
    }
}

fn own_text(raw: &Raw) -> String {
    raw.get().to_owned()
}
