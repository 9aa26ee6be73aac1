//! The tools of a request, and which of them must be called.

use super::super::read::DIALECT;
use super::{Writing, items};
use crate::dialects::json::{Json, Object, Raw};
use crate::dialects::neutral::Field;
use crate::dialects::neutral::request::{Tool, ToolChoice, ToolInput};

impl Writing<'_> {
    pub(super) fn tools(&mut self, tools: &[Tool]) -> Vec<Json> {
        tools.iter().filter_map(|tool| self.tool(tool)).collect()
    }

    fn tool(&mut self, tool: &Tool) -> Option<Json> {
        self.notes.drop_if(tool.cache.as_ref(), Field::Cache);
        for extra in tool.extras.foreign(DIALECT) {
            let name = format!("tools[].{}", extra.name);
            self.notes.drop(Field::Other(name));
        }
        // A tool of a caller of this dialect is written as it was.
        let own = items::own_type(&tool.extras).is_some();
        let object = match &tool.input {
            ToolInput::Foreign(DIALECT, raw) => return Some(raw.into()),
            ToolInput::Foreign(_, _) => {
                self.notes.drop(Field::Tool(tool.name.clone()));
                return None;
            }
            ToolInput::Text => self.named("custom", tool).maybe("strict", tool.strict),
            ToolInput::Schema(schema) => {
                let schema = schema.clone().or_else(|| (!own).then(no_arguments));
                // Without a word a function is strict here, and nowhere else.
                let strict = tool.strict.or((!own).then_some(false));
                self.named("function", tool)
                    .maybe("parameters", schema)
                    .maybe("strict", strict)
            }
        };
        let mut object = object;
        for extra in tool.extras.of(DIALECT).filter(|extra| extra.name != "type") {
            object.put(extra.name.clone(), &extra.value);
        }
        Some(object.into())
    }

    fn named(&mut self, kind: &'static str, tool: &Tool) -> Object {
        Object::of_type(kind)
            .with("name", self.limits.tool(&tool.name))
            .maybe("description", tool.description.as_ref())
    }

    pub(super) fn choice(&mut self, choice: &ToolChoice) -> Json {
        match choice {
            ToolChoice::Auto => "auto".into(),
            ToolChoice::Any => "required".into(),
            ToolChoice::None => "none".into(),
            ToolChoice::Named(name) => self.chosen(name).into(),
            ToolChoice::Among { names, required } => {
                let mode = if *required { "required" } else { "auto" };
                let tools: Vec<Object> = names.iter().map(|name| self.chosen(name)).collect();
                Object::of_type("allowed_tools")
                    .with("mode", mode)
                    .with("tools", tools)
                    .into()
            }
        }
    }

    fn chosen(&mut self, name: &str) -> Object {
        let kind = if self.custom.contains(name) {
            "custom"
        } else {
            "function"
        };
        Object::of_type(kind).with("name", self.limits.tool(name))
    }
}

/// The schema of a function without arguments.
fn no_arguments() -> Raw {
    Object::of_type("object")
        .with("properties", Object::new())
        .to_raw()
}
