//! A request of OpenAI's Responses dialect: read, and spliced for the express lane.

use bytes::Bytes;
use serde_json::value::RawValue;
use shared::failure::Failure;

use crate::dialects::Wanted;
use crate::dialects::json::wrong;
use crate::dialects::members::{self, Members};

const NAMES: &[&str] = &[
    "model",
    "input",
    "stream",
    "max_output_tokens",
    "previous_response_id",
    "conversation",
    "prompt",
];
/// With any of these a request may do without `input`: the conversation is kept elsewhere.
const INSTEAD_OF_INPUT: [&str; 3] = ["previous_response_id", "conversation", "prompt"];

pub(in crate::dialects) fn read(body: Bytes) -> Result<Wanted, Failure> {
    let members = Members::find(&body, NAMES)?;
    let model = members::model(&members)?;
    let elsewhere = INSTEAD_OF_INPUT
        .iter()
        .any(|name| members.get(name).is_some());
    if !elsewhere || members.get("input").is_some() {
        let expected = "a string or an array";
        let input: &RawValue = members.require("input", expected)?;
        if !input.get().starts_with(['"', '[']) {
            return Err(wrong("input", expected));
        }
    }
    let stream = members.read("stream", "true or false")?.unwrap_or(false);
    let expected = "a positive integer";
    let max_output: Option<u64> = members.read("max_output_tokens", expected)?;
    if max_output == Some(0) {
        return Err(wrong("max_output_tokens", expected));
    }
    Ok(Wanted {
        model,
        stream,
        events: true,
        usage_wanted: true,
        max_output,
        answers: 1,
        body,
    })
}

/// The same bytes, with the upstream's name of the model.
pub(in crate::dialects) fn express(
    wanted: &Wanted,
    upstream_model: &str,
) -> Result<Bytes, Failure> {
    if upstream_model == wanted.model {
        return Ok(wanted.body.clone());
    }
    members::with_model(&wanted.body, upstream_model)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_model_is_spliced() {
        let body = r#"{"input":"hi","metadata":{"model":"x"}, "model" : "m", "x":1.0}"#;
        let wanted = read(Bytes::from_static(body.as_bytes())).unwrap();
        assert_eq!(express(&wanted, "m").unwrap(), body);
        let expected = body.replace(r#": "m""#, r#": "up""#);
        assert_eq!(express(&wanted, "up").unwrap(), expected);
    }

    #[test]
    fn wrong_types_name_their_field() {
        for (body, field) in [
            (r#"{"input":"hi"}"#, "model"),
            (r#"{"model":7,"input":"hi"}"#, "model"),
            (r#"{"model":"m"}"#, "input"),
            (r#"{"model":"m","input":7}"#, "input"),
            (r#"{"model":"m","input":{},"prompt":{}}"#, "input"),
            (r#"{"model":"m","input":[],"stream":"no"}"#, "stream"),
            (
                r#"{"model":"m","input":[],"max_output_tokens":0}"#,
                "max_output_tokens",
            ),
        ] {
            let failure = read(Bytes::from_static(body.as_bytes())).unwrap_err();
            assert_eq!(failure.field.as_deref(), Some(field), "{body}");
        }
    }

    #[test]
    fn a_conversation_that_is_kept_elsewhere_needs_no_input() {
        for body in [
            r#"{"model":"m","previous_response_id":"resp_1"}"#,
            r#"{"model":"m","prompt":{"id":"p"}}"#,
        ] {
            assert!(read(Bytes::from_static(body.as_bytes())).is_ok(), "{body}");
        }
    }
}
