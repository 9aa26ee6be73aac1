//! What may be called, and what must be.

use std::borrow::Cow;

use shared::domain::dialect::Dialect;

use super::format::{Form, narrowed};
use super::thinking::Thinking;
use super::{Pen, names};
use crate::dialects::claude::Claude;
use crate::dialects::json::{Fields, Json, Object, Raw};
use crate::dialects::neutral::request::{Tool, ToolChoice, ToolInput};
use crate::dialects::neutral::{Field, Request};

/// What a tool takes that takes any text: it comes in this member.
pub(super) const TEXT: &str = "input";

/// How many tools may be strict; callers of other dialects are it by habit.
/// <https://platform.claude.com/docs/en/build-with-claude/structured-outputs>
const MOST_STRICT: usize = 20;

/// Whether `strict` is said at all.
#[derive(Debug, Clone, Copy)]
struct TakesStrict(bool);

/// A tool's name as the provider gets it; the answer has it changed back.
pub(super) fn name<'a>(name: &'a str, pen: &mut Pen<'_>) -> Cow<'a, str> {
    let written = names::name(name);
    if let Cow::Owned(other) = &written {
        pen.renames.tools.insert(other.clone(), name.to_owned());
    }
    written
}

/// The tools. Where only some of them may be called, the others are not told of.
pub(super) fn write(request: &Request, form: &Form, pen: &mut Pen<'_>) -> Vec<Json> {
    let mut written = Vec::with_capacity(request.tools.len() + 1);
    let strict = request
        .tools
        .iter()
        .filter(|tool| tool.strict == Some(true));
    let few = strict.count() <= MOST_STRICT;
    let takes_strict = TakesStrict(few && pen.claude.is_none_or(Claude::takes_format));
    for one in &request.tools {
        if let Some(ToolChoice::Among { names, .. }) = &request.tool_choice
            && !names.contains(&one.name)
        {
            pen.notes.emulate(Field::ToolChoice);
            continue;
        }
        written.extend(tool(one, takes_strict, pen));
    }
    if let Form::Tool {
        name,
        schema,
        description,
        ..
    } = form
    {
        let tool = Object::new()
            .with("name", name)
            .with("description", description)
            .with("input_schema", schema);
        written.push(tool.into());
    }
    written
}

fn tool(tool: &Tool, takes_strict: TakesStrict, pen: &mut Pen<'_>) -> Option<Json> {
    let schema = match &tool.input {
        ToolInput::Foreign(Dialect::Anthropic, raw) => return Some(raw.into()),
        ToolInput::Foreign(..) => {
            pen.notes.drop(Field::Tool(tool.name.clone()));
            return None;
        }
        ToolInput::Text => {
            pen.notes.emulate(Field::Tool(tool.name.clone()));
            let text = Object::new().with(TEXT, Object::of_type("string"));
            Object::of_type("object")
                .with("properties", text)
                .with("required", vec![Json::word(TEXT)])
                .into()
        }
        ToolInput::Schema(Some(schema)) if takes_strict.0 && tool.strict == Some(true) => {
            of_object(Some(&narrowed(schema)))
        }
        ToolInput::Schema(schema) => of_object(schema.as_ref()),
    };
    let mut object = Object::new()
        .with("name", name(&tool.name, pen).into_owned())
        .maybe("description", tool.description.clone())
        .with("input_schema", schema);
    if let Some(strict) = tool.strict {
        if takes_strict.0 {
            object.put("strict", strict);
        } else if strict {
            pen.notes.drop(Field::StrictTools);
        }
    }
    pen.put_cache(&mut object, tool.cache, &tool.extras);
    pen.put_extras(&mut object, &tool.extras, "tools[].");
    Some(object.into())
}

/// A schema that says that it is one of an object.
fn of_object(schema: Option<&Raw>) -> Json {
    let Some(schema) = schema else {
        return Object::of_type("object")
            .with("properties", Object::new())
            .into();
    };
    let Some(mut fields) = Fields::of(schema) else {
        return of_object(None);
    };
    if fields.take("type").is_some() {
        return schema.into();
    }
    let mut object = Object::of_type("object");
    for (name, value) in fields.rest() {
        object.put(name, value.to_owned());
    }
    object.into()
}

/// Whether a tool must be called, as far as the model can be made to.
pub(super) fn forces(request: &Request, pen: &Pen<'_>) -> bool {
    let wanted = matches!(
        &request.tool_choice,
        Some(ToolChoice::Any | ToolChoice::Named(_) | ToolChoice::Among { required: true, .. })
    );
    wanted && !request.tools.is_empty() && pen.claude.is_none_or(Claude::can_be_forced)
}

/// `tool_choice`, where there are tools.
pub(super) fn choice(
    request: &Request,
    thinking: &Thinking,
    form: &Form,
    pen: &mut Pen<'_>,
) -> Option<Object> {
    let serial = request.parallel_tools.map(|parallel| !parallel);
    if let Form::Tool { name, forced, .. } = form {
        let only = request.tools.is_empty();
        let choice = match forced {
            true if only => Object::of_type("tool").with("name", name),
            true => Object::of_type("any"),
            false => Object::of_type("auto"),
        };
        return Some(choice.with("disable_parallel_tool_use", true));
    }
    let can = pen.claude.is_none_or(Claude::can_be_forced)
        && !matches!(thinking, Thinking::Budget { .. });
    let wanted = request.tool_choice.as_ref();
    if wanted.is_some_and(must) && !can {
        pen.notes.emulate(Field::ToolChoice);
        return Some(Object::of_type("auto").maybe("disable_parallel_tool_use", serial));
    }
    let choice = match wanted {
        None => {
            let serial = serial.filter(|serial| *serial)?;
            return Some(Object::of_type("auto").with("disable_parallel_tool_use", serial));
        }
        Some(ToolChoice::None) => return Some(Object::of_type("none")),
        Some(
            ToolChoice::Auto
            | ToolChoice::Among {
                required: false, ..
            },
        ) => Object::of_type("auto"),
        Some(ToolChoice::Any | ToolChoice::Among { required: true, .. }) => Object::of_type("any"),
        Some(ToolChoice::Named(wanted)) => {
            Object::of_type("tool").with("name", name(wanted, pen).into_owned())
        }
    };
    Some(choice.maybe("disable_parallel_tool_use", serial))
}

/// Whether a choice leaves the model no choice.
pub(super) fn must(choice: &ToolChoice) -> bool {
    !matches!(
        choice,
        ToolChoice::Auto
            | ToolChoice::None
            | ToolChoice::Among {
                required: false,
                ..
            }
    )
}
