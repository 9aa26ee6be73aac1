//! Tools and the form of the answer: Converse has the first for all models, the second for some.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolConfiguration.html>

use std::collections::BTreeSet;

use shared::domain::dialect::Dialect;

use super::cache::Points;
use super::names::Names;
use super::schema;
use super::thinking::Mind;
use crate::dialects::bedrock::model::Model;
use crate::dialects::json::{Json, Object, Raw};
use crate::dialects::neutral::request::{Format, Schema, Tool, ToolChoice, ToolInput};
use crate::dialects::neutral::{Field, Kind, Notes, Request};

/// The member that holds what a tool takes that takes any text.
pub(super) const TEXT: &str = "input";

/// `toolConfig` and what belongs to it.
#[derive(Debug, Default)]
pub(super) struct Kit {
    tools: Vec<Json>,
    choice: Option<Json>,
    /// `tool_choice` of Claude's own, for what Converse cannot say.
    pub(super) own_choice: Option<Object>,
    /// `outputConfig.textFormat`.
    pub(super) text_format: Option<Object>,
    /// What the model is told of the form of its answer.
    pub(super) told: Option<String>,
    /// The tool that stands in for a form of the answer.
    pub(super) format_tool: Option<String>,
}

/// What the kit is made with.
pub(super) struct Bench<'a> {
    pub(super) model: Model<'a>,
    pub(super) mind: &'a Mind,
    pub(super) names: &'a mut Names,
    pub(super) points: &'a mut Points,
    pub(super) notes: &'a mut Notes,
}

impl Kit {
    pub(super) fn of(request: &Request, bench: &mut Bench<'_>) -> Self {
        let mut kit = Self::default();
        kit.declare(request, bench);
        if kit.tools.is_empty() {
            kit.recall(request, bench.names);
        }
        kit.choose(request, bench);
        if let Some(format) = &request.format {
            kit.shape(format, bench);
        }
        kit
    }

    /// `toolConfig`; without tools there must be none.
    pub(super) fn config(&mut self) -> Option<Object> {
        let tools = std::mem::take(&mut self.tools);
        (!tools.is_empty()).then(|| {
            Object::new()
                .with("tools", tools)
                .maybe("toolChoice", self.choice.take())
        })
    }

    fn declare(&mut self, request: &Request, bench: &mut Bench<'_>) {
        let among = match &request.tool_choice {
            Some(ToolChoice::Among { names, .. }) => Some(names),
            _ => None,
        };
        for tool in &request.tools {
            for extra in tool.extras.foreign(Dialect::Bedrock) {
                bench
                    .notes
                    .drop(Field::Other(format!("tools[].{}", extra.name)));
            }
            if among.is_some_and(|names| !names.contains(&tool.name)) {
                continue;
            }
            if let Some(written) = written(tool, bench) {
                self.tools.push(written);
                let point = bench.points.tool(tool.cache, bench.notes);
                self.tools.extend(point);
            }
        }
    }

    /// Tools must be declared when the conversation has calls or results: those seen there.
    fn recall(&mut self, request: &Request, names: &mut Names) {
        let mut called = BTreeSet::new();
        let mut answered = false;
        for block in request.turns.iter().flat_map(|turn| &turn.content.blocks) {
            match &block.kind {
                Kind::ToolUse(call) if called.insert(call.name.clone()) => {
                    self.tools.push(bare(names.tool(&call.name)));
                }
                Kind::ToolResult(_) => answered = true,
                _ => {}
            }
        }
        if answered && self.tools.is_empty() {
            self.tools.push(bare("tool".to_owned()));
        }
    }

    fn choose(&mut self, request: &Request, bench: &mut Bench<'_>) {
        let one_by_one = request.parallel_tools == Some(false);
        if self.tools.is_empty() {
            return;
        }
        let claude = bench.model.claude();
        let choice = request.tool_choice.as_ref();
        self.choice = choice.and_then(|choice| Self::choice(choice, bench));
        if choice == Some(&ToolChoice::None) {
            // Converse has no word for it. The tools stay: the conversation may need them.
            if claude.is_some() {
                self.own_choice = Some(Object::of_type("none"));
            } else {
                bench.notes.drop(Field::ToolChoice);
            }
        } else if one_by_one {
            if !bench.model.knows_parallel_tools() {
                bench.notes.drop(Field::ParallelTools);
                return;
            }
            // The type may stand in one place only.
            let own = match self.choice {
                Some(_) => Object::new(),
                None => Object::of_type("auto"),
            };
            self.own_choice = Some(own.with("disable_parallel_tool_use", true));
        }
    }

    fn choice(choice: &ToolChoice, bench: &mut Bench<'_>) -> Option<Json> {
        let any = || Object::new().with("any", Object::new());
        let auto = || Object::new().with("auto", Object::new());
        let named = |name: String| {
            let name = Object::new().with("name", name);
            Object::new().with("tool", name)
        };
        let forced = match choice {
            ToolChoice::None => return None,
            ToolChoice::Auto => return Some(auto().into()),
            ToolChoice::Among {
                required: false, ..
            } => {
                bench.notes.emulate(Field::ToolChoice);
                return Some(auto().into());
            }
            ToolChoice::Any => any(),
            ToolChoice::Named(name) => named(bench.names.tool(name)),
            ToolChoice::Among { .. } => {
                bench.notes.emulate(Field::ToolChoice);
                any()
            }
        };
        if bench.mind.claude_thinks || !bench.model.can_be_made_to_call() {
            bench.notes.drop(Field::ToolChoice);
            return bench.mind.claude_thinks.then(|| auto().into());
        }
        Some(forced.into())
    }

    fn shape(&mut self, format: &Format, bench: &mut Bench<'_>) {
        match format {
            Format::Text => {}
            Format::Json => {
                bench.notes.emulate(Field::Format);
                let text = "Answer with one valid JSON object and nothing else.";
                self.told = Some(text.to_owned());
            }
            Format::Schema(schema) if bench.model.knows_schemas() => {
                self.text_format = Some(native(schema));
            }
            Format::Schema(schema) => self.stand_in(schema, bench),
        }
    }

    /// A tool whose arguments are the answer.
    fn stand_in(&mut self, schema: &Schema, bench: &mut Bench<'_>) {
        bench.notes.emulate(Field::Format);
        if !bench.model.can_be_made_to_call() {
            self.told = Some(format!(
                "Answer with JSON of this schema and nothing else: {}",
                schema.schema.get()
            ));
            return;
        }
        let name = bench.names.tool(schema.name.as_deref().unwrap_or("answer"));
        let name = format!("{}_json", name.get(..50).unwrap_or(&name));
        let alone = self.tools.is_empty();
        let description = schema.description.as_deref();
        let description = description.unwrap_or("Gives the answer. Call it once, at the end.");
        let spec = Object::new()
            .with("name", name.clone())
            .with("description", description.to_owned())
            .with("inputSchema", Object::new().with("json", &schema.schema));
        self.tools.push(Object::new().with("toolSpec", spec).into());
        let choice = if bench.mind.claude_thinks {
            self.told = Some(format!("Give your answer by calling the tool {name}."));
            Object::new().with("auto", Object::new())
        } else if alone {
            let tool = Object::new().with("name", name.clone());
            Object::new().with("tool", tool)
        } else {
            Object::new().with("any", Object::new())
        };
        self.own_choice = None;
        self.choice = Some(choice.into());
        self.format_tool = Some(name);
    }
}

fn written(tool: &Tool, bench: &mut Bench<'_>) -> Option<Json> {
    let schema = match &tool.input {
        ToolInput::Schema(Some(schema)) => Json::Raw(schema.clone()),
        ToolInput::Schema(None) => empty().into(),
        ToolInput::Text => {
            bench.notes.emulate(Field::Tool(tool.name.clone()));
            text_input().into()
        }
        ToolInput::Foreign(Dialect::Bedrock, raw) => return Some(Json::Raw(raw.clone())),
        ToolInput::Foreign(..) => {
            bench.notes.drop(Field::Tool(tool.name.clone()));
            return None;
        }
    };
    let strict = tool.strict.filter(|_| bench.model.knows_schemas());
    if tool.strict == Some(true) && strict.is_none() {
        bench.notes.drop(Field::StrictTools);
    }
    let description = tool.description.as_ref().filter(|text| !text.is_empty());
    let spec = Object::new()
        .with("name", bench.names.tool(&tool.name))
        .maybe("description", description)
        .with("inputSchema", Object::new().with("json", schema))
        .maybe("strict", strict.filter(|strict| *strict));
    Some(Object::new().with("toolSpec", spec).into())
}

/// A tool of which only the name is known.
fn bare(name: String) -> Json {
    let spec = Object::new()
        .with("name", name)
        .with("inputSchema", Object::new().with("json", empty()));
    Object::new().with("toolSpec", spec).into()
}

fn empty() -> Object {
    Object::of_type("object").with("properties", Object::new())
}

fn text_input() -> Object {
    let input = Object::new().with(TEXT, Object::of_type("string"));
    Object::of_type("object")
        .with("properties", input)
        .with("required", vec![TEXT])
}

fn native(schema: &Schema) -> Object {
    let text = schema::close(&schema.schema).to_raw();
    let text: &Raw = &text;
    let definition = Object::new()
        .with("schema", text.get().to_owned())
        .maybe("name", schema.name.as_ref())
        .maybe("description", schema.description.as_ref());
    Object::of_type("json_schema").with("structure", Object::new().with("jsonSchema", definition))
}
