//! The form of the answer: by the model's own means, by a tool that stands in, or by asking for it.

use super::thinking::Thinking;
use super::{Pen, put_parts};
use crate::dialects::anthropic::request::FORMAT;
use crate::dialects::claude::Claude;
use crate::dialects::json::{Fields, Json, Object, Raw};
use crate::dialects::neutral::request::{Extras, Format, Schema, ToolChoice};
use crate::dialects::neutral::{Field, Request};

/// How the form of the answer is kept.
pub(super) enum Form {
    /// There is none.
    Free,
    /// `output_config.format`.
    Native(Raw),
    /// By the arguments of a tool.
    Tool {
        /// The tool.
        name: String,
        /// What it takes.
        schema: Raw,
        /// What it is for.
        description: String,
        /// Whether the model must call something.
        forced: bool,
    },
    /// By asking for it.
    Asked(String),
}

impl Form {
    /// The tool that stands in.
    pub(super) fn tool_name(&self) -> Option<String> {
        match self {
            Self::Tool { name, .. } => Some(name.clone()),
            _ => None,
        }
    }

    /// What the model is told beside its instructions.
    pub(super) fn instruction(&self) -> Option<String> {
        match self {
            Self::Asked(text) => Some(text.clone()),
            Self::Tool {
                name,
                forced: false,
                ..
            } => Some(format!(
                "Give your final answer by calling the tool `{name}`, and not as a text."
            )),
            _ => None,
        }
    }

    /// `output_config.format`.
    pub(super) fn write(&self, extras: &Extras) -> Option<Object> {
        let Self::Native(schema) = self else {
            return None;
        };
        let mut object = Object::of_type("json_schema").with("schema", schema);
        put_parts(&mut object, FORMAT, extras);
        Some(object)
    }
}

/// How the form of this answer is kept.
pub(super) fn choose(request: &Request, thinking: &Thinking, pen: &mut Pen<'_>) -> Form {
    match &request.format {
        None | Some(Format::Text) => Form::Free,
        Some(Format::Json) => {
            pen.notes.emulate(Field::Format);
            Form::Asked(
                "Answer with one valid JSON object and nothing else: no other text, no code fence."
                    .to_owned(),
            )
        }
        Some(Format::Schema(schema)) => by_schema(request, schema, thinking, pen),
    }
}

fn by_schema(request: &Request, schema: &Schema, thinking: &Thinking, pen: &mut Pen<'_>) -> Form {
    if pen.claude.is_some_and(Claude::takes_format) {
        if schema.description.is_some() {
            pen.notes.emulate(Field::Format);
        }
        return Form::Native(narrowed(&schema.schema));
    }
    pen.notes.emulate(Field::Format);
    let object = Fields::of(&schema.schema).and_then(|mut fields| fields.text("type"));
    if object.as_deref() != Some("object") || request.tool_choice == Some(ToolChoice::None) {
        return Form::Asked(format!(
            "Answer with JSON that is valid under this JSON schema, and nothing else: no other \
             text, no code fence.\n{}",
            schema.schema.get()
        ));
    }
    let mut name = "json".to_owned();
    while request.tools.iter().any(|tool| tool.name == name) {
        name.push('_');
    }
    let usual = "Takes the final answer. Call it once, with the whole answer.";
    Form::Tool {
        name,
        schema: schema.schema.clone(),
        description: schema
            .description
            .clone()
            .unwrap_or_else(|| usual.to_owned()),
        forced: !thinking.is_on() && pen.claude.is_none_or(Claude::can_be_forced),
    }
}

/// The keywords that are refused, and therefore said in words.
/// <https://platform.claude.com/docs/en/build-with-claude/structured-outputs>
const REFUSED: [&str; 14] = [
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "not",
];
/// The formats of texts that are taken.
const FORMATS: [&str; 10] = [
    "date-time",
    "time",
    "date",
    "duration",
    "email",
    "hostname",
    "uri",
    "ipv4",
    "ipv6",
    "uuid",
];
/// The keywords whose value is a schema.
const SCHEMA: [&str; 4] = ["items", "additionalItems", "contains", "if"];
/// The keywords whose value is a list of schemas.
const SCHEMAS: [&str; 4] = ["anyOf", "oneOf", "allOf", "prefixItems"];
/// The keywords whose value has schemas by names.
const NAMED: [&str; 4] = ["properties", "$defs", "definitions", "patternProperties"];
/// How deep schemas are looked into.
const DEEPEST: u8 = 64;

/// A schema without the keywords that are refused; the same text where it has none.
pub(super) fn narrowed(schema: &Raw) -> Raw {
    narrow(schema, DEEPEST).map_or_else(|| schema.clone(), |object| object.to_raw())
}

/// The schema with other keywords; `None` when nothing must change.
fn narrow(schema: &serde_json::value::RawValue, depth: u8) -> Option<Object> {
    let depth = depth.checked_sub(1)?;
    let fields = Fields::of(schema)?;
    let (mut object, mut changed) = (Object::new(), false);
    let (mut words, mut description) = (Vec::new(), None);
    let (mut is_object, mut closed) = (false, false);
    for (name, value) in fields.rest() {
        let text = value.get();
        let odd_format =
            name == "format" && !FORMATS.iter().any(|known| text == format!("\"{known}\""));
        // One item at least is taken, and only that.
        let taken = name == "minItems" && matches!(text, "0" | "1");
        if odd_format || (REFUSED.contains(&name.as_str()) && !taken) {
            words.push(format!("{name}: {text}"));
            continue;
        }
        match name.as_str() {
            "description" => {
                description = crate::dialects::json::text(value);
                continue;
            }
            "type" => is_object = text == "\"object\"",
            "additionalProperties" => {
                closed = true;
                if text != "false" {
                    changed = true;
                    object.put(name, false);
                    continue;
                }
            }
            _ => {}
        }
        let inner = inner(&name, value, depth);
        changed |= inner.is_some();
        object.put(name, inner.unwrap_or_else(|| value.to_owned().into()));
    }
    if is_object && !closed {
        changed = true;
        object.put("additionalProperties", false);
    }
    changed |= !words.is_empty();
    words.splice(0..0, description);
    if !words.is_empty() {
        object.put("description", words.join("; "));
    }
    changed.then_some(object)
}

/// The value of a keyword, where schemas within it must change.
fn inner(name: &str, value: &serde_json::value::RawValue, depth: u8) -> Option<Json> {
    if SCHEMA.contains(&name) {
        return narrow(value, depth).map(Json::from);
    }
    let mut changed = false;
    let mut one = |value: &serde_json::value::RawValue| match narrow(value, depth) {
        Some(object) => {
            changed = true;
            Json::from(object)
        }
        None => value.to_owned().into(),
    };
    let written = if SCHEMAS.contains(&name) {
        Json::Array(
            crate::dialects::json::array(value)
                .into_iter()
                .map(one)
                .collect(),
        )
    } else if NAMED.contains(&name) {
        let mut object = Object::new();
        for (name, value) in Fields::of(value)?.rest() {
            object.put(name, one(value));
        }
        object.into()
    } else {
        return None;
    };
    changed.then_some(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_that_are_refused_become_words() {
        let schema = |json: &str| serde_json::from_str::<Raw>(json).unwrap();
        let plain = r#"{"type":"object", "properties":{"minimum":{"type":"string","description":"d"}},"additionalProperties":false}"#;
        assert_eq!(narrowed(&schema(plain)).get(), plain);
        let strict = schema(
            r#"{"type":"object","properties":{"a":{"type":"integer","minimum":1,"description":"A"},
               "b":{"type":"array","minItems":1,"items":{"type":"string","format":"color"}}},
               "$defs":{"c":{"anyOf":[{"type":"object","properties":{}}]}}}"#,
        );
        assert_eq!(
            narrowed(&strict).get(),
            r#"{"type":"object","properties":{"a":{"type":"integer","description":"A; minimum: 1"},"b":{"type":"array","minItems":1,"items":{"type":"string","description":"format: \"color\""}}},"$defs":{"c":{"anyOf":[{"type":"object","properties":{},"additionalProperties":false}]}},"additionalProperties":false}"#
        );
    }
}
