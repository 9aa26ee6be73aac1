//! Small shapes of OpenAI's chat dialect, each both ways: reasons to finish, cache hints, citations.

use ring::digest::{SHA256, digest};
use serde_json::value::RawValue;

use crate::dialects::json::{Fields, Object};
use crate::dialects::neutral::reply::Citation;
use crate::dialects::neutral::request::{Cache, Lifetime};
use crate::dialects::neutral::{Finish, Opaque, Origin, Reason};

/// The reason that a word means. Imitators have words of the servers behind them.
pub(super) fn read_finish(word: &str) -> Finish {
    let lower = word.to_ascii_lowercase();
    let reason = match lower.as_str() {
        "stop" | "end_turn" | "eos" | "eos_token" | "complete" => Reason::Stop,
        "stop_sequence" => Reason::StopSequence,
        "length" | "max_tokens" => Reason::Length,
        "model_length" | "model_context_window_exceeded" => Reason::ContextFull,
        "tool_calls" | "function_call" | "tool_use" | "tool_call" => Reason::ToolUse,
        "content_filter" | "content_filtered" | "sensitive" | "safety" | "refusal"
        | "recitation" => Reason::Refusal,
        other if other.contains("malformed") => Reason::MalformedCall,
        other if other.starts_with("content_filter") => Reason::Refusal,
        _ => Reason::Other,
    };
    Finish::new(reason, word)
}

/// The word for a reason.
pub(super) const fn finish_word(reason: Reason) -> &'static str {
    match reason {
        Reason::Length | Reason::ContextFull => "length",
        Reason::ToolUse => "tool_calls",
        Reason::Refusal => "content_filter",
        Reason::Stop
        | Reason::StopSequence
        | Reason::Paused
        | Reason::MalformedCall
        | Reason::Other => "stop",
    }
}

/// A cache hint on a part, a message or a tool, as resellers of other models take it.
/// <https://openrouter.ai/docs/features/prompt-caching>
pub(super) fn read_cache(hint: &RawValue) -> Option<Cache> {
    let lifetime = match Fields::of(hint)?.text("ttl").as_deref() {
        Some("1h") => Some(Lifetime::Hour),
        Some("5m") => Some(Lifetime::Minutes),
        _ => None,
    };
    Some(Cache { lifetime })
}

pub(super) fn write_cache(cache: Cache) -> Object {
    let lifetime = cache.lifetime.map(|lifetime| match lifetime {
        Lifetime::Minutes => "5m",
        Lifetime::Hour => "1h",
    });
    Object::of_type("ephemeral").maybe("ttl", lifetime)
}

/// An annotation: what a text cites.
pub(super) fn read_annotation(annotation: &RawValue) -> Option<Citation> {
    let mut outer = Fields::of(annotation)?;
    let mut cited = outer.object("url_citation").unwrap_or(outer);
    let from = cited.count("start_index");
    let to = cited.count("end_index");
    let citation = Citation {
        url: cited.text("url"),
        title: cited.text("title"),
        quote: cited.text("content"),
        span: from.zip(to).filter(|(from, to)| from < to),
        raw: Some(annotation.to_owned()),
    };
    citation.url.is_some().then_some(citation)
}

/// An annotation for a caller: `span` is the part of the whole message that it supports. What has no
/// address cannot be said.
pub(super) fn write_annotation(citation: Citation, span: (u64, u64)) -> Option<Object> {
    let url = citation.url?;
    let cited = Object::new()
        .with("start_index", span.0)
        .with("end_index", span.1)
        .with("title", citation.title.unwrap_or_else(|| url.clone()))
        .with("url", url);
    Some(Object::of_type("url_citation").with("url_citation", cited))
}

/// The state in `extra_content`, where Google's endpoint of this dialect has put it.
/// <https://ai.google.dev/gemini-api/docs/thought-signatures>
pub(super) fn read_signature(extra_content: &RawValue) -> Option<Opaque> {
    let mut google = Fields::of(extra_content)?.object("google")?;
    let signature = google.text("thought_signature")?;
    (!signature.is_empty()).then(|| Opaque::unseal(&signature, Origin::google()))
}

pub(super) fn write_signature(state: &Opaque) -> Object {
    let google = Object::new().with("thought_signature", state.seal(Origin::google()));
    Object::new().with("google", google)
}

/// So many hexadecimal digits, always the same for a text.
pub(super) fn hash(text: &str, digits: usize) -> String {
    let hash = digest(&SHA256, text.as_bytes());
    let bytes = hash.as_ref().iter();
    let hex: String = bytes.map(|byte| format!("{byte:02x}")).collect();
    hex.chars().take(digits).collect()
}

/// Whether a model of OpenAI's own thinks before it answers: such models refuse what steers chance.
/// <https://platform.openai.com/docs/guides/reasoning>
pub(super) fn reasons(model: &str) -> bool {
    let name = model.rsplit('/').next().unwrap_or(model);
    if name.contains("-chat") {
        return false;
    }
    let numbered = |prefix: &str| {
        let rest = name.strip_prefix(prefix);
        rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    generation(name).is_some_and(|generation| generation >= (5, 0))
        || numbered("o")
        || name.starts_with("codex-")
}

/// The two parts of the version in `gpt-5.1-mini`.
pub(super) fn generation(model: &str) -> Option<(u32, u32)> {
    let name = model.rsplit('/').next().unwrap_or(model);
    let version = name.strip_prefix("gpt-")?.split('-').next()?;
    let (major, minor) = version.split_once('.').unwrap_or((version, "0"));
    Some((major.parse().ok()?, minor.parse().unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_to_finish_are_an_open_list() {
        for (word, reason, again) in [
            ("stop", Reason::Stop, "stop"),
            ("function_call", Reason::ToolUse, "tool_calls"),
            ("model_length", Reason::ContextFull, "length"),
            ("sensitive", Reason::Refusal, "content_filter"),
            (
                "function_call_filter: MALFORMED_FUNCTION_CALL",
                Reason::MalformedCall,
                "stop",
            ),
            ("whatever", Reason::Other, "stop"),
        ] {
            let finish = read_finish(word);
            assert_eq!((finish.reason, finish.raw.as_deref()), (reason, Some(word)));
            assert_eq!(finish_word(reason), again);
        }
    }

    #[test]
    fn models_that_reason_are_known_by_name() {
        for model in [
            "o3-mini",
            "o1",
            "gpt-5",
            "gpt-5.1-codex",
            "openai/o4-mini",
            "gpt-6",
        ] {
            assert!(reasons(model), "{model}");
        }
        for model in [
            "gpt-4o",
            "gpt-4.1",
            "gpt-5-chat-latest",
            "omni",
            "gpt-oss-120b",
            "llama",
        ] {
            assert!(!reasons(model), "{model}");
        }
    }
}
