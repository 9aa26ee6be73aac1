//! A request of OpenAI's completions: as much of it as the pipeline needs.

use bytes::Bytes;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use shared::failure::Failure;

use crate::dialects::Wanted;
use crate::dialects::members::{self, Members};
use crate::dialects::openai::splice::StreamOptions;

const NAMES: &[&str] = &[
    "model",
    "prompt",
    "stream",
    "stream_options",
    "max_tokens",
    "n",
    "best_of",
];
/// OpenAI's own limit of `n`, and a limit of prompts beside it.
const MOST_ANSWERS: u64 = 128;

pub(in crate::dialects) fn read(body: Bytes) -> Result<Wanted, Failure> {
    let members = Members::find(&body, NAMES)?;
    let model = members::model(&members)?;
    let prompts = prompts(members.read("prompt", "a string or an array")?)?;
    let stream = members.read("stream", "true or false")?.unwrap_or(false);
    let options: StreamOptions = members
        .read("stream_options", "an object")?
        .unwrap_or_default();
    let max_output: Option<u64> = members.read("max_tokens", "a whole number")?;
    let mut answers = prompts;
    let mut most = 1;
    for name in ["n", "best_of"] {
        let wanted: u64 = members.read(name, "a positive integer")?.unwrap_or(1);
        if wanted == 0 || wanted > MOST_ANSWERS {
            let text = format!("Invalid value for '{name}': 1 to {MOST_ANSWERS} is expected.");
            return Err(Failure::bad_field(name, text));
        }
        most = most.max(wanted);
    }
    // Of the best, the others are paid for, too.
    answers *= most;
    Ok(Wanted {
        model,
        stream,
        events: true,
        usage_wanted: options.include_usage.unwrap_or(false),
        max_output,
        answers,
        body,
    })
}

/// How many prompts there are: a string is one, and so is an array of tokens.
fn prompts(prompt: Option<&RawValue>) -> Result<u64, Failure> {
    let Some(text) = prompt.map(RawValue::get) else {
        return Ok(1);
    };
    if text.starts_with('"') {
        return Ok(1);
    }
    let list: Vec<&RawValue> = serde_json::from_str(text).map_err(|_| wrong())?;
    let tokens = list.iter().all(|one| one.get().parse::<u64>().is_ok());
    let texts = list.iter().all(|one| one.get().starts_with(['"', '[']));
    let several = list.len() as u64;
    match several {
        _ if tokens => Ok(1),
        1..=MOST_ANSWERS if texts => {
            let lists = list.iter().filter(|one| one.get().starts_with('['));
            let readable =
                |one: &&RawValue| serde_json::from_str::<Vec<IgnoredAny>>(one.get()).is_ok();
            if lists.copied().all(|one| readable(&one)) {
                Ok(several)
            } else {
                Err(wrong())
            }
        }
        _ => Err(wrong()),
    }
}

fn wrong() -> Failure {
    let text = format!(
        "Invalid value for 'prompt': a string, or an array of 1 to {MOST_ANSWERS} is expected."
    );
    Failure::bad_field("prompt", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(body: &'static str) -> Result<Wanted, Failure> {
        read(Bytes::from_static(body.as_bytes()))
    }

    #[test]
    fn every_prompt_has_its_answers() {
        for (body, answers) in [
            (r#"{"model":"m","prompt":"a"}"#, 1),
            (r#"{"model":"m"}"#, 1),
            (r#"{"model":"m","prompt":[1,2,3]}"#, 1),
            (r#"{"model":"m","prompt":["a","b"],"n":2}"#, 4),
            (r#"{"model":"m","prompt":[[1],[2,3]],"best_of":3}"#, 6),
        ] {
            assert_eq!(wanted(body).unwrap().answers, answers, "{body}");
        }
    }

    #[test]
    fn wrong_types_name_their_field() {
        for (body, field) in [
            (r#"{"prompt":"a"}"#, "model"),
            (r#"{"model":"m","prompt":7}"#, "prompt"),
            (r#"{"model":"m","prompt":["a",1]}"#, "prompt"),
            (r#"{"model":"m","prompt":"a","n":0}"#, "n"),
            (r#"{"model":"m","prompt":"a","best_of":1000}"#, "best_of"),
            (
                r#"{"model":"m","prompt":"a","max_tokens":"1"}"#,
                "max_tokens",
            ),
        ] {
            let failure = wanted(body).unwrap_err();
            assert_eq!(failure.field.as_deref(), Some(field), "{body}");
        }
    }
}
