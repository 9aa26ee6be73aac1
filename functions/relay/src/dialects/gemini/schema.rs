//! Gemini's subset of OpenAPI schemas → JSON schema.
//! <https://ai.google.dev/api/caching#Schema>

use serde_json::value::RawValue;

use crate::dialects::json::{self, Fields, Json, Object, Raw};

/// Deeper schemas are left as they are: nobody writes them in good faith.
const DEEPEST: usize = 64;
/// Keywords whose values are numbers, which Google's JSON also writes as texts.
const COUNTS: [&str; 6] = [
    "minItems",
    "maxItems",
    "minLength",
    "maxLength",
    "minProperties",
    "maxProperties",
];
/// Formats that only OpenAPI knows.
const FORMATS: [&str; 5] = ["enum", "int32", "int64", "float", "double"];

/// The same as a JSON schema.
pub(super) fn to_json_schema(schema: &RawValue) -> Raw {
    convert(schema, DEEPEST).to_raw()
}

fn convert(schema: &RawValue, depth: usize) -> Json {
    let (Some(fields), Some(deeper)) = (Fields::of(schema), depth.checked_sub(1)) else {
        return Json::Raw(schema.to_owned());
    };
    let mut nullable = false;
    let mut members: Vec<(String, Json)> = Vec::new();
    for (name, value) in fields.rest() {
        let name = camel(&name);
        let value = match name.as_str() {
            "nullable" => {
                nullable = value.get() == "true";
                continue;
            }
            // The order is that of the properties, and an example explains nothing more.
            "propertyOrdering" | "example" => continue,
            "type" => match type_word(value) {
                Some(word) => word,
                None => continue,
            },
            "format" if is_openapi_format(value) => continue,
            "properties" | "defs" | "$defs" => each_member(value, deeper),
            "items" | "additionalProperties" => convert(value, deeper),
            "anyOf" | "oneOf" | "allOf" | "prefixItems" => each_element(value, deeper),
            name if COUNTS.contains(&name) => number(value),
            _ => Json::Raw(value.to_owned()),
        };
        let name = match name.as_str() {
            "defs" => "$defs".to_owned(),
            "ref" => "$ref".to_owned(),
            _ => name,
        };
        members.push((name, value));
    }
    if nullable {
        make_nullable(&mut members);
    }
    let mut object = Object::new();
    for (name, value) in members {
        object.put(name, value);
    }
    object.into()
}

/// Keywords may be spelled in snake case.
fn camel(name: &str) -> String {
    const KNOWN: [&str; 11] = [
        "anyOf",
        "minItems",
        "maxItems",
        "minLength",
        "maxLength",
        "minProperties",
        "maxProperties",
        "propertyOrdering",
        "additionalProperties",
        "oneOf",
        "allOf",
    ];
    let known = KNOWN
        .into_iter()
        .find(|known| super::spelling::snake(known) == name);
    known.unwrap_or(name).to_owned()
}

fn type_word(value: &RawValue) -> Option<Json> {
    let Some(word) = json::text(value) else {
        return Some(Json::Raw(value.to_owned()));
    };
    (word != "TYPE_UNSPECIFIED").then(|| word.to_ascii_lowercase().into())
}

fn is_openapi_format(value: &RawValue) -> bool {
    json::text(value).is_some_and(|format| FORMATS.contains(&format.as_str()))
}

fn number(value: &RawValue) -> Json {
    let number = json::text(value).and_then(|text| text.parse().ok());
    number.map_or_else(|| Json::Raw(value.to_owned()), Json::Count)
}

fn each_member(value: &RawValue, depth: usize) -> Json {
    let Some(fields) = Fields::of(value) else {
        return Json::Raw(value.to_owned());
    };
    let mut object = Object::new();
    for (name, schema) in fields.rest() {
        object.put(name, convert(schema, depth));
    }
    object.into()
}

fn each_element(value: &RawValue, depth: usize) -> Json {
    let elements = json::array(value);
    Json::Array(elements.iter().map(|one| convert(one, depth)).collect())
}

/// Lets the value be null: by its type and its enumeration, or by a further alternative.
fn make_nullable(members: &mut Vec<(String, Json)>) {
    let null = || Json::word("null");
    let find = |members: &mut Vec<(String, Json)>, name: &str| {
        members.iter().position(|(known, _)| known == name)
    };
    if let Some(at) = find(members, "enum")
        && let Some((_, values)) = members.get_mut(at)
        && let Json::Raw(raw) = &*values
    {
        let listed = json::array(raw).into_iter();
        let mut all: Vec<Json> = listed.map(|one| Json::Raw(one.to_owned())).collect();
        all.push(Json::Null);
        *values = Json::Array(all);
    }
    if let Some(at) = find(members, "type")
        && let Some((_, word)) = members.get_mut(at)
    {
        let only = std::mem::replace(word, Json::Null);
        *word = Json::Array(vec![only, null()]);
    } else if let Some(at) = find(members, "anyOf")
        && let Some((_, Json::Array(alternatives))) = members.get_mut(at)
    {
        alternatives.push(Object::new().with("type", null()).into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_lowered_and_null_is_allowed_where_it_was() {
        let schema = r#"{"type":"OBJECT","propertyOrdering":["a"],"properties":{
            "type":{"type":"STRING","nullable":true,"enum":["x"],"format":"enum"},
            "nullable":{"any_of":[{"type":"INTEGER","format":"int64"}],"nullable":true},
            "list":{"type":"ARRAY","items":{"type":"NUMBER"},"min_items":"1","maxItems":3}},
            "required":["type"]}"#;
        let schema = RawValue::from_string(schema.to_owned()).unwrap();
        assert_eq!(
            to_json_schema(&schema).get(),
            concat!(
                r#"{"type":"object","properties":{"#,
                r#""type":{"type":["string","null"],"enum":["x",null]},"#,
                r#""nullable":{"anyOf":[{"type":"integer"},{"type":"null"}]},"#,
                r#""list":{"type":"array","items":{"type":"number"},"minItems":1,"maxItems":3}},"#,
                r#""required":["type"]}"#
            )
        );
    }

    #[test]
    fn what_is_a_json_schema_stays_one() {
        let schema = r#"{"type":["string","null"],"additionalProperties":false,"x":{"type":"A"}}"#;
        let raw = RawValue::from_string(schema.to_owned()).unwrap();
        assert_eq!(to_json_schema(&raw).get(), schema);
    }

    #[test]
    fn depth_is_bounded() {
        let deep = format!("{}1{}", r#"{"items":"#.repeat(5_000), "}".repeat(5_000));
        let raw = RawValue::from_string(deep.clone()).unwrap();
        assert_eq!(to_json_schema(&raw).get(), deep);
    }
}
