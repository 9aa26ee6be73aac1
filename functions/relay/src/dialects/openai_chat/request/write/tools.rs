//! Tools, and which of them must be called.

use shared::domain::dialect::Dialect;
use shared::domain::provider::card::Quirk;

use super::Letter;
use crate::dialects::json::{Json, Object, Raw};
use crate::dialects::neutral::request::{Extras, Tool, ToolChoice, ToolInput};
use crate::dialects::neutral::{Field, Request};
use crate::dialects::openai_chat::wire;

impl Letter<'_> {
    pub(super) fn tools(&mut self, request: &Request) {
        // Where a provider cannot choose among some, it sees no others.
        let among = match &request.tool_choice {
            Some(ToolChoice::Among { names, .. }) if !self.has(Quirk::Openai) => Some(names),
            _ => None,
        };
        let mut written = Vec::new();
        for tool in &request.tools {
            let chosen = among.is_none_or(|names| names.contains(&tool.name));
            if chosen && let Some(tool) = self.tool(tool) {
                written.push(tool);
            }
        }
        let choice = request.tool_choice.as_ref();
        if written.is_empty() {
            self.notes.drop_if(choice, Field::ToolChoice);
            let parallel = request.parallel_tools.as_ref();
            self.notes.drop_if(parallel, Field::ParallelTools);
            return;
        }
        self.body.put("tools", Json::Array(written));
        if let Some(choice) = choice {
            let choice = self.choice(choice, &request.tools);
            self.put("tool_choice", choice, Field::ToolChoice);
        }
        let parallel = request.parallel_tools;
        // OpenAI's older reasoning models do not know it.
        let older = self.has(Quirk::Openai)
            && wire::reasons(self.to.model)
            && wire::generation(self.to.model).is_none();
        if older {
            self.notes.drop_if(parallel.as_ref(), Field::ParallelTools);
        } else {
            self.put_maybe("parallel_tool_calls", parallel, Field::ParallelTools);
        }
    }

    fn tool(&mut self, tool: &Tool) -> Option<Json> {
        let (kind, inner) = match &tool.input {
            ToolInput::Foreign(Dialect::OpenaiChat, raw) => return Some(Json::Raw(raw.clone())),
            ToolInput::Foreign(..) => {
                self.notes.drop(Field::Tool(tool.name.clone()));
                return None;
            }
            ToolInput::Schema(schema) => ("function", self.function(tool, schema.as_ref())),
            ToolInput::Text if self.has(Quirk::Openai) => {
                let name = self.names.write(&tool.name);
                let custom = Object::new().with("name", name);
                (
                    "custom",
                    custom.maybe("description", tool.description.clone()),
                )
            }
            ToolInput::Text => {
                self.notes.emulate(Field::Tool(tool.name.clone()));
                ("function", self.stand_in(tool))
            }
        };
        let prefix = format!("{kind}.");
        let (mut inner, mut outer) = (inner, Object::of_type(kind));
        let mut beside = Object::new();
        for extra in tool.extras.of(Dialect::OpenaiChat) {
            match extra.name.strip_prefix(prefix.as_str()) {
                Some(name) => inner.put(name.to_owned(), &extra.value),
                None if extra.name.contains('.') => {
                    self.notes
                        .drop(Field::Other(format!("tools[].{}", extra.name)));
                }
                None => beside.put(extra.name.clone(), &extra.value),
            }
        }
        self.note_foreign_tool(&tool.extras);
        outer.put(kind, inner);
        outer.append(beside);
        if let Some(cache) = tool.cache {
            if self.has(Quirk::CacheControl) {
                outer.put("cache_control", wire::write_cache(cache));
            } else {
                self.notes.drop(Field::Cache);
            }
        }
        Some(outer.into())
    }

    fn note_foreign_tool(&mut self, extras: &Extras) {
        for extra in extras.foreign(Dialect::OpenaiChat) {
            self.notes
                .drop(Field::Other(format!("tools[].{}", extra.name)));
        }
    }

    fn function(&mut self, tool: &Tool, schema: Option<&Raw>) -> Object {
        let mut function = Object::new()
            .with("name", self.names.write(&tool.name))
            .maybe("description", tool.description.clone());
        match schema {
            Some(schema) => function.put("parameters", schema),
            // Others than OpenAI want a schema for no parameters, too.
            None if !self.has(Quirk::Openai) => {
                let schema = Object::of_type("object").with("properties", Object::new());
                function.put("parameters", schema);
            }
            None => {}
        }
        if let Some(strict) = tool.strict {
            if self.to.card.refuses("strict") {
                self.notes.drop(Field::StrictTools);
            } else {
                function.put("strict", strict);
            }
        }
        function
    }

    /// A function that stands in for a tool that takes any text.
    fn stand_in(&mut self, tool: &Tool) -> Object {
        let input =
            Object::of_type("string").with("description", "The input of the tool, as it is.");
        let schema = Object::of_type("object")
            .with("properties", Object::new().with("input", input))
            .with("required", vec!["input"])
            .with("additionalProperties", false);
        Object::new()
            .with("name", self.names.write(&tool.name))
            .maybe("description", tool.description.clone())
            .with("parameters", schema)
    }

    fn choice(&mut self, choice: &ToolChoice, tools: &[Tool]) -> Json {
        match choice {
            ToolChoice::Auto => Json::word("auto"),
            ToolChoice::None => Json::word("none"),
            ToolChoice::Any => Json::word("required"),
            ToolChoice::Named(name) => self.reference(name, tools).into(),
            ToolChoice::Among { names, required } => {
                let mode = if *required { "required" } else { "auto" };
                if !self.has(Quirk::Openai) {
                    self.notes.emulate(Field::ToolChoice);
                    return Json::word(mode);
                }
                let mut references = Vec::new();
                for name in names {
                    references.push(self.reference(name, tools));
                }
                let allowed = Object::new().with("mode", mode).with("tools", references);
                Object::of_type("allowed_tools")
                    .with("allowed_tools", allowed)
                    .into()
            }
        }
    }

    fn reference(&mut self, name: &str, tools: &[Tool]) -> Object {
        let custom = tools
            .iter()
            .any(|tool| tool.name == name && matches!(tool.input, ToolInput::Text));
        let kind = if custom && self.has(Quirk::Openai) {
            "custom"
        } else {
            "function"
        };
        let name = self.names.write(name);
        Object::of_type(kind).with(kind, Object::new().with("name", name))
    }
}
