//! The output limit of a request of OpenAI's dialects, which has one of several names.

use bytes::Bytes;
use shared::failure::Failure;

use crate::dialects::limit::{insert, lower};
use crate::dialects::members::{self, Members};

/// The same bytes, with at most so many tokens of output: under those of the names that the request
/// has, or else under the first one.
pub(in crate::dialects) fn limit_output(
    body: &Bytes,
    names: &'static [&'static str],
    limit: u64,
) -> Result<Bytes, Failure> {
    let found = Members::find(body, names)?;
    let lowered = names.iter().filter_map(|name| lower(&found, name, limit));
    let lowered: Vec<_> = lowered.collect();
    let is_new = lowered.is_empty();
    let mut edits: Vec<_> = lowered.into_iter().flatten().collect();
    if is_new && let Some(name) = names.first() {
        edits.push(insert(body, 0, &format!(r#""{name}":{limit}"#)));
    }
    edits.sort_by_key(|(span, _)| span.start);
    Ok(members::splice(body, &edits))
}

#[cfg(test)]
mod tests {
    use crate::dialects;
    use shared::domain::dialect::Dialect;

    use super::*;

    #[track_caller]
    fn limited(dialect: Dialect, body: &'static str, expected: &str) {
        let body = Bytes::from_static(body.as_bytes());
        let limited = dialects::caller(dialect).limit_output(&body, 50).unwrap();
        assert_eq!(limited, expected);
        let again = dialects::caller(dialect).limit_output(&limited, 50);
        assert_eq!(again.unwrap(), limited, "it is as low as it can be");
    }

    #[test]
    fn a_chat_is_limited_under_the_name_it_uses() {
        for (body, expected) in [
            (
                r#"{ "max_tokens" : 90, "n":1.0}"#,
                r#"{ "max_tokens" : 50, "n":1.0}"#,
            ),
            (
                r#"{"x":0,"max_completion_tokens":90}"#,
                r#"{"x":0,"max_completion_tokens":50}"#,
            ),
            (
                r#"{"max_tokens":90,"max_completion_tokens":40}"#,
                r#"{"max_tokens":50,"max_completion_tokens":40}"#,
            ),
            (
                r#"{"max_tokens":null,"messages":[{"max_tokens":7}]}"#,
                r#"{"max_tokens":50,"messages":[{"max_tokens":7}]}"#,
            ),
            (r#"{"max_tokens":12}"#, r#"{"max_tokens":12}"#),
            (
                r#"{"messages":[]}"#,
                r#"{"max_completion_tokens":50,"messages":[]}"#,
            ),
        ] {
            limited(Dialect::OpenaiChat, body, expected);
        }
    }

    #[test]
    fn completions_and_responses_have_one_name_each() {
        limited(
            Dialect::OpenaiCompletions,
            r#"{"prompt":"a"}"#,
            r#"{"max_tokens":50,"prompt":"a"}"#,
        );
        limited(
            Dialect::OpenaiResponses,
            r#"{"input":"a","max_output_tokens":51}"#,
            r#"{"input":"a","max_output_tokens":50}"#,
        );
        limited(
            Dialect::OpenaiResponses,
            r#"{"input":"a"}"#,
            r#"{"max_output_tokens":50,"input":"a"}"#,
        );
    }
}
