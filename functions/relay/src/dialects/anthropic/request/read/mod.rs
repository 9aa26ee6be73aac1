//! Reading a caller's request into the neutral form, strictly.

mod parts;

use serde_json::value::RawValue;
use shared::domain::dialect::Dialect;
use shared::failure::Failure;

use super::{CACHE, CHOICE, FORMAT, METADATA, OUTPUT, THINKING};
use crate::dialects::anthropic::wire;
use crate::dialects::json::{Fields, wrong};
use crate::dialects::neutral::request::{
    Cache, Effort, Extra, Extras, Format, Reasoning, Sampling, Schema, Tool, ToolChoice, ToolInput,
    Turn,
};
use crate::dialects::neutral::{Request, Role};

/// The whole request. The model's name and whether it streams are the pipeline's matter.
pub(in crate::dialects::anthropic) fn read(body: &[u8]) -> Result<Request, Failure> {
    let mut fields: Fields<'_> = serde_json::from_slice(body).map_err(|_| not_an_object())?;
    let _ = (fields.take("model"), fields.take("stream"));
    let mut request = Request::default();
    if let Some(system) = fields.take("system") {
        request.instructions = parts::system(system)?;
    }
    for (at, message) in fields.read_array("messages")?.into_iter().enumerate() {
        request
            .turns
            .push(turn(message).map_err(|failure| within(failure, &format!("messages[{at}]")))?);
    }
    for (at, one) in fields.read_array("tools")?.into_iter().enumerate() {
        request
            .tools
            .push(tool(one).map_err(|failure| within(failure, &format!("tools[{at}]")))?);
    }
    request.max_output = fields.read("max_tokens", "an integer of 0 or more")?;
    request.sampling = Sampling {
        temperature: number(&mut fields, "temperature")?,
        top_p: number(&mut fields, "top_p")?,
        top_k: number(&mut fields, "top_k")?,
        stop: fields
            .read("stop_sequences", "an array of strings")?
            .unwrap_or_default(),
        ..Sampling::default()
    };
    request.cache = cache(&mut fields, &mut request.extras);
    if let Some(choice) = object(&mut fields, "tool_choice")? {
        self::choice(choice, &mut request).map_err(|failure| within(failure, "tool_choice"))?;
    }
    if let Some(thinking) = object(&mut fields, "thinking")? {
        self::thinking(thinking, &mut request).map_err(|failure| within(failure, "thinking"))?;
    }
    // From before there was `output_config`.
    let mut format = object(&mut fields, "output_format")?;
    if let Some(config) = object(&mut fields, "output_config")? {
        let inside =
            output(config, &mut request).map_err(|failure| within(failure, "output_config"))?;
        format = inside.or(format);
    }
    if let Some(format) = format {
        self::format(format, &mut request)
            .map_err(|failure| within(failure, "output_config.format"))?;
    }
    if let Some(mut metadata) = object(&mut fields, "metadata")? {
        request.user = metadata
            .read("user_id", "a string")
            .map_err(|failure| within(failure, "metadata"))?;
        keep(&mut request.extras, METADATA, metadata);
    }
    keep(&mut request.extras, "", fields);
    Ok(request)
}

fn not_an_object() -> Failure {
    Failure::bad_field("messages", "The body is not a JSON object.")
}

/// The failure of a part, named by its place in the whole.
fn within(mut failure: Failure, place: &str) -> Failure {
    if let Some(field) = &failure.field {
        let whole = format!("{place}.{field}");
        failure.public = failure
            .public
            .replacen(&format!("'{field}'"), &format!("'{whole}'"), 1);
        failure.field = Some(whole.into());
    }
    failure
}

/// A member that must be there.
fn missing(name: &'static str) -> Failure {
    let text = format!("Missing required parameter: '{name}'.");
    let mut failure = Failure::bad_field(name, text);
    failure.code = "missing_required_parameter".into();
    failure
}

/// Takes a member whose value must be an object.
fn object<'a>(fields: &mut Fields<'a>, name: &'static str) -> Result<Option<Fields<'a>>, Failure> {
    fields.read(name, "an object")
}

/// Takes a member whose value must be a number, as it is written.
fn number(
    fields: &mut Fields<'_>,
    name: &'static str,
) -> Result<Option<crate::dialects::json::Raw>, Failure> {
    let Some(value) = fields.take(name) else {
        return Ok(None);
    };
    match serde_json::from_str::<f64>(value.get()) {
        Ok(_) => Ok(Some(value.to_owned())),
        Err(_) => Err(wrong(name, "a number")),
    }
}

/// Keeps what is left of an object for the same dialect.
fn keep(extras: &mut Extras, place: &str, fields: Fields<'_>) {
    for (name, value) in fields.rest() {
        keep_one(extras, format!("{place}{name}"), value);
    }
}

fn keep_one(extras: &mut Extras, name: String, value: &RawValue) {
    extras.0.push(Extra {
        dialect: Dialect::Anthropic,
        name,
        value: value.to_owned(),
    });
}

/// Takes a hint to cache. One of a kind that is not known stays as it is.
fn cache(fields: &mut Fields<'_>, extras: &mut Extras) -> Option<Cache> {
    let value = fields.take("cache_control")?;
    if let Some((cache, rest)) = wire::read_cache(value) {
        keep(extras, CACHE, rest);
        return Some(cache);
    }
    keep_one(extras, "cache_control".to_owned(), value);
    None
}

fn turn(message: &RawValue) -> Result<Turn, Failure> {
    let mut fields = Fields::of(message).ok_or_else(|| wrong("role", "an object with a role"))?;
    let role: String = fields
        .read("role", "a string")?
        .ok_or_else(|| missing("role"))?;
    let role = match role.as_str() {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" => Role::System,
        _ => return Err(wrong("role", "'user', 'assistant' or 'system'")),
    };
    let content = fields.take("content").ok_or_else(|| missing("content"))?;
    Ok(Turn {
        role,
        content: parts::content(content, "content")?,
        extras: Extras::rest(Dialect::Anthropic, fields),
    })
}

fn tool(raw: &RawValue) -> Result<Tool, Failure> {
    let mut fields = Fields::of(raw).ok_or_else(|| wrong("name", "an object with a name"))?;
    // `custom` is the same as nothing.
    let kind: Option<String> = fields.read("type", "a string")?;
    let name: Option<String> = fields.read("name", "a string")?;
    if let Some(kind) = kind.filter(|kind| kind != "custom") {
        return Ok(Tool {
            name: name.unwrap_or(kind),
            description: None,
            input: ToolInput::Foreign(Dialect::Anthropic, raw.to_owned()),
            strict: None,
            cache: None,
            extras: Extras::default(),
        });
    }
    let schema = fields.take("input_schema");
    if schema.is_some_and(|schema| Fields::of(schema).is_none()) {
        return Err(wrong("input_schema", "an object"));
    }
    let mut extras = Extras::default();
    let tool = Tool {
        name: name.ok_or_else(|| missing("name"))?,
        description: fields.read("description", "a string")?,
        input: ToolInput::Schema(schema.map(ToOwned::to_owned)),
        strict: fields.read("strict", "true or false")?,
        cache: cache(&mut fields, &mut extras),
        extras: Extras::default(),
    };
    keep(&mut extras, "", fields);
    Ok(Tool { extras, ..tool })
}

fn choice(mut choice: Fields<'_>, request: &mut Request) -> Result<(), Failure> {
    let kind: String = choice
        .read("type", "a string")?
        .ok_or_else(|| missing("type"))?;
    request.tool_choice = Some(match kind.as_str() {
        "auto" => ToolChoice::Auto,
        "any" => ToolChoice::Any,
        "none" => ToolChoice::None,
        "tool" => {
            let name = choice.read("name", "a string")?;
            ToolChoice::Named(name.ok_or_else(|| missing("name"))?)
        }
        _ => return Err(wrong("type", "'auto', 'any', 'tool' or 'none'")),
    });
    let serial: Option<bool> = choice.read("disable_parallel_tool_use", "true or false")?;
    request.parallel_tools = serial.map(|serial| !serial);
    keep(&mut request.extras, CHOICE, choice);
    Ok(())
}

fn thinking(mut thinking: Fields<'_>, request: &mut Request) -> Result<(), Failure> {
    let kind: String = thinking
        .read("type", "a string")?
        .ok_or_else(|| missing("type"))?;
    let (enabled, adaptive) = match kind.as_str() {
        "enabled" => (true, false),
        "adaptive" => (true, true),
        "disabled" => (false, false),
        _ => return Err(wrong("type", "'enabled', 'adaptive' or 'disabled'")),
    };
    let display = thinking.take("display");
    let told = match display.map(RawValue::get) {
        Some("\"summarized\"") => Some(true),
        Some("\"omitted\"") => Some(false),
        _ => None,
    };
    if let (Some(display), None) = (display, told) {
        keep_one(&mut request.extras, format!("{THINKING}display"), display);
    }
    request.reasoning = Some(Reasoning {
        enabled: Some(enabled),
        budget: thinking.read("budget_tokens", "an integer of 0 or more")?,
        adaptive,
        told,
        ..Reasoning::default()
    });
    keep(&mut request.extras, THINKING, thinking);
    Ok(())
}

/// Reads what stands beside the form of the answer, and gives that.
fn output<'a>(
    mut config: Fields<'a>,
    request: &mut Request,
) -> Result<Option<Fields<'a>>, Failure> {
    let word: Option<String> = config.read("effort", "a string")?;
    if let Some(word) = word {
        let effort = Effort::read(&word).ok_or_else(|| wrong("effort", "a word such as 'high'"))?;
        let measure_only = request.reasoning.is_none();
        let reasoning = request.reasoning.get_or_insert_default();
        reasoning.effort = Some(effort);
        reasoning.measure_only = measure_only;
    }
    let format = object(&mut config, "format")?;
    keep(&mut request.extras, OUTPUT, config);
    Ok(format)
}

fn format(mut format: Fields<'_>, request: &mut Request) -> Result<(), Failure> {
    let kind: Option<String> = format.read("type", "a string")?;
    if kind.as_deref() != Some("json_schema") {
        return Err(wrong("type", "'json_schema'"));
    }
    let schema = format.take("schema").ok_or_else(|| missing("schema"))?;
    if Fields::of(schema).is_none() {
        return Err(wrong("schema", "an object"));
    }
    request.format = Some(Format::Schema(Schema {
        name: None,
        description: None,
        schema: schema.to_owned(),
        strict: None,
    }));
    keep(&mut request.extras, FORMAT, format);
    Ok(())
}
