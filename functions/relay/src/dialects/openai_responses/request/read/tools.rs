//! The tools of a request, and which of them must be called.

use serde_json::value::RawValue;
use shared::failure::Failure;

use super::{DIALECT, extra, inside, leftover, nulls, quoted};
use crate::dialects::json::{Fields, array, wrong};
use crate::dialects::neutral::request::{Extras, Tool, ToolChoice, ToolInput};

/// A tool; what is neither a function nor takes any text is a provider's own.
pub(super) fn tool(tool: &RawValue, at: usize) -> Result<Tool, Failure> {
    let path = format!("tools[{at}]");
    let mut fields = Fields::of(tool).ok_or_else(|| wrong(path.clone(), "an object"))?;
    let nulls = nulls(&fields);
    let within = |failure| inside(&path, failure);
    let kind: String = fields
        .read("type", "a string")
        .map_err(within)?
        .ok_or_else(|| wrong(format!("{path}.type"), "a string"))?;
    if kind != "function" && kind != "custom" {
        return Ok(Tool {
            name: kind,
            description: None,
            input: ToolInput::Foreign(DIALECT, tool.to_owned()),
            strict: None,
            cache: None,
            extras: Extras::default(),
        });
    }
    let name = fields
        .read("name", "a string")
        .map_err(within)?
        .ok_or_else(|| wrong(format!("{path}.name"), "a string"))?;
    let description = fields.read("description", "a string").map_err(within)?;
    let strict = fields.read("strict", "true or false").map_err(within)?;
    let input = if kind == "custom" {
        ToolInput::Text
    } else {
        let schema = fields.take("parameters");
        if schema.is_some_and(|schema| !schema.get().starts_with('{')) {
            return Err(wrong(format!("{path}.parameters"), "an object"));
        }
        ToolInput::Schema(schema.map(RawValue::to_owned))
    };
    let mut extras = leftover(nulls, fields);
    extras.0.push(extra("type", &quoted(&kind)));
    Ok(Tool {
        name,
        description,
        input,
        strict,
        cache: None,
        extras,
    })
}

/// Which tools must be called; a choice of a provider's own tool is kept as it is.
pub(super) fn choice(
    fields: &mut Fields<'_>,
    kept: &mut Extras,
) -> Result<Option<ToolChoice>, Failure> {
    const NAME: &str = "tool_choice";
    let Some(value) = fields.take(NAME) else {
        return Ok(None);
    };
    if let Ok(word) = serde_json::from_str::<String>(value.get()) {
        return match word.as_str() {
            "auto" => Ok(Some(ToolChoice::Auto)),
            "none" => Ok(Some(ToolChoice::None)),
            "required" => Ok(Some(ToolChoice::Any)),
            _ => Err(wrong(NAME, "auto, none, required or an object")),
        };
    }
    let mut inner = Fields::of(value).ok_or_else(|| wrong(NAME, "a string or an object"))?;
    let within = |failure| inside(NAME, failure);
    let kind: Option<String> = inner.read("type", "a string").map_err(within)?;
    let choice = match kind.as_deref() {
        Some("function" | "custom") => {
            let name = inner.read("name", "a string").map_err(within)?;
            let name = name.ok_or_else(|| wrong("tool_choice.name", "a string"))?;
            Some(ToolChoice::Named(name))
        }
        Some("allowed_tools") => among(&mut inner),
        _ => None,
    };
    if choice.is_none() {
        kept.0.push(extra(NAME, value));
    }
    Ok(choice)
}

/// Some of the tools, if all of them are the caller's own.
fn among(choice: &mut Fields<'_>) -> Option<ToolChoice> {
    let required = choice.text("mode").is_some_and(|mode| mode == "required");
    let mut names = Vec::new();
    for tool in array(choice.take("tools")?) {
        let mut tool = Fields::of(tool)?;
        let kind = tool.text("type")?;
        if kind != "function" && kind != "custom" {
            return None;
        }
        names.push(tool.text("name")?);
    }
    Some(ToolChoice::Among { names, required })
}
