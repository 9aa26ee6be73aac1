//! Tools, and which of them must be called.

use serde_json::value::RawValue;
use shared::domain::dialect::Dialect;
use shared::failure::Failure;

use super::node::Node;
use crate::dialects::json::text;
use crate::dialects::neutral::Request;
use crate::dialects::neutral::request::{Tool, ToolChoice, ToolInput};

pub(super) fn read(root: &mut Node<'_>, request: &mut Request) -> Result<(), Failure> {
    let tools: Vec<&RawValue> = root.read("tools", "an array")?.unwrap_or_default();
    for (at, tool) in tools.into_iter().enumerate() {
        request.tools.push(tool_of(tool, format!("tools[{at}]"))?);
    }
    // From before there were tools: one function at a time.
    for function in root.array("functions")? {
        let (mut tool, rest) = function_of(function)?;
        tool.extras = rest.rest("function.");
        request.tools.push(tool);
        request.parallel_tools = Some(false);
    }
    let older = choice(root, "function_call")?;
    request.tool_choice = choice(root, "tool_choice")?.or(older);
    Ok(())
}

fn tool_of(value: &RawValue, path: String) -> Result<Tool, Failure> {
    let mut outer = Node::new(value, path)?;
    let kind = outer.text("type")?;
    let cache = outer.cache();
    let (mut tool, rest) = match kind.as_deref() {
        None | Some("function") => {
            let (tool, rest) = function_of(outer.require("function")?)?;
            (tool, rest.rest("function."))
        }
        Some("custom") => {
            let mut custom = outer.require("custom")?;
            let tool = Tool {
                name: custom.require_text("name")?,
                description: custom.text("description")?,
                input: ToolInput::Text,
                strict: None,
                cache: None,
                extras: Default::default(),
            };
            (tool, custom.rest("custom."))
        }
        Some(other) => {
            return Ok(Tool {
                name: other.to_owned(),
                description: None,
                input: ToolInput::Foreign(Dialect::OpenaiChat, value.to_owned()),
                strict: None,
                cache: None,
                extras: Default::default(),
            });
        }
    };
    tool.cache = tool.cache.or(cache);
    tool.extras = rest;
    tool.extras.0.extend(outer.rest("").0);
    Ok(tool)
}

fn function_of(mut function: Node<'_>) -> Result<(Tool, Node<'_>), Failure> {
    let name = function.require_text("name")?;
    let description = function.text("description")?;
    let strict = function.flag("strict")?;
    let cache = function.cache();
    let parameters = function.fields.take("parameters");
    if parameters.is_some_and(|schema| !schema.get().starts_with('{')) {
        return Err(function.wrong("parameters", "an object"));
    }
    let tool = Tool {
        name,
        description,
        input: ToolInput::Schema(parameters.map(ToOwned::to_owned)),
        strict,
        cache,
        extras: Default::default(),
    };
    Ok((tool, function))
}

fn choice(root: &mut Node<'_>, member: &str) -> Result<Option<ToolChoice>, Failure> {
    const EXPECTED: &str = "'none', 'auto', 'required', or an object that names a tool";
    let Some(value) = root.fields.take(member) else {
        return Ok(None);
    };
    if let Some(word) = text(value) {
        return match word.as_str() {
            "auto" => Ok(Some(ToolChoice::Auto)),
            "none" => Ok(Some(ToolChoice::None)),
            // Mistral's word is `any`.
            "required" | "any" => Ok(Some(ToolChoice::Any)),
            _ => Err(root.wrong(member, EXPECTED)),
        };
    }
    let mut choice = Node::new(value, root.at(member))?;
    if choice.text("type")?.as_deref() == Some("allowed_tools") {
        // OpenAI's members stand in an object of the same name.
        let mut among = match choice.object("allowed_tools")? {
            Some(inner) => inner,
            None => choice,
        };
        let required = among.text("mode")?.as_deref() == Some("required");
        let names = among.array("tools")?.into_iter().map(name_of);
        return Ok(Some(ToolChoice::Among {
            names: names.collect::<Result<_, _>>()?,
            required,
        }));
    }
    name_of(choice).map(|name| Some(ToolChoice::Named(name)))
}

/// The name in a reference to a tool.
fn name_of(mut reference: Node<'_>) -> Result<String, Failure> {
    for inner in ["function", "custom"] {
        if let Some(mut inner) = reference.object(inner)? {
            return inner.require_text("name");
        }
    }
    reference.require_text("name")
}
