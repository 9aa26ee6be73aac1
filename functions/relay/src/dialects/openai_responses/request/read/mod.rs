//! A caller's request → the neutral form.
//! <https://platform.openai.com/docs/api-reference/responses/create>
//!
//! Each item is a turn of its own. What identifies an item, and how it was spelled, stays in the
//! extras of its turn, so that the same dialect can write it back as it was.

mod items;
mod tools;

use serde_json::value::RawValue;
use shared::domain::dialect::Dialect;
use shared::failure::Failure;

use crate::dialects::Wanted;
use crate::dialects::json::{Fields, Json, Raw, wrong};
use crate::dialects::neutral::request::{
    Content, Effort, Extra, Extras, Format, Reasoning, Schema, Turn,
};
use crate::dialects::neutral::{Request, Role};

pub(super) const DIALECT: Dialect = Dialect::OpenaiResponses;

/// The whole request. What needs a conversation that only one provider keeps is refused.
pub(in crate::dialects) fn read(wanted: &Wanted) -> Result<Request, Failure> {
    let body = std::str::from_utf8(&wanted.body).unwrap_or_default();
    let mut fields = Fields::parse(body).unwrap_or_default();
    refuse_what_is_kept_elsewhere(&mut fields)?;
    let nulls = nulls(&fields);
    fields.take("model");
    fields.take("stream");
    let mut request = Request::default();
    if let Some(text) = fields.read::<String>("instructions", "a string")? {
        request.instructions = Content::text(text);
    }
    request.turns = match fields.take("input") {
        None => Vec::new(),
        Some(input) => turns(input)?,
    };
    let given = fields.read_array("tools")?;
    let tools = given.into_iter().enumerate();
    request.tools = tools
        .map(|(at, tool)| tools::tool(tool, at))
        .collect::<Result<_, _>>()?;
    let mut kept = Extras::default();
    request.tool_choice = tools::choice(&mut fields, &mut kept)?;
    request.parallel_tools = fields.read("parallel_tool_calls", "true or false")?;
    request.max_output = fields.read("max_output_tokens", "a positive integer")?;
    request.sampling.temperature = number(&mut fields, "temperature")?;
    request.sampling.top_p = number(&mut fields, "top_p")?;
    request.reasoning = reasoning(&mut fields, &mut kept)?;
    request.format = format(&mut fields, &mut kept)?;
    request.user = fields.read("user", "a string")?;
    // Nothing is stored anyway: only the wish that something is gets lost.
    let mut stored = fields.clone();
    if stored
        .take("store")
        .is_some_and(|store| store.get() == "false")
    {
        fields = stored;
    }
    request.extras = leftover(nulls, fields);
    request.extras.0.extend(kept.0);
    Ok(request)
}

fn refuse_what_is_kept_elsewhere(fields: &mut Fields<'_>) -> Result<(), Failure> {
    for name in ["previous_response_id", "conversation", "prompt"] {
        if fields.clone().take(name).is_some() {
            let text = format!(
                "'{name}' is kept by one provider, and this model is served by another: send the \
                 whole conversation in 'input' instead."
            );
            return Err(Failure::bad_field(name, text));
        }
    }
    if fields.clone().read::<bool>("background", "true or false")? == Some(true) {
        let text = "'background' is not available for this model: its provider has none.";
        return Err(Failure::bad_field("background", text));
    }
    Ok(())
}

fn turns(input: &RawValue) -> Result<Vec<Turn>, Failure> {
    if let Ok(text) = serde_json::from_str::<String>(input.get()) {
        let mut turn = Turn::new(Role::User, Content::text(text));
        turn.extras.0.push(extra("type", &quoted(MERE_TEXT)));
        return Ok(vec![turn]);
    }
    let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(input.get()) else {
        return Err(wrong("input", "a string or an array"));
    };
    let mut turns: Vec<Turn> = Vec::with_capacity(items.len());
    for (at, item) in items.into_iter().enumerate() {
        items::read(item, at, &mut turns)?;
    }
    Ok(turns)
}

/// In place of the type of an item: the whole of the input was a mere text.
pub(super) const MERE_TEXT: &str = "string";
/// In place of the type of an item: its only block is the whole of it.
pub(super) const AS_IT_IS: &str = "item";

fn number(fields: &mut Fields<'_>, name: &'static str) -> Result<Option<Raw>, Failure> {
    let Some(value) = fields.take(name) else {
        return Ok(None);
    };
    if value
        .get()
        .starts_with(|c: char| c == '-' || c.is_ascii_digit())
    {
        return Ok(Some(value.to_owned()));
    }
    Err(wrong(name, "a number"))
}

/// `reasoning`: its other members are kept under names such as `reasoning.context`.
fn reasoning(fields: &mut Fields<'_>, kept: &mut Extras) -> Result<Option<Reasoning>, Failure> {
    let Some(value) = fields.take("reasoning") else {
        return Ok(None);
    };
    let mut inner = Fields::of(value).ok_or_else(|| wrong("reasoning", "an object"))?;
    let nulls = nulls(&inner);
    let within = |failure| inside("reasoning", failure);
    let word: Option<String> = inner.read("effort", "a string").map_err(within)?;
    let effort = match &word {
        None => None,
        Some(word) => Some(Effort::read(word).ok_or_else(|| {
            let expected = "one of none, minimal, low, medium, high, xhigh, max";
            wrong("reasoning.effort", expected)
        })?),
    };
    let summary: Option<String> = inner.read("summary", "a string").map_err(within)?;
    keep(kept, "reasoning", leftover(nulls, inner));
    Ok(Some(Reasoning {
        effort,
        told: summary.as_ref().map(|_| true),
        summary,
        ..Reasoning::default()
    }))
}

/// `text`: its other members are kept under names such as `text.verbosity`.
fn format(fields: &mut Fields<'_>, kept: &mut Extras) -> Result<Option<Format>, Failure> {
    let Some(value) = fields.take("text") else {
        return Ok(None);
    };
    let mut inner = Fields::of(value).ok_or_else(|| wrong("text", "an object"))?;
    if inner.is_empty() {
        kept.0.push(extra("text", value));
    }
    let nulls = nulls(&inner);
    let format = match inner.take("format") {
        None => None,
        Some(format) => match read_format(format)? {
            Some(known) => Some(known),
            None => {
                kept.0.push(extra("text.format", format));
                None
            }
        },
    };
    keep(kept, "text", leftover(nulls, inner));
    Ok(format)
}

fn read_format(format: &RawValue) -> Result<Option<Format>, Failure> {
    let mut fields = Fields::of(format).ok_or_else(|| wrong("text.format", "an object"))?;
    let within = |failure| inside("text.format", failure);
    let kind: Option<String> = fields.read("type", "a string").map_err(within)?;
    Ok(match kind.as_deref() {
        Some("text") => Some(Format::Text),
        Some("json_object") => Some(Format::Json),
        Some("json_schema") => {
            let schema = fields
                .take("schema")
                .filter(|schema| schema.get().starts_with('{'))
                .ok_or_else(|| wrong("text.format.schema", "an object"))?;
            Some(Format::Schema(Schema {
                name: fields.read("name", "a string").map_err(within)?,
                description: fields.read("description", "a string").map_err(within)?,
                schema: schema.to_owned(),
                strict: fields.read("strict", "true or false").map_err(within)?,
            }))
        }
        _ => None,
    })
}

/// A failure of a member, told of the member around it.
fn inside(around: &str, mut failure: Failure) -> Failure {
    let name = failure.field.take().unwrap_or_default();
    let path = format!("{around}.{name}");
    failure.public = failure
        .public
        .replace(&format!("'{name}'"), &format!("'{path}'"));
    failure.field = Some(path.into());
    failure
}

/// A member that only this dialect understands.
fn extra(name: &str, value: &RawValue) -> Extra {
    Extra::new(DIALECT, name, value.to_owned())
}

fn keep(kept: &mut Extras, around: &str, rest: Extras) {
    for mut extra in rest.0 {
        extra.name = format!("{around}.{}", extra.name);
        kept.0.push(extra);
    }
}

/// A text as JSON.
fn quoted(text: &str) -> Raw {
    Json::from(text.to_owned()).to_raw()
}

/// The members that are null: reading skips them, and they are to be written back.
fn nulls(fields: &Fields<'_>) -> Extras {
    let nulls = fields
        .clone()
        .rest()
        .filter(|(_, value)| value.get() == "null");
    Extras(nulls.map(|(name, value)| extra(&name, value)).collect())
}

/// What is left of an object, and its nulls.
fn leftover(mut nulls: Extras, fields: Fields<'_>) -> Extras {
    let rest = fields.rest().filter(|(_, value)| value.get() != "null");
    nulls
        .0
        .extend(rest.map(|(name, value)| extra(&name, value)));
    nulls
}
