//! The output limit of a request of Anthropic's dialect, and the thoughts that must fit into it.

use bytes::Bytes;
use shared::failure::Failure;

use crate::dialects::limit::{insert, lower, moved};
use crate::dialects::members::{self, Members};

const NAMES: &[&str] = &["max_tokens", "thinking"];
const THINKING: &[&str] = &["type", "budget_tokens"];
/// The smallest budget for thoughts.
/// <https://docs.anthropic.com/en/docs/build-with-claude/extended-thinking#working-with-thinking-budgets>
const LEAST_BUDGET: u64 = 1_024;

/// The same bytes, with at most so many tokens of output, and a budget for thoughts below that.
pub(in crate::dialects) fn limit_output(body: &Bytes, limit: u64) -> Result<Bytes, Failure> {
    let members = Members::find(body, NAMES)?;
    let mut edits = Vec::new();
    match lower(&members, "max_tokens", limit) {
        Some(edit) => edits.extend(edit),
        None => edits.push(insert(body, 0, &format!(r#""max_tokens":{limit}"#))),
    }
    if let Some(thinking) = members
        .get("thinking")
        .filter(|one| one.text.starts_with('{'))
    {
        let within = Members::find(thinking.text.as_bytes(), THINKING)?;
        let budget: Option<u64> = within.read("budget_tokens", "a whole number")?;
        if budget.is_some_and(|budget| budget >= limit) {
            if limit <= LEAST_BUDGET {
                return Err(too_low(limit));
            }
            let edit = lower(&within, "budget_tokens", limit - 1).flatten();
            edits.extend(edit.map(|edit| moved(edit, thinking.span.start)));
        }
    }
    edits.sort_by_key(|(span, _)| span.start);
    Ok(members::splice(body, &edits))
}

fn too_low(limit: u64) -> Failure {
    let text = format!(
        "The answer may have {limit} tokens at most, and thoughts need a budget of \
         {LEAST_BUDGET} or more below that. Ask without them."
    );
    Failure::bad_field("thinking.budget_tokens", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limited(body: &'static str, limit: u64) -> Result<Bytes, Failure> {
        limit_output(&Bytes::from_static(body.as_bytes()), limit)
    }

    #[test]
    fn the_limit_is_lowered_and_never_raised() {
        for (body, expected) in [
            (
                r#"{"max_tokens": 90 ,"x":1.0}"#,
                r#"{"max_tokens": 50 ,"x":1.0}"#,
            ),
            (r#"{"max_tokens":0}"#, r#"{"max_tokens":0}"#),
            (r#"{"messages":[]}"#, r#"{"max_tokens":50,"messages":[]}"#),
            (
                r#"{"thinking":{"type":"adaptive"},"max_tokens":90}"#,
                r#"{"thinking":{"type":"adaptive"},"max_tokens":50}"#,
            ),
        ] {
            assert_eq!(limited(body, 50).unwrap(), expected);
        }
    }

    #[test]
    fn thoughts_fit_into_the_limit_or_the_request_is_refused() {
        let body = r#"{"thinking":{"type":"enabled", "budget_tokens":4000},"max_tokens":9000}"#;
        assert_eq!(
            limited(body, 2_000).unwrap(),
            r#"{"thinking":{"type":"enabled", "budget_tokens":1999},"max_tokens":2000}"#
        );
        assert_eq!(
            limited(body, 5_000).unwrap(),
            r#"{"thinking":{"type":"enabled", "budget_tokens":4000},"max_tokens":5000}"#
        );
        assert!(
            limited(body, 1_025)
                .unwrap()
                .ends_with(b"\"max_tokens\":1025}")
        );
        let failure = limited(body, 1_024).unwrap_err();
        assert_eq!(failure.field.as_deref(), Some("thinking.budget_tokens"));
    }
}
