//! Blocks → parts. <https://ai.google.dev/api/caching#Part>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use shared::domain::dialect::Dialect;
use shared::failure::Failure;

use super::super::super::{media, names, signature};
use super::super::SAID_AS;
use super::turns::Parts;
use super::{Writing, plain};
use crate::dialects::json::{Fields, Json, Object, Raw};
use crate::dialects::neutral::request::{Extras, Medium, Source, ToolResult, ToolUse};
use crate::dialects::neutral::{Block, Field, Kind, Opaque, Origin};

impl Writing<'_> {
    /// A block of a caller of another dialect. What is empty is left out, and answers of functions
    /// have nothing beside them.
    pub(super) fn part(&mut self, block: &Block, parts: &mut Parts) -> Result<(), Failure> {
        self.lose(&block.extras, "messages[].content[].");
        self.notes.drop_if(block.cache.as_ref(), Field::Cache);
        let state = block
            .opaque
            .as_ref()
            .and_then(|state| state.of(Origin::Gemini));
        let part = match &block.kind {
            Kind::Text(text) | Kind::Refusal(text) if text.is_empty() && state.is_none() => {
                return Ok(());
            }
            Kind::Reasoning(thought) if state.is_none() => {
                if !thought.is_empty() {
                    self.notes.drop(Field::ReasoningHistory);
                }
                return Ok(());
            }
            Kind::Redacted if state.is_none() => return Ok(()),
            Kind::ToolResult(result) => {
                let mut media = Vec::new();
                let answer = self.answer(result, &block.extras, Some(&mut media))?;
                parts.answers.push(answer.into());
                parts.others.extend(media);
                return Ok(());
            }
            _ => self.any(block, &mut parts.called)?,
        };
        parts.others.extend(part);
        Ok(())
    }

    /// A block of a caller of this dialect.
    pub(super) fn own_part(
        &mut self,
        block: &Block,
        called: &mut bool,
    ) -> Result<Option<Json>, Failure> {
        self.lose(&block.extras, "messages[].content[].");
        if let Kind::ToolResult(result) = &block.kind {
            let answer = self.answer(result, &block.extras, None)?;
            return Ok(Some(answer.into()));
        }
        let foreign = |state: &Opaque| state.origin != Origin::Gemini;
        if let (Kind::Reasoning(_) | Kind::Redacted, true) =
            (&block.kind, block.opaque.as_ref().is_some_and(foreign))
        {
            self.notes.drop(Field::ReasoningHistory);
            return Ok(None);
        }
        self.any(block, called)
    }

    /// A part that is no answer of a function.
    fn any(&mut self, block: &Block, called: &mut bool) -> Result<Option<Json>, Failure> {
        let mut part = Object::new();
        let mut state = block
            .opaque
            .as_ref()
            .and_then(|state| state.of(Origin::Gemini));
        match &block.kind {
            Kind::Text(text) | Kind::Refusal(text) => part.put("text", text),
            Kind::Reasoning(text) => {
                part.put("text", text);
                part.put("thought", true);
            }
            Kind::Redacted => part.put("thought", true),
            Kind::Image(medium)
            | Kind::Document(medium)
            | Kind::Audio(medium)
            | Kind::Video(medium) => {
                if !self.medium(&block.kind, medium, &block.extras, &mut part)? {
                    return Ok(None);
                }
            }
            Kind::ToolUse(call) => {
                let function = self.call(call, &block.extras);
                part.put(self.spelling.write("functionCall"), function);
                if !std::mem::replace(called, true) && self.model.third {
                    state = state.or(Some(signature::MISSING));
                }
            }
            Kind::Foreign(Dialect::Gemini, raw) => return Ok(Some(raw.into())),
            Kind::Foreign(_, raw) => {
                self.lose_foreign(raw);
                return Ok(None);
            }
            Kind::ToolResult(_) => return Ok(None),
        }
        if let Some(state) = state {
            part.put(self.spelling.write("thoughtSignature"), state.to_owned());
        }
        for extra in block.extras.of(Dialect::Gemini) {
            if !plain(extra).contains('.') {
                part.put(plain(extra).to_owned(), &extra.value);
            }
        }
        Ok(Some(part.into()))
    }

    fn lose_foreign(&mut self, raw: &Raw) {
        let kind = Fields::of(raw).and_then(|mut fields| fields.text("type"));
        let kind = kind.unwrap_or_else(|| "unknown".to_owned());
        self.notes
            .drop(Field::Other(format!("messages[].content[].{kind}")));
    }

    fn call(&mut self, call: &ToolUse, extras: &Extras) -> Object {
        let mut function = Object::new();
        if !names::is_minted(&call.id) && !call.id.is_empty() {
            function.put("id", &call.id);
        }
        function.put("name", self.tool_name(&call.name));
        if !call.arguments.is_empty() {
            function.put("args", call.object());
        }
        self.inner(extras, "functionCall.", &mut function);
        function
    }

    /// `{"functionResponse": …}`. Where it cannot hold media they go `beside` it; a caller of this
    /// dialect has put them where they belong.
    fn answer(
        &mut self,
        result: &ToolResult,
        extras: &Extras,
        beside: Option<&mut Vec<Json>>,
    ) -> Result<Object, Failure> {
        let name = result
            .name
            .as_deref()
            .or_else(|| self.called.get(result.id.as_str()).copied());
        let name = self.tool_name(name.unwrap_or("unknown"));
        let mut said: Vec<&str> = Vec::new();
        let mut inside = Vec::new();
        for block in &result.content.blocks {
            self.notes.drop_if(block.cache.as_ref(), Field::Cache);
            match &block.kind {
                Kind::Text(text) | Kind::Refusal(text) => said.push(text),
                Kind::Foreign(Dialect::Gemini, raw) => inside.push(raw.into()),
                Kind::Foreign(_, raw) => self.lose_foreign(raw),
                _ => inside.extend(self.any(block, &mut true)?),
            }
        }
        let mut function = Object::new();
        if !names::is_minted(&result.id) && !result.id.is_empty() {
            function.put("id", &result.id);
        }
        function.put("name", name);
        if beside.is_some() || !said.is_empty() {
            function.put(
                "response",
                response(&said.join("\n"), result.failed == Some(true), extras),
            );
        }
        match beside.filter(|_| !self.model.third) {
            Some(beside) => beside.extend(inside),
            None if inside.is_empty() => {}
            None => function.put("parts", Json::Array(inside)),
        }
        self.inner(extras, "functionResponse.", &mut function);
        let mut part = Object::new().with(self.spelling.write("functionResponse"), function);
        for extra in extras.of(Dialect::Gemini) {
            if !plain(extra).contains('.') {
                part.put(plain(extra).to_owned(), &extra.value);
            }
        }
        Ok(part)
    }

    /// Puts a medium into a part; `false` when nothing of it can be said.
    fn medium(
        &mut self,
        kind: &Kind,
        medium: &Medium,
        extras: &Extras,
        part: &mut Object,
    ) -> Result<bool, Failure> {
        self.notes
            .drop_if(medium.detail.as_ref(), Field::ImageDetail);
        // Only Vertex has names for media: they go to it from callers that speak of it.
        if extras.of(Dialect::Gemini).next().is_none() && medium.name.is_some() {
            self.notes.drop(Field::Other("filename".to_owned()));
        }
        let mut object = Object::new();
        let mime = self.spelling.write("mimeType");
        let (name, prefix) = match &medium.source {
            Source::Base64(data) => {
                let known = medium.mime.clone();
                let known = known.unwrap_or_else(|| media::guess(kind, data).to_owned());
                object.put(mime, known);
                object.put("data", self.spelling.write_bytes(data));
                ("inlineData", "inlineData.")
            }
            Source::Text(text) => {
                let known = medium.mime.as_deref().unwrap_or("text/plain");
                object.put(mime, known.to_owned());
                object.put("data", STANDARD.encode(text));
                ("inlineData", "inlineData.")
            }
            Source::Url(url) => {
                object = object.maybe(mime, medium.mime.as_ref());
                object.put(self.spelling.write("fileUri"), url);
                ("fileData", "fileData.")
            }
            Source::File(_) => {
                let text = "A file that was uploaded to another provider cannot be read here.";
                return Err(Failure::bad_field("file_id", text));
            }
        };
        self.inner(extras, prefix, &mut object);
        part.put(self.spelling.write(name), object);
        Ok(true)
    }

    /// Puts the extras below a prefix into an object.
    fn inner(&self, extras: &Extras, prefix: &str, object: &mut Object) {
        for extra in extras.of(Dialect::Gemini) {
            if let Some(name) = plain(extra).strip_prefix(prefix) {
                object.put(self.spelling.write(name), &extra.value);
            }
        }
    }
}

/// What a function answered as an object: one that it is already, or one that says it.
/// <https://ai.google.dev/api/caching#FunctionResponse>
fn response(said: &str, failed: bool, extras: &Extras) -> Json {
    let object = said.trim();
    let object = object
        .starts_with('{')
        .then(|| serde_json::from_str::<Raw>(object).ok());
    let Some(object) = object.flatten() else {
        let name = match extras.get(Dialect::Gemini, SAID_AS) {
            _ if failed => "error",
            Some(_) => "result",
            None => "output",
        };
        return Object::new().with(name, said.to_owned()).into();
    };
    let tells = Fields::of(&object).is_some_and(|mut fields| fields.take("error").is_some());
    if failed && !tells {
        return Object::new().with("error", object).into();
    }
    object.into()
}
