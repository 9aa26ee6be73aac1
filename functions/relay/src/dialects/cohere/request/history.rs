//! A conversation → Cohere's messages, and the documents beside them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use shared::domain::dialect::Dialect;

use super::names::Names;
use crate::dialects::json::{Fields, Json, Object};
use crate::dialects::neutral::request::{Content, Extras, Medium, Source, ToolResult};
use crate::dialects::neutral::{Block, Field, Kind, Notes, Role, Turn};

/// What a tool is taken to have said that said nothing: Cohere wants some words.
const NOTHING: &str = "(no output)";

/// The messages so far.
#[derive(Debug)]
pub(super) struct History<'a> {
    pub(super) names: &'a mut Names,
    pub(super) notes: &'a mut Notes,
    /// Whether the model takes its own thoughts back.
    pub(super) thinks: bool,
    pub(super) messages: Vec<Json>,
    pub(super) documents: Vec<Json>,
    /// Images out of tools' results: they follow in a user's message, after all of the results.
    pub(super) images: Vec<Part>,
}

/// A part of a message.
#[derive(Debug)]
pub(super) enum Part {
    Text(String),
    Thinking(String),
    Image(Object),
}

impl History<'_> {
    /// What the model is told apart from the conversation.
    pub(super) fn instructions(&mut self, content: &Content, more: Option<String>) {
        let mut texts = self.texts(&content.blocks);
        texts.extend(more);
        self.system(texts);
    }

    pub(super) fn turn(&mut self, turn: &Turn) {
        for extra in turn.extras.foreign(Dialect::Cohere) {
            self.notes
                .drop(Field::Other(format!("messages[].{}", extra.name)));
        }
        match turn.role {
            Role::System | Role::Developer => {
                let texts = self.texts(&turn.content.blocks);
                self.system(texts);
            }
            Role::User | Role::Tool => self.user(&turn.content.blocks),
            Role::Assistant => self.assistant(&turn.content.blocks),
        }
    }

    /// Says what is left to say after the last turn.
    pub(super) fn end(&mut self) {
        if let Some(content) = content(std::mem::take(&mut self.images)) {
            self.messages.push(message("user", content));
        }
    }

    fn system(&mut self, texts: Vec<String>) {
        self.end();
        let parts = texts.into_iter().map(Part::Text).collect();
        if let Some(content) = content(parts) {
            self.messages.push(message("system", content));
        }
    }

    fn user(&mut self, blocks: &[Block]) {
        for block in blocks {
            if let Kind::ToolResult(result) = &block.kind {
                self.beside(block);
                self.result(result);
            }
        }
        let mut parts = Vec::new();
        for block in blocks {
            if matches!(block.kind, Kind::ToolResult(_)) {
                continue;
            }
            self.beside(block);
            if let Kind::Image(image) = &block.kind {
                parts.extend(self.image(image));
            } else {
                parts.extend(self.text(block).map(Part::Text));
            }
        }
        if parts.is_empty() {
            return;
        }
        let mut all = std::mem::take(&mut self.images);
        all.extend(parts);
        if let Some(content) = content(all) {
            self.messages.push(message("user", content));
        }
    }

    fn result(&mut self, result: &ToolResult) {
        let mut texts = Vec::new();
        for block in &result.content.blocks {
            self.beside(block);
            if let Kind::Image(image) = &block.kind {
                if let Some(part) = self.image(image) {
                    self.notes.emulate(Field::Content("image"));
                    self.images.push(part);
                }
            } else {
                texts.extend(self.text(block));
            }
        }
        let mut text = texts.join("\n");
        if text.is_empty() {
            NOTHING.clone_into(&mut text);
        }
        if result.failed == Some(true) {
            text.insert_str(0, "Error: ");
        }
        let message = Object::new()
            .with("role", "tool")
            .with("tool_call_id", &result.id)
            .with("content", text);
        self.messages.push(message.into());
    }

    fn assistant(&mut self, blocks: &[Block]) {
        self.end();
        let (mut thoughts, mut texts, mut calls) = (Vec::new(), Vec::new(), Vec::new());
        for block in blocks {
            self.beside(block);
            match &block.kind {
                Kind::Reasoning(thought) => thoughts.extend(self.thought(block, thought)),
                Kind::Redacted => self.notes.drop(Field::ReasoningHistory),
                Kind::ToolUse(call) => {
                    let function = Object::new()
                        .with("name", self.names.write(&call.name))
                        .with("arguments", call.object().get().to_owned());
                    let call = Object::new()
                        .with("id", &call.id)
                        .with("type", "function")
                        .with("function", function);
                    calls.push(Json::from(call));
                }
                _ => texts.extend(self.text(block)),
            }
        }
        let mut plan = Vec::new();
        if !self.thinks && calls.is_empty() {
            if !thoughts.is_empty() {
                self.notes.drop(Field::ReasoningHistory);
            }
            thoughts.clear();
        } else if !self.thinks {
            plan.append(&mut thoughts);
        }
        if !calls.is_empty() {
            // What is said beside calls is what Cohere calls the plan.
            plan.append(&mut texts);
        }
        let mut parts: Vec<Part> = thoughts.into_iter().map(Part::Thinking).collect();
        parts.extend(texts.into_iter().map(Part::Text));
        let content = content(parts);
        if content.is_none() && calls.is_empty() {
            return;
        }
        let plan = Some(plan.join("\n\n")).filter(|plan| !plan.is_empty());
        let message = Object::new()
            .with("role", "assistant")
            .maybe("content", content)
            .maybe("tool_plan", plan)
            .maybe("tool_calls", (!calls.is_empty()).then_some(calls));
        self.messages.push(message.into());
    }

    /// A thought that may be this provider's: state that belongs to it would be another's.
    fn thought(&mut self, block: &Block, thought: &str) -> Option<String> {
        let state = block.opaque.as_ref();
        if state.is_some_and(|state| !state.data.is_empty()) {
            self.notes.drop(Field::ReasoningHistory);
            return None;
        }
        Some(thought.to_owned()).filter(|thought| !thought.is_empty())
    }

    fn texts(&mut self, blocks: &[Block]) -> Vec<String> {
        let mut texts = Vec::new();
        for block in blocks {
            self.beside(block);
            texts.extend(self.text(block));
        }
        texts
    }

    /// A block as text. Documents of text go beside the messages; what else there is, is dropped.
    fn text(&mut self, block: &Block) -> Option<String> {
        let dropped = match &block.kind {
            Kind::Text(text) | Kind::Refusal(text) => {
                return Some(text.clone()).filter(|text| !text.is_empty());
            }
            Kind::Document(document) => {
                let Some(text) = document_text(document) else {
                    self.notes.drop(Field::Content("document"));
                    return None;
                };
                self.notes.emulate(Field::Content("document"));
                let data = Object::new()
                    .maybe("title", document.name.as_ref())
                    .with("text", text);
                self.documents.push(Object::new().with("data", data).into());
                return None;
            }
            Kind::Image(_) => Field::Content("image"),
            Kind::Audio(_) => Field::Content("audio"),
            Kind::Video(_) => Field::Content("video"),
            Kind::Reasoning(_) | Kind::Redacted => Field::ReasoningHistory,
            Kind::Foreign(_, raw) => {
                let kind = Fields::of(raw).and_then(|mut fields| fields.text("type"));
                let kind = kind.unwrap_or_else(|| "?".to_owned());
                Field::Other(format!("messages[].content[].{kind}"))
            }
            Kind::ToolUse(_) | Kind::ToolResult(_) => Field::Other("messages[].content[]".into()),
        };
        self.notes.drop(dropped);
        None
    }

    fn image(&mut self, image: &Medium) -> Option<Part> {
        let url = match &image.source {
            Source::Url(url) => url.clone(),
            Source::Base64(data) => {
                let mime = image.mime.as_deref().unwrap_or("image/png");
                format!("data:{mime};base64,{data}")
            }
            Source::Text(_) | Source::File(_) => {
                self.notes.drop(Field::Content("image"));
                return None;
            }
        };
        let image = Object::new()
            .with("url", url)
            .maybe("detail", image.detail.as_ref());
        Some(Part::Image(image))
    }

    /// What stands beside a block, and Cohere does not know.
    fn beside(&mut self, block: &Block) {
        self.notes.drop_if(block.cache.as_ref(), Field::Cache);
        note_extras(&block.extras, "messages[].content[]", self.notes);
    }
}

/// Notes what only other dialects understand, by the path of where it stands.
pub(super) fn note_extras(extras: &Extras, path: &str, notes: &mut Notes) {
    for extra in extras.foreign(Dialect::Cohere) {
        notes.drop(Field::Other(format!("{path}.{}", extra.name)));
    }
}

fn document_text(document: &Medium) -> Option<String> {
    match &document.source {
        Source::Text(text) => Some(text.clone()),
        Source::Base64(data) => {
            let mime = document.mime.as_deref().unwrap_or_default();
            let readable = mime.starts_with("text/") || mime == "application/json";
            let bytes = readable.then(|| STANDARD.decode(data).ok()).flatten()?;
            String::from_utf8(bytes).ok()
        }
        Source::Url(_) | Source::File(_) => None,
    }
}

fn message(role: &'static str, content: Json) -> Json {
    Object::new()
        .with("role", role)
        .with("content", content)
        .into()
}

/// Parts as content: one text alone is a mere text. None when there are none.
fn content(mut parts: Vec<Part>) -> Option<Json> {
    if let [Part::Text(text)] = parts.as_mut_slice() {
        return Some(std::mem::take(text).into());
    }
    let written: Vec<Object> = parts.into_iter().map(Part::write).collect();
    (!written.is_empty()).then(|| written.into())
}

impl Part {
    fn write(self) -> Object {
        match self {
            Self::Text(text) => Object::of_type("text").with("text", text),
            Self::Thinking(thought) => Object::of_type("thinking").with("thinking", thought),
            Self::Image(image) => Object::of_type("image_url").with("image_url", image),
        }
    }
}
