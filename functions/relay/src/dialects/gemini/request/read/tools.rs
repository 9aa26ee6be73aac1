//! `tools` and `toolConfig`. <https://ai.google.dev/api/caching#Tool>

use shared::domain::dialect::Dialect;
use shared::failure::Failure;

use super::super::super::schema;
use super::super::super::spelling::{Reading, own};
use super::super::{ENTRY, IN_TOOL_CONFIG, TOOL_CONFIG};
use crate::dialects::json::{Json, Object, wrong};
use crate::dialects::neutral::Request;
use crate::dialects::neutral::request::{Extras, Tool, ToolChoice, ToolInput};

pub(super) fn read(top: &mut Reading<'_, '_>, request: &mut Request) -> Result<(), Failure> {
    for entry in top.objects("tools")? {
        let from = request.tools.len();
        read_entry(entry, &mut request.tools)?;
        if let Some(first) = request.tools.get_mut(from) {
            first.extras.0.push(own(ENTRY, Json::Bool(true).to_raw()));
        }
    }
    let Some(mut config) = top.object("toolConfig")? else {
        return Ok(());
    };
    let whole = own(TOOL_CONFIG, config.raw.to_owned());
    if let Some(mut calling) = config.object("functionCallingConfig")? {
        request.tool_choice = read_choice(&mut calling)?;
        let prefix = format!("{IN_TOOL_CONFIG}functionCallingConfig.");
        request.extras.0.extend(calling.rest(&prefix));
    }
    request.extras.0.extend(config.rest(IN_TOOL_CONFIG));
    request.extras.0.push(whole);
    Ok(())
}

/// One element: functions, or tools of Google's own, or both.
fn read_entry(mut entry: Reading<'_, '_>, tools: &mut Vec<Tool>) -> Result<(), Failure> {
    for function in entry.objects("functionDeclarations")? {
        tools.push(read_function(function)?);
    }
    for member in entry.rest("") {
        let definition = Object::new()
            .with(member.name.clone(), member.value)
            .to_raw();
        tools.push(Tool {
            name: member.name,
            description: None,
            input: ToolInput::Foreign(Dialect::Gemini, definition),
            strict: None,
            cache: None,
            extras: Extras::default(),
        });
    }
    Ok(())
}

fn read_function(mut function: Reading<'_, '_>) -> Result<Tool, Failure> {
    let name = function.text("name")?;
    let name = name.ok_or_else(|| wrong(function.path("name"), "the name of a function"))?;
    let description = function.text("description")?;
    let mut schema = function.take("parametersJsonSchema").map(ToOwned::to_owned);
    let mut extras = Extras::default();
    if schema.is_none()
        && let Some(parameters) = function.take("parameters")
    {
        schema = Some(schema::to_json_schema(parameters));
        extras.0.push(own("=parameters", parameters.to_owned()));
    }
    extras.0.extend(function.rest(""));
    Ok(Tool {
        name,
        description,
        input: ToolInput::Schema(schema),
        strict: None,
        cache: None,
        extras,
    })
}

fn read_choice(calling: &mut Reading<'_, '_>) -> Result<Option<ToolChoice>, Failure> {
    let mode = calling.text("mode")?.map(|mode| mode.to_ascii_uppercase());
    let names: Option<Vec<String>> = calling.read("allowedFunctionNames", "an array of names")?;
    let names = names.unwrap_or_default();
    let among = |required| ToolChoice::Among {
        names: names.clone(),
        required,
    };
    Ok(match (mode.as_deref(), names.as_slice()) {
        (None | Some("MODE_UNSPECIFIED"), _) => None,
        (Some("NONE"), _) => Some(ToolChoice::None),
        (Some("ANY"), []) => Some(ToolChoice::Any),
        (Some("ANY"), [only]) => Some(ToolChoice::Named(only.clone())),
        (Some("ANY"), _) => Some(among(true)),
        (Some("AUTO"), _) | (Some("VALIDATED"), []) => Some(ToolChoice::Auto),
        (Some("VALIDATED"), _) => Some(among(false)),
        (Some(_), _) => {
            let path = calling.path("mode");
            return Err(wrong(path, "'AUTO', 'ANY', 'NONE' or 'VALIDATED'"));
        }
    })
}
