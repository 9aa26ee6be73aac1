//! `tools` and `toolConfig`: functions always with their JSON schema.

use shared::domain::dialect::Dialect;

use super::super::{ENTRY, TOOL_CONFIG};
use super::{Writing, is_function, plain};
use crate::dialects::json::{Fields, Json, Object, Raw};
use crate::dialects::neutral::request::{Tool, ToolChoice, ToolInput};
use crate::dialects::neutral::{Field, Request};

/// The schema of a function that stands in for a tool that takes any text.
const ANY_TEXT: &str = concat!(
    r#"{"type":"object","properties":{"input":{"type":"string"}},"#,
    r#""required":["input"]}"#
);

/// An element of `tools`: functions, and tools of Google's own.
#[derive(Debug, Default)]
struct Entry {
    functions: Vec<Json>,
    others: Vec<(String, Raw)>,
}

impl Writing<'_> {
    pub(super) fn tools(&mut self, tools: &[Tool]) -> Vec<Json> {
        let mut entries: Vec<Entry> = Vec::new();
        for tool in tools {
            self.lose(&tool.extras, "tools[].");
            let begins = tool.extras.get(Dialect::Gemini, ENTRY).is_some();
            if begins || entries.is_empty() {
                entries.push(Entry::default());
            }
            let Some(entry) = entries.last_mut() else {
                continue;
            };
            match &tool.input {
                ToolInput::Foreign(Dialect::Gemini, definition) => {
                    let members = Fields::of(definition).into_iter().flat_map(Fields::rest);
                    let members = members.map(|(name, value)| (name, value.to_owned()));
                    entry.others.extend(members);
                }
                ToolInput::Foreign(..) => self.notes.drop(Field::Tool(tool.name.clone())),
                ToolInput::Schema(_) | ToolInput::Text => {
                    let function = self.function(tool);
                    entry.functions.push(function.into());
                }
            }
        }
        entries
            .into_iter()
            .filter_map(|entry| self.entry(entry))
            .collect()
    }

    fn entry(&self, entry: Entry) -> Option<Json> {
        let mut object = Object::new();
        if !entry.functions.is_empty() {
            let name = self.spelling.write("functionDeclarations");
            object.put(name, Json::Array(entry.functions));
        }
        for (name, definition) in entry.others {
            object.put(name, definition);
        }
        (!object.is_empty()).then(|| object.into())
    }

    fn function(&mut self, tool: &Tool) -> Object {
        let mut function = Object::new().with("name", self.tool_name(&tool.name));
        function = function.maybe("description", tool.description.as_ref());
        let own = tool.extras.get(Dialect::Gemini, "=parameters").is_some();
        match &tool.input {
            ToolInput::Schema(Some(schema)) if !own => {
                function.put(self.spelling.write("parametersJsonSchema"), schema);
            }
            ToolInput::Text => {
                let schema = serde_json::from_str::<Raw>(ANY_TEXT).unwrap_or_default();
                function.put("parametersJsonSchema", schema);
                self.notes.emulate(Field::Tool(tool.name.clone()));
            }
            _ => {}
        }
        for extra in tool.extras.of(Dialect::Gemini) {
            if extra.name != ENTRY {
                function.put(plain(extra).to_owned(), &extra.value);
            }
        }
        if tool.strict == Some(true) {
            self.notes.drop(Field::StrictTools);
        }
        self.notes.drop_if(tool.cache.as_ref(), Field::Cache);
        function
    }

    pub(super) fn tool_config(&mut self, request: &Request) -> Option<Json> {
        if let Some(own) = request.extras.get(Dialect::Gemini, TOOL_CONFIG) {
            return Some(own.into());
        }
        // Without functions there is nothing to choose from, and Gemini refuses to be told.
        if !request.tools.iter().any(is_function) {
            return None;
        }
        let (mode, names) = match request.tool_choice.as_ref()? {
            ToolChoice::Auto => ("AUTO", &[][..]),
            ToolChoice::Any => ("ANY", &[][..]),
            ToolChoice::None => ("NONE", &[][..]),
            ToolChoice::Named(name) => ("ANY", std::slice::from_ref(name)),
            ToolChoice::Among {
                names,
                required: true,
            } => ("ANY", names.as_slice()),
            ToolChoice::Among {
                names,
                required: false,
            } => ("VALIDATED", names.as_slice()),
        };
        let mut calling = Object::new().with("mode", Json::word(mode));
        if !names.is_empty() {
            let names: Vec<String> = names.iter().map(|name| self.tool_name(name)).collect();
            calling.put("allowedFunctionNames", names);
        }
        Some(Object::new().with("functionCallingConfig", calling).into())
    }
}
