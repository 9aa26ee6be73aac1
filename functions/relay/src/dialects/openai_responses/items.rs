//! Items as both sides write them: messages, thoughts, calls, and the parts of texts.

use crate::dialects::json::{self, Fields, Json, Object};
use crate::dialects::neutral::reply::Citation;
use crate::dialects::neutral::request::ToolUse;

/// The member of a call's arguments that stands for all of a custom tool's input: other dialects
/// have no tools that take a mere text.
const INPUT: &str = "input";

/// A message of the model.
pub(super) fn message(parts: Vec<Json>, status: &'static str) -> Object {
    Object::of_type("message")
        .with("status", status)
        .with("role", "assistant")
        .with("content", parts)
}

/// A thought and its state.
pub(super) fn reasoning(text: &str, state: Option<String>) -> Object {
    let parts = (!text.is_empty()).then(|| text_part("summary_text", text));
    let summary: Vec<Object> = parts.into_iter().collect();
    Object::of_type("reasoning")
        .with("summary", summary)
        .maybe("encrypted_content", state)
}

/// A call, of a function or of a custom tool.
pub(super) fn call(call: &ToolUse, kind: Called, status: Option<&'static str>) -> Object {
    let object = match kind {
        Called::Function => Object::of_type("function_call"),
        Called::Custom => Object::of_type("custom_tool_call"),
    };
    let object = object
        .maybe("status", status)
        .with("call_id", call.id.clone())
        .with("name", call.name.clone());
    match kind {
        Called::Function => object.with("arguments", call.arguments.clone()),
        Called::Custom => object.with(INPUT, input(&call.arguments)),
    }
}

/// What kind of tool is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Called {
    /// One with a schema.
    Function,
    /// One that takes any text.
    Custom,
}

/// A part that is a text.
pub(super) fn text_part(kind: &'static str, text: &str) -> Object {
    Object::of_type(kind).with("text", text.to_owned())
}

/// The input of a custom tool, in the arguments of a call.
pub(super) fn input(arguments: &str) -> String {
    let said = Fields::parse(arguments).and_then(|mut fields| {
        let input = fields.text(INPUT)?;
        fields.is_empty().then_some(input)
    });
    said.unwrap_or_else(|| arguments.to_owned())
}

/// The arguments of a call that stand for the input of a custom tool.
pub(super) fn arguments(input: &str) -> String {
    let object = Object::new().with(INPUT, input.to_owned());
    object.to_raw().get().to_owned()
}

/// What stands before and behind the escaped input in such arguments.
pub(super) const ARGUMENTS: (&str, &str) = (r#"{"input":""#, r#""}"#);

/// A piece of such an input, escaped.
pub(super) fn escaped(piece: &str) -> String {
    let json = serde_json::Value::from(piece).to_string();
    let inside = json
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    inside.unwrap_or_default().to_owned()
}

/// A citation as an annotation of `text`; `None` when it names nothing that can be looked up.
pub(super) fn annotation(citation: &Citation, text: &str) -> Option<Json> {
    if let Some(raw) = &citation.raw
        && Fields::of(raw).is_some_and(|mut fields| is_annotation(&mut fields))
    {
        return Some(raw.into());
    }
    let url = citation.url.clone()?;
    let whole = (0, text.chars().count() as u64);
    let (from, to) = citation.span.unwrap_or(whole);
    let title = citation.title.clone().unwrap_or_default();
    let annotation = Object::of_type("url_citation")
        .with("start_index", from)
        .with("end_index", to)
        .with("title", title)
        .with("url", url);
    Some(annotation.into())
}

/// Whether it is one of this dialect already: others nest what they say.
fn is_annotation(fields: &mut Fields<'_>) -> bool {
    match fields.text("type").as_deref() {
        Some("url_citation") => fields.text("url").is_some(),
        Some("file_citation" | "container_file_citation" | "file_path") => {
            fields.text("file_id").is_some()
        }
        _ => false,
    }
}

/// An annotation as a citation.
pub(super) fn citation(raw: &serde_json::value::RawValue) -> Citation {
    let mut fields = Fields::of(raw).unwrap_or_default();
    let span = (fields.count("start_index"), fields.count("end_index"));
    Citation {
        url: fields.text("url"),
        title: fields.text("title").or_else(|| fields.text("filename")),
        quote: None,
        span: span.0.zip(span.1),
        raw: Some(raw.to_owned()),
    }
}

/// Some texts, put together with blank lines.
pub(super) fn joined(texts: &[String]) -> String {
    let texts = texts.iter().map(String::as_str);
    let texts: Vec<&str> = texts.filter(|text| !text.is_empty()).collect();
    texts.join("\n\n")
}

/// The texts of some parts.
pub(super) fn texts(parts: &serde_json::value::RawValue) -> Vec<String> {
    let parts = json::array(parts).into_iter();
    parts
        .filter_map(|part| Fields::of(part)?.text("text"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_input_of_a_custom_tool_is_the_same_there_and_back() {
        for text in ["", "a \"b\"\n\u{1} 中🎉", "{\"input\":\"x\"}"] {
            assert_eq!(input(&arguments(text)), text);
            let (before, behind) = ARGUMENTS;
            assert_eq!(
                arguments(text),
                format!("{before}{}{behind}", escaped(text))
            );
        }
        assert_eq!(input("*** Begin"), "*** Begin");
        assert_eq!(input(r#"{"input":"x","y":1}"#), r#"{"input":"x","y":1}"#);
    }
}
