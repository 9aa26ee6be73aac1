//! A request of OpenAI's completions as a conversation of one turn, where it is one.

use serde_json::value::RawValue;
use shared::domain::dialect::Dialect;
use shared::failure::{Failure, Kind};

use crate::dialects::json::{Fields, Raw, text, wrong};
use crate::dialects::neutral::request::{Content, Extras, Sampling};
use crate::dialects::neutral::{Request, Role, Turn};

/// The whole request.
///
/// # Errors
/// When a member is not what the dialect says, or means what no conversation can.
pub(super) fn read(body: &[u8]) -> Result<Request, Failure> {
    let json = std::str::from_utf8(body).unwrap_or_default();
    let mut fields = Fields::parse(json).ok_or_else(|| {
        Failure::new(
            Kind::BadRequest,
            "invalid_json",
            "The body is not a JSON object.",
        )
    })?;
    for known in ["model", "stream", "stream_options"] {
        fields.take(known);
    }
    let prompt = prompt(fields.take("prompt"))?;
    refuse(&mut fields)?;
    let request = Request {
        turns: vec![Turn::new(Role::User, Content::text(prompt))],
        max_output: fields.read("max_tokens", "a whole number")?,
        sampling: sampling(&mut fields)?,
        user: fields.read("user", "a string")?,
        ..Request::default()
    };
    Ok(Request {
        extras: Extras::rest(Dialect::OpenaiCompletions, fields),
        ..request
    })
}

fn prompt(prompt: Option<&RawValue>) -> Result<String, Failure> {
    let only = |list: &RawValue| {
        let list: Vec<&RawValue> = serde_json::from_str(list.get()).ok()?;
        match list.as_slice() {
            [one] => text(one),
            _ => None,
        }
    };
    let found = prompt.and_then(|prompt| text(prompt).or_else(|| only(prompt)));
    found.ok_or_else(|| {
        let text =
            "The model is reached through a conversation: one prompt as a string is expected.";
        Failure::bad_field("prompt", text)
    })
}

/// What only a model that completes can do.
fn refuse(fields: &mut Fields<'_>) -> Result<(), Failure> {
    let no = |name: &'static str| {
        let text = format!("The model is reached through a conversation, which has no '{name}'.");
        Err(Failure::bad_field(name, text))
    };
    if fields
        .read("suffix", "a string")?
        .is_some_and(|suffix: String| !suffix.is_empty())
    {
        return no("suffix");
    }
    if fields.read("echo", "true or false")? == Some(true) {
        return no("echo");
    }
    for name in ["best_of", "n"] {
        if fields.read(name, "a positive integer")?.unwrap_or(1_u64) > 1 {
            return no(name);
        }
    }
    Ok(())
}

fn sampling(fields: &mut Fields<'_>) -> Result<Sampling, Failure> {
    let mut number = |name: &'static str| -> Result<Option<Raw>, Failure> {
        let value = fields.take(name);
        let is_number = |value: &&RawValue| serde_json::from_str::<f64>(value.get()).is_ok();
        match value {
            Some(value) if !is_number(&value) => Err(wrong(name, "a number")),
            value => Ok(value.map(ToOwned::to_owned)),
        }
    };
    let sampling = Sampling {
        temperature: number("temperature")?,
        top_p: number("top_p")?,
        top_k: number("top_k")?,
        seed: number("seed")?,
        presence_penalty: number("presence_penalty")?,
        frequency_penalty: number("frequency_penalty")?,
        ..Sampling::default()
    };
    Ok(Sampling {
        logit_bias: fields.take("logit_bias").map(ToOwned::to_owned),
        stop: stop(fields)?,
        logprobs: fields.read("logprobs", "a whole number")?,
        ..sampling
    })
}

fn stop(fields: &mut Fields<'_>) -> Result<Vec<String>, Failure> {
    let Some(stop) = fields.take("stop") else {
        return Ok(Vec::new());
    };
    if let Some(one) = text(stop) {
        return Ok(vec![one]);
    }
    serde_json::from_str(stop.get()).map_err(|_| wrong("stop", "a string, or an array of strings"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialects::neutral::Kind as Block;

    #[test]
    fn a_prompt_is_what_the_user_says() {
        for body in [
            r#"{"model":"m","prompt":"Say hi","max_tokens":7,"temperature":0.5,"stop":"x","logprobs":2,"new":1}"#,
            r#"{"model":"m","prompt":["Say hi"],"max_tokens":7,"temperature":0.5,"stop":["x"],"echo":false,"n":1,"logprobs":2,"new":1}"#,
        ] {
            let request = read(body.as_bytes()).unwrap();
            assert_eq!((request.turns.len(), request.max_output), (1, Some(7)));
            let block = &request.turns[0].content.blocks[0];
            assert!(matches!(&block.kind, Block::Text(text) if text == "Say hi"));
            assert_eq!(request.sampling.temperature.unwrap().get(), "0.5");
            assert_eq!(request.sampling.stop, ["x"]);
            assert_eq!(request.sampling.logprobs, Some(2));
            assert_eq!(request.extras.0[0].name, "new");
        }
    }

    #[test]
    fn what_no_conversation_can_is_refused() {
        for (body, field) in [
            (r#"{"prompt":["a","b"]}"#, "prompt"),
            (r#"{"prompt":[1,2]}"#, "prompt"),
            (r#"{}"#, "prompt"),
            (r#"{"prompt":"a","suffix":"b"}"#, "suffix"),
            (r#"{"prompt":"a","echo":true}"#, "echo"),
            (r#"{"prompt":"a","best_of":2}"#, "best_of"),
            (r#"{"prompt":"a","n":2}"#, "n"),
            (r#"{"prompt":"a","temperature":"hot"}"#, "temperature"),
        ] {
            let failure = read(body.as_bytes()).unwrap_err();
            assert_eq!(failure.field.as_deref(), Some(field), "{body}");
        }
    }
}
