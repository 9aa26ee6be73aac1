//! The express lane to providers that differ from OpenAI: what they refuse goes, and limits get the
//! name that they know. All other bytes stay.

use bytes::Bytes;
use shared::domain::provider::card::Quirk;

use super::super::wire;
use crate::dialects::Destination;
use crate::dialects::neutral::{Field, Notes};
use crate::dialects::parts::{Edits, Parts};

/// OpenAI's older and newer name of the most tokens that an answer may have.
const OLDER: &str = "max_tokens";
const NEWER: &str = "max_completion_tokens";

/// The request as this provider takes it.
pub(in crate::dialects) fn adapt(body: Bytes, to: &Destination<'_>, notes: &mut Notes) -> Bytes {
    let limit = limit(to);
    let refuses_any = (to.card.quirks.iter()).any(|quirk| matches!(quirk, Quirk::Refuses(_)));
    if limit.is_none() && !refuses_any {
        return body;
    }
    let text = std::str::from_utf8(&body).unwrap_or_default();
    let Some(parts) = Parts::of(text, 0..text.len()) else {
        return body;
    };
    let renamed = limit.filter(|(from, _)| parts.value(from).is_some());
    let goes = |name: &str| to.card.refuses(name) || renamed.is_some_and(|(from, _)| from == name);
    if !parts.iter().any(|(name, _)| goes(name)) {
        return body;
    }
    for (name, value) in parts.iter().filter(|(name, _)| to.card.refuses(name)) {
        // Usage is told all the same, and what is null says nothing.
        if name != "stream_options" && text.get(value) != Some("null") {
            notes.drop(Field::Other(name.to_owned()));
        }
    }
    let mut edits = Edits::default();
    edits.remove(&parts, goes);
    if let Some((from, name)) = renamed
        && parts.value(name).is_none()
    {
        let value = parts.value(from).and_then(|value| text.get(value));
        edits.put_first(&parts, [(name, value.unwrap_or("null"))]);
    }
    edits.apply(&body)
}

/// A limit's name that the provider does not know, and the one that it does.
fn limit(to: &Destination<'_>) -> Option<(&'static str, &'static str)> {
    if to.card.has(Quirk::MaxTokens) {
        Some((NEWER, OLDER))
    } else if to.card.has(Quirk::Openai) && wire::reasons(to.model) {
        Some((OLDER, NEWER))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use shared::domain::provider;

    use super::*;

    fn adapted(provider: &str, model: &str, body: &str) -> (String, Notes) {
        let to = Destination {
            model,
            stream: false,
            card: provider::find(provider).unwrap(),
        };
        let mut notes = Notes::default();
        let body = adapt(Bytes::copy_from_slice(body.as_bytes()), &to, &mut notes);
        (String::from_utf8(body.to_vec()).unwrap(), notes)
    }

    #[test]
    fn a_limit_gets_the_name_that_the_provider_knows() {
        for (provider, model, body, expected) in [
            (
                "mistral",
                "m",
                r#"{"model":"m", "max_completion_tokens" : 5,"x":1.0}"#,
                r#"{"max_tokens":5,"model":"m","x":1.0}"#,
            ),
            (
                "openai",
                "o3",
                r#"{"model":"o3","max_tokens":5}"#,
                r#"{"max_completion_tokens":5,"model":"o3"}"#,
            ),
            (
                "openai",
                "gpt-4o",
                r#"{"model":"gpt-4o","max_tokens":5}"#,
                r#"{"model":"gpt-4o","max_tokens":5}"#,
            ),
            (
                "openai-compatible",
                "m",
                r#"{"model":"m","max_completion_tokens":5}"#,
                r#"{"model":"m","max_completion_tokens":5}"#,
            ),
        ] {
            assert_eq!(adapted(provider, model, body).0, expected);
        }
    }

    #[test]
    fn what_a_provider_refuses_goes_and_is_named() {
        let body = r#"{"seed":1,"model":"m","stream_options":{},"logprobs":null,"messages":[]}"#;
        let (body, notes) = adapted("mistral", "m", body);
        assert_eq!(body, r#"{"model":"m","messages":[]}"#);
        let dropped: Vec<_> = notes.dropped.into_iter().collect();
        assert_eq!(dropped, [Field::Other("seed".to_owned())]);
    }
}
