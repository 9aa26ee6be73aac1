//! A request of Gemini's dialect, as much of it as the pipeline needs. The address names the model, so
//! the body goes on as it came.

use bytes::Bytes;
use shared::failure::Failure;

use crate::dialects::members::Members;
use crate::dialects::{InUrl, Wanted};

const NAMES: &[&str] = &[
    "contents",
    "generationConfig",
    "generation_config",
    "generateContentRequest",
    "generate_content_request",
];
const CONFIG: &[&str] = &[
    "maxOutputTokens",
    "max_output_tokens",
    "candidateCount",
    "candidate_count",
];
/// The longest name of a model, in bytes.
const LONGEST: usize = 256;

/// Reads it. A request to count tokens may hold the whole request whose tokens are counted: that one is
/// taken. <https://ai.google.dev/api/tokens#request-body>
pub(in crate::dialects) fn read(body: &Bytes, url: &InUrl) -> Result<Wanted, Failure> {
    let model = model(url)?;
    let body = unwrapped(body)?;
    let members = Members::find(&body, NAMES)?;
    members.require::<&serde_json::value::RawValue>("contents", "an array")?;
    let (max_output, answers) = limits(&members)?;
    Ok(Wanted {
        model,
        stream: url.stream,
        events: url.events,
        usage_wanted: true,
        max_output,
        answers: answers.unwrap_or(1).max(1),
        body,
    })
}

fn model(url: &InUrl) -> Result<String, Failure> {
    let name = url.model.as_deref().unwrap_or_default();
    let name = name.strip_prefix("models/").unwrap_or(name);
    if name.is_empty() || name.len() > LONGEST || name.chars().any(char::is_control) {
        let text = format!("The address must name a model in 1 to {LONGEST} bytes.");
        return Err(Failure::bad_field("model", text));
    }
    Ok(name.to_owned())
}

/// The request inside `generateContentRequest`, if there is one.
fn unwrapped(body: &Bytes) -> Result<Bytes, Failure> {
    let members = Members::find(body, NAMES)?;
    let inner = either(
        &members,
        "generateContentRequest",
        "generate_content_request",
    )?;
    Ok(match inner.and_then(|name| members.get(name)) {
        Some(inner) => body.slice(inner.span.clone()),
        None => body.clone(),
    })
}

fn limits(members: &Members<'_>) -> Result<(Option<u64>, Option<u64>), Failure> {
    const COUNT: &str = "an integer of 0 or more";
    let config = either(members, "generationConfig", "generation_config")?;
    let Some(config) = config.and_then(|name| members.get(name)) else {
        return Ok((None, None));
    };
    let config = Members::find(config.text.as_bytes(), CONFIG)?;
    let read = |camel, snake| match either(&config, camel, snake)? {
        Some(name) => config.read(name, COUNT),
        None => Ok(None),
    };
    Ok((
        read("maxOutputTokens", "max_output_tokens")?,
        read("candidateCount", "candidate_count")?,
    ))
}

/// Which of two spellings a member has.
fn either(
    members: &Members<'_>,
    camel: &'static str,
    snake: &'static str,
) -> Result<Option<&'static str>, Failure> {
    match (members.get(camel), members.get(snake)) {
        (Some(_), Some(_)) => {
            let text = format!("'{camel}' and '{snake}' are the same member.");
            Err(Failure::bad_field(camel, text))
        }
        (Some(_), None) => Ok(Some(camel)),
        (None, Some(_)) => Ok(Some(snake)),
        (None, None) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url() -> InUrl {
        InUrl {
            model: Some("gemini-x".to_owned()),
            stream: true,
            events: true,
            counting: false,
        }
    }

    fn wanted(body: &'static str) -> Result<Wanted, Failure> {
        read(&Bytes::from_static(body.as_bytes()), &url())
    }

    #[test]
    fn limits_are_read_in_either_spelling() {
        for body in [
            r#"{"contents":[],"generationConfig":{"maxOutputTokens":9,"candidateCount":2}}"#,
            r#"{"contents":{},"generation_config":{"max_output_tokens":9,"candidate_count":2}}"#,
        ] {
            let wanted = wanted(body).unwrap();
            assert_eq!((wanted.max_output, wanted.answers), (Some(9), 2));
            assert_eq!(wanted.body, body);
        }
        let twice = r#"{"contents":[],"generationConfig":{},"generation_config":{}}"#;
        assert!(wanted(twice).is_err());
    }

    #[test]
    fn the_model_must_be_in_the_address() {
        let body = Bytes::from_static(br#"{"contents":[],"model":"models/x"}"#);
        let failure = read(&body, &InUrl::default()).unwrap_err();
        assert_eq!(failure.field.as_deref(), Some("model"));
        assert_eq!(read(&body, &url()).unwrap().model, "gemini-x");
        assert!(wanted("{}").is_err());
    }

    #[test]
    fn a_request_to_count_holds_the_request_that_is_counted() {
        let wanted = wanted(r#"{"generateContentRequest":{"model":"m","contents":[]}}"#).unwrap();
        assert_eq!(wanted.body, r#"{"model":"m","contents":[]}"#);
    }
}
