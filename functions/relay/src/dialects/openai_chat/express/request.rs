//! A request of OpenAI's chat dialect: as much of it as the pipeline needs.

use bytes::Bytes;
use shared::failure::Failure;

use crate::dialects::Wanted;
use crate::dialects::members::{self, Members};
use crate::dialects::openai::splice::StreamOptions;

const NAMES: &[&str] = &[
    "model",
    "messages",
    "stream",
    "stream_options",
    "max_tokens",
    "max_completion_tokens",
    "n",
];
/// OpenAI's own limit of `n`.
const MOST_ANSWERS: u64 = 128;

pub(in crate::dialects) fn read(body: Bytes) -> Result<Wanted, Failure> {
    let members = Members::find(&body, NAMES)?;
    let model = members::model(&members)?;
    members.require_array("messages")?;
    let stream = members.read("stream", "true or false")?.unwrap_or(false);
    let options: StreamOptions = members
        .read("stream_options", "an object")?
        .unwrap_or_default();
    let newer: Option<u64> = members.read("max_completion_tokens", "a positive integer")?;
    let older: Option<u64> = members.read("max_tokens", "a positive integer")?;
    let answers: u64 = members.read("n", "a positive integer")?.unwrap_or(1);
    if answers == 0 || answers > MOST_ANSWERS {
        let text = format!("Invalid value for 'n': 1 to {MOST_ANSWERS} is expected.");
        return Err(Failure::bad_field("n", text));
    }
    for (name, limit) in [("max_completion_tokens", newer), ("max_tokens", older)] {
        if limit == Some(0) {
            let text = format!("Invalid value for '{name}': a positive integer is expected.");
            return Err(Failure::bad_field(name, text));
        }
    }
    Ok(Wanted {
        model,
        stream,
        events: true,
        usage_wanted: options.include_usage.unwrap_or(false),
        // A server that knows only one of them obeys that one: the larger can come true.
        max_output: newer.into_iter().chain(older).max(),
        answers,
        body,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialects::openai::splice::express;

    fn express_of(body: &'static str, model: &str) -> String {
        let wanted = read(Bytes::from_static(body.as_bytes())).unwrap();
        String::from_utf8(express(&wanted, model).unwrap().to_vec()).unwrap()
    }

    #[test]
    fn a_plain_request_goes_through_untouched() {
        let body = r#"{ "messages" : [], "model":"m", "x": 1.0, "seed":9007199254740993 }"#;
        assert_eq!(express_of(body, "m"), body);
    }

    #[test]
    fn only_the_model_and_the_stream_options_are_spliced() {
        for (body, expected) in [
            (
                r#"{"messages":[], "model":"m","stream":true}"#,
                r#"{"stream_options":{"include_usage":true},"messages":[], "model":"up","stream":true}"#,
            ),
            (
                r#"{"stream":true,"stream_options":{"x":1},"messages":[],"model":"m"}"#,
                r#"{"stream":true,"stream_options":{"include_usage":true,"x":1},"messages":[],"model":"up"}"#,
            ),
            (
                r#"{"stream":true,"stream_options":null,"messages":[],"model":"m"}"#,
                r#"{"stream":true,"stream_options":{"include_usage":true},"messages":[],"model":"up"}"#,
            ),
            (
                r#"{"stream":true,"stream_options":{"include_usage":true},"messages":[],"model":"m"}"#,
                r#"{"stream":true,"stream_options":{"include_usage":true},"messages":[],"model":"up"}"#,
            ),
        ] {
            assert_eq!(express_of(body, "up"), expected);
        }
    }

    #[test]
    fn wrong_types_name_their_field() {
        for (body, field) in [
            (r#"{"messages":[]}"#, "model"),
            (r#"{"messages":[],"model":7}"#, "model"),
            (r#"{"messages":"hi","model":"m"}"#, "messages"),
            (r#"{"model":"m"}"#, "messages"),
            (r#"{"messages":[],"model":"m","stream":"yes"}"#, "stream"),
            (
                r#"{"messages":[],"model":"m","max_tokens":-1}"#,
                "max_tokens",
            ),
            (
                r#"{"messages":[],"model":"m","max_tokens":0}"#,
                "max_tokens",
            ),
            (
                r#"{"messages":[],"model":"m","max_tokens":1e30}"#,
                "max_tokens",
            ),
            (
                r#"{"messages":[],"model":"m","max_completion_tokens":"9"}"#,
                "max_completion_tokens",
            ),
            (r#"{"messages":[],"model":"m","n":0}"#, "n"),
        ] {
            let failure = read(Bytes::from_static(body.as_bytes())).unwrap_err();
            assert_eq!(failure.field.as_deref(), Some(field), "{body}");
        }
    }
}
