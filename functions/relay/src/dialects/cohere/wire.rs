//! The parts of Cohere's dialect that both its answers and its streams have.

use serde_json::value::RawValue;
use shared::domain::usage::Usage;

use crate::dialects::json::{Fields, Incredible};
use crate::dialects::neutral::reply::Citation;
use crate::dialects::neutral::{Finish, Reason};

/// Whether an answer ended because something broke: then it is none.
pub(super) fn is_failure(word: &str) -> bool {
    matches!(word, "ERROR" | "TIMEOUT")
}

/// Why an answer ended. <https://docs.cohere.com/reference/chat#response.body.finish_reason>
pub(super) fn finish(word: &str) -> Finish {
    let reason = match word {
        "COMPLETE" => Reason::Stop,
        "STOP_SEQUENCE" => Reason::StopSequence,
        "MAX_TOKENS" => Reason::Length,
        "ERROR_LIMIT" => Reason::ContextFull,
        "TOOL_CALL" => Reason::ToolUse,
        "ERROR_TOXIC" => Reason::Refusal,
        _ => Reason::Other,
    };
    Finish::new(reason, word)
}

/// `usage`: what is billed counts, not what the model saw with Cohere's own words around it.
///
/// `cached_tokens` are counted among all that it saw, so they can be more than what is billed.
pub(super) fn tokens(usage: &RawValue) -> Option<Usage> {
    let mut usage = Fields::of(usage)?;
    let mut billed = usage.object("billed_units").unwrap_or_default();
    let mut seen = usage.object("tokens").unwrap_or_default();
    let mut count_of =
        |name| -> Result<Option<u64>, Incredible> { Ok(billed.used(name)?.or(seen.used(name)?)) };
    let input = count_of("input_tokens").ok()?;
    let output = count_of("output_tokens").ok()?;
    if [input, output].iter().flatten().all(|count| *count == 0) {
        return None;
    }
    let input = input.unwrap_or(0);
    let cache_read = usage.part("cached_tokens").unwrap_or(0).min(input);
    Some(Usage {
        input: input - cache_read,
        cache_read,
        output: output.unwrap_or(0),
        ..Usage::default()
    })
}

/// Which of the answer's content blocks a citation is about, and the citation; `None` when it is
/// about a plan or a thought.
pub(super) fn citation(value: &RawValue) -> Option<(Option<u64>, Citation)> {
    let mut fields = Fields::of(value)?;
    let kind = fields.text("type");
    if kind.is_some_and(|kind| kind != "TEXT_CONTENT") {
        return None;
    }
    let span = fields.count("start").zip(fields.count("end"));
    let sources = fields.array("sources");
    let source = sources.first().and_then(|source| Fields::of(source));
    let mut document = source
        .and_then(|mut source| source.object("document").or(source.object("tool_output")))
        .unwrap_or_default();
    let citation = Citation {
        url: document.text("url"),
        title: document.text("title"),
        quote: document.text("text").or_else(|| document.text("snippet")),
        span,
        raw: Some(value.to_owned()),
    };
    Some((fields.count("content_index"), citation))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens_of(json: &str) -> Option<Usage> {
        tokens(&RawValue::from_string(json.to_owned()).unwrap())
    }

    #[test]
    fn what_is_billed_counts() {
        let usage = r#"{"billed_units":{"input_tokens":100,"output_tokens":7},
            "tokens":{"input_tokens":900,"output_tokens":9},"cached_tokens":30}"#;
        let tokens = tokens_of(usage).unwrap();
        assert_eq!(
            (tokens.input, tokens.cache_read, tokens.output),
            (70, 30, 7)
        );
        let more =
            r#"{"billed_units":{"input_tokens":10.0,"output_tokens":7.0},"cached_tokens":30}"#;
        let tokens = tokens_of(more).unwrap();
        assert_eq!((tokens.input, tokens.cache_read, tokens.output), (0, 10, 7));
        let seen = r#"{"billed_units":null,"tokens":{"input_tokens":9,"output_tokens":1}}"#;
        assert_eq!(tokens_of(seen).unwrap().input, 9);
        assert_eq!(tokens_of("{}"), None);
        assert_eq!(tokens_of("7"), None);
    }
}
