//! A JSON schema as Bedrock takes it for an answer: objects are closed, and what cannot be enforced
//! stands in descriptions.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html>

use serde_json::value::RawValue;

use crate::dialects::json::{Fields, Json, Object, array};

/// Keywords that a model is told of instead.
const TOLD: [&str; 12] = [
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
];

/// Keywords whose value is a schema.
const ONE: [&str; 3] = ["items", "not", "contains"];
/// Keywords whose value is a list of schemas.
const LISTS: [&str; 4] = ["anyOf", "allOf", "oneOf", "prefixItems"];
/// Keywords whose value is an object of schemas, by names that mean nothing.
const NAMED: [&str; 3] = ["properties", "$defs", "definitions"];

/// The schema.
pub(super) fn close(schema: &RawValue) -> Json {
    let Some(fields) = Fields::of(schema) else {
        return Json::Raw(schema.to_owned());
    };
    let (mut closed, mut told) = (Object::new(), Vec::new());
    let (mut description, mut object) = (None, false);
    for (name, value) in fields.rest() {
        let value = match name.as_str() {
            "additionalProperties" => continue,
            "description" => {
                description = crate::dialects::json::text(value);
                continue;
            }
            "type" => {
                object |= value.get().contains("\"object\"");
                Json::Raw(value.to_owned())
            }
            known if TOLD.contains(&known) => {
                told.push(format!("{name}: {}", value.get()));
                continue;
            }
            known if ONE.contains(&known) => close(value),
            known if LISTS.contains(&known) => {
                Json::Array(array(value).into_iter().map(close).collect())
            }
            known if NAMED.contains(&known) => {
                object |= known == "properties";
                named(value)
            }
            _ => Json::Raw(value.to_owned()),
        };
        closed.put(name, value);
    }
    if object {
        closed.put("additionalProperties", false);
    }
    let said = description.into_iter().chain(told);
    if let Some(description) = said.reduce(|all, more| format!("{all}; {more}")) {
        closed.put("description", description);
    }
    closed.into()
}

fn named(value: &RawValue) -> Json {
    let Some(fields) = Fields::of(value) else {
        return Json::Raw(value.to_owned());
    };
    let mut schemas = Object::new();
    for (name, schema) in fields.rest() {
        schemas.put(name, close(schema));
    }
    schemas.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_closed_and_limits_are_told() {
        let schema = r##"{"type":"object","properties":{"pattern":{"type":"string","pattern":"^a"},
            "n":{"description":"count","type":["integer","null"],"maximum":1e3},
            "list":{"type":"array","items":{"$ref":"#/$defs/x"}}},
            "$defs":{"x":{"properties":{},"additionalProperties":true}},"enum":[1.0]}"##;
        let schema = RawValue::from_string(schema.to_owned()).unwrap();
        let closed = close(&schema).to_bytes();
        assert_eq!(
            closed,
            concat!(
                r##"{"type":"object","properties":{"pattern":{"type":"string","description":"pattern: \"^a\""},"##,
                r##""n":{"type":["integer","null"],"description":"count; maximum: 1e3"},"##,
                r##""list":{"type":"array","items":{"$ref":"#/$defs/x"}}},"##,
                r##""$defs":{"x":{"properties":{},"additionalProperties":false}},"##,
                r##""enum":[1.0],"additionalProperties":false}"##
            )
        );
    }
}
