//! The neutral form → a provider's request.
//!
//! Added to what the caller says: `store` is false and the state of thoughts is asked for, unless the
//! caller speaks this dialect and has said otherwise, for nobody comes back for what is stored.

mod items;
mod limits;
mod models;
mod parts;
mod tools;

use std::collections::BTreeSet;

use shared::domain::provider::card::Quirk;
use shared::failure::Failure;

use super::read::{DIALECT, MERE_TEXT};
use crate::dialects::convert::Renames;
use crate::dialects::json::{Fields, Json, Object};
use crate::dialects::neutral::request::{
    Content, Effort, Extra, Format, Reasoning, Schema, ToolChoice, ToolInput,
};
use crate::dialects::neutral::{Field, Kind, Notes, Request};
use crate::dialects::{Destination, Written};
use limits::Limits;
use models::Family;

/// A request that is being written.
struct Writing<'a> {
    to: &'a Destination<'a>,
    family: Family,
    notes: Notes,
    limits: Limits,
    /// The tools that take any text.
    custom: BTreeSet<String>,
}

/// The request.
pub(in crate::dialects) fn write(
    request: &Request,
    to: &Destination<'_>,
) -> Result<Written, Failure> {
    refuse_what_cannot_be_said(request)?;
    let openai = to.card.has(Quirk::Openai);
    let custom = request.tools.iter();
    let custom = custom.filter(|tool| matches!(tool.input, ToolInput::Text));
    let mut writing = Writing {
        to,
        family: if openai {
            Family::of(to.model)
        } else {
            Family::Unknown
        },
        notes: Notes::default(),
        limits: Limits::default(),
        custom: custom.map(|tool| tool.name.clone()).collect(),
    };
    let body = writing.body(request).to_bytes();
    let renames = Renames {
        tools: writing.limits.renamed,
        format_tool: None,
    };
    Ok(Written {
        body,
        notes: writing.notes,
        renames,
    })
}

/// There is nothing here that comes near to these.
fn refuse_what_cannot_be_said(request: &Request) -> Result<(), Failure> {
    if !request.sampling.stop.is_empty() {
        let text = "The provider of this model takes no texts that end the answer.";
        return Err(Failure::bad_field("stop", text));
    }
    if request.sampling.answers.is_some_and(|answers| answers > 1) {
        let text = "The provider of this model gives one answer at a time.";
        return Err(Failure::bad_field("n", text));
    }
    Ok(())
}

impl Writing<'_> {
    fn body(&mut self, request: &Request) -> Object {
        let mut body = Object::new().with("model", self.to.model.to_owned());
        if let Some(instructions) = self.instructions(&request.instructions) {
            body.put("instructions", instructions);
        }
        body.put("input", self.input(request));
        self.choosing(request, &mut body);
        if let Some(most) = request.max_output {
            let most = self.most(most);
            let field = Field::Other("max_output_tokens".to_owned());
            self.put(&mut body, field, "max_output_tokens", most);
        }
        self.sampling(request, &mut body);
        self.reasoning(request, &mut body);
        self.text(request, &mut body);
        if let Some(user) = &request.user {
            let fitting = limits::fit(user);
            if fitting != *user {
                self.notes.emulate(Field::User);
            }
            self.put(&mut body, Field::User, "user", fitting);
        }
        self.notes.drop_if(request.cache.as_ref(), Field::Cache);
        self.rest(request, &mut body);
        if self.to.stream {
            body.put("stream", true);
        }
        body
    }

    /// Puts a member, unless the provider refuses it.
    fn put(&mut self, body: &mut Object, field: Field, name: &'static str, value: impl Into<Json>) {
        if self.to.card.refuses(name) {
            self.notes.drop(field);
        } else {
            body.put(name, value);
        }
    }

    /// The tools, and which of them are called.
    fn choosing(&mut self, request: &Request, body: &mut Object) {
        let tools = self.tools(&request.tools);
        let none = tools.is_empty();
        if !none {
            body.put("tools", tools);
        }
        match &request.tool_choice {
            // Nothing can be called where there is nothing.
            Some(ToolChoice::Any | ToolChoice::Named(_) | ToolChoice::Among { .. }) if none => {
                self.notes.drop(Field::ToolChoice);
            }
            Some(choice) => {
                let choice = self.choice(choice);
                self.put(body, Field::ToolChoice, "tool_choice", choice);
            }
            None => {}
        }
        if let Some(parallel) = request.parallel_tools {
            self.put(body, Field::ParallelTools, "parallel_tool_calls", parallel);
        }
    }

    /// All of the instructions in one text.
    fn instructions(&mut self, content: &Content) -> Option<String> {
        let mut texts: Vec<&str> = Vec::new();
        for block in &content.blocks {
            self.note_block(block);
            match &block.kind {
                Kind::Text(text) => texts.push(text),
                _ => self.notes.drop(Field::Content("instructions")),
            }
        }
        let joined = || texts.join("\n\n");
        (!texts.is_empty()).then(joined)
    }

    fn input(&mut self, request: &Request) -> Json {
        if let [turn] = request.turns.as_slice()
            && let [block] = turn.content.blocks.as_slice()
            && let Kind::Text(text) = &block.kind
            && items::own_type(&turn.extras).as_deref() == Some(MERE_TEXT)
        {
            return text.into();
        }
        self.items(&request.turns).into()
    }

    /// OpenAI refuses less than this.
    fn most(&mut self, most: u64) -> u64 {
        const LEAST: u64 = 16;
        if most >= LEAST || !self.to.card.has(Quirk::Openai) {
            return most;
        }
        let name = "max_output_tokens".to_owned();
        self.notes.emulate(Field::Other(name));
        LEAST
    }

    fn sampling(&mut self, request: &Request, body: &mut Object) {
        let sampling = &request.sampling;
        for (name, value, field) in [
            ("temperature", &sampling.temperature, Field::Temperature),
            ("top_p", &sampling.top_p, Field::TopP),
        ] {
            match value {
                Some(_) if self.family.reasons() => self.notes.drop(field),
                Some(value) => self.put(body, field, name, value),
                None => {}
            }
        }
        for (value, field) in [
            (&sampling.top_k, Field::TopK),
            (&sampling.seed, Field::Seed),
            (&sampling.presence_penalty, Field::PresencePenalty),
            (&sampling.frequency_penalty, Field::FrequencyPenalty),
            (&sampling.logit_bias, Field::LogitBias),
        ] {
            self.notes.drop_if(value.as_ref(), field);
        }
        self.notes
            .drop_if(sampling.logprobs.as_ref(), Field::Logprobs);
    }

    fn reasoning(&mut self, request: &Request, body: &mut Object) {
        let own = own_members(request, "reasoning.");
        let Some(reasoning) = &request.reasoning else {
            return;
        };
        if self.family == Family::Plain {
            if reasoning
                .as_effort()
                .is_some_and(|effort| effort != Effort::None)
            {
                self.notes.drop(Field::Reasoning);
            }
            return;
        }
        let mut object = Object::new();
        if let Some(effort) = reasoning.as_effort() {
            let nearest = self.family.nearest(effort);
            if nearest != effort || reasoning.effort.is_none() {
                self.notes.emulate(Field::Reasoning);
            }
            object.put("effort", nearest.word());
        }
        if let Some(summary) = summary(reasoning) {
            object.put("summary", summary);
        }
        put_members(&mut object, own);
        self.put(body, Field::Reasoning, "reasoning", object);
    }

    fn text(&mut self, request: &Request, body: &mut Object) {
        let own = own_members(request, "text.");
        let format = request.format.as_ref().map(format);
        let mut object = Object::new().maybe("format", format);
        put_members(&mut object, own);
        if !object.is_empty() {
            self.put(body, Field::Format, "text", object);
        }
    }

    /// What only this dialect understands, and what is added.
    fn rest(&mut self, request: &Request, body: &mut Object) {
        for extra in request.extras.of(DIALECT) {
            let nested = ["reasoning.", "text."];
            if self.to.card.refuses(&extra.name) {
                self.notes.drop(Field::Other(extra.name.clone()));
            } else if !nested.iter().any(|around| extra.name.starts_with(around)) {
                body.put(extra.name.clone(), &extra.value);
            }
        }
        for extra in request.extras.foreign(DIALECT) {
            self.notes.drop(Field::Other(extra.name.clone()));
        }
        if !body.has("store") && !self.to.card.refuses("store") {
            body.put("store", false);
        }
        let asked = request.reasoning.as_ref();
        let asked = asked.is_some_and(|asked| asked.as_effort() != Some(Effort::None));
        let reasons = match self.family {
            Family::Plain => false,
            Family::Unknown => asked,
            _ => true,
        };
        if reasons && !body.has("include") && !self.to.card.refuses("include") {
            body.put("include", vec!["reasoning.encrypted_content"]);
        }
    }
}

/// The caller's word for how thoughts are summarised; or any, where thoughts shall be told.
fn summary(reasoning: &Reasoning) -> Option<String> {
    let told = || (reasoning.told == Some(true)).then(|| "auto".to_owned());
    reasoning.summary.clone().or_else(told)
}

fn format(format: &Format) -> Object {
    match format {
        Format::Text => Object::of_type("text"),
        Format::Json => Object::of_type("json_object"),
        Format::Schema(Schema {
            name,
            description,
            schema,
            strict,
        }) => {
            // A name is required; Anthropic and Gemini have none.
            let name = name
                .as_deref()
                .map_or_else(|| "response".to_owned(), limits::name);
            Object::of_type("json_schema")
                .with("name", name)
                .maybe("description", description.as_ref())
                .with("schema", schema)
                .maybe("strict", *strict)
        }
    }
}

/// The extras of this dialect whose names begin so, under the rest of their names.
fn own_members<'a>(
    request: &'a Request,
    prefix: &'a str,
) -> impl Iterator<Item = (&'a str, &'a Extra)> {
    let own = request.extras.of(DIALECT);
    own.filter_map(move |extra| Some((extra.name.strip_prefix(prefix)?, extra)))
}

fn put_members<'a>(object: &mut Object, members: impl Iterator<Item = (&'a str, &'a Extra)>) {
    for (name, extra) in members {
        object.put(name.to_owned(), &extra.value);
    }
}

/// The members of a request that counts its tokens: what makes no difference to them is refused.
/// <https://platform.openai.com/docs/api-reference/responses/input-tokens>
pub(in crate::dialects) fn count(written: &[u8]) -> Object {
    const COUNTED: [&str; 8] = [
        "model",
        "input",
        "instructions",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "reasoning",
        "text",
    ];
    let text = std::str::from_utf8(written).unwrap_or_default();
    let mut fields = Fields::parse(text).unwrap_or_default();
    let mut object = Object::new();
    for name in COUNTED {
        if let Some(value) = fields.take(name) {
            object.put(name, value.to_owned());
        }
    }
    object
}
