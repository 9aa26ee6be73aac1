//! The small shapes of Anthropic's dialect that requests, answers and streams share.

use serde_json::value::RawValue;
use shared::domain::usage::Usage;

use crate::dialects::json::{self, Fields, Json, Object};
use crate::dialects::neutral::reply::{Citation, Finish, Reason};
use crate::dialects::neutral::request::{Cache, Lifetime};

/// `usage`: `input_tokens` excludes both cache members. A stream tells it in parts; what comes later
/// replaces what came before, member by member.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::dialects) struct Counts {
    input: Option<u64>,
    output: Option<u64>,
    cache_read: Option<u64>,
    cache_written: Option<u64>,
    written_5m: Option<u64>,
    written_1h: Option<u64>,
    thinking: Option<u64>,
    /// What compactions took: the members beside it exclude that.
    /// <https://platform.claude.com/docs/en/build-with-claude/compaction>
    compacted: Option<Usage>,
}

impl Counts {
    /// The usage in a value, however odd its members are.
    pub(in crate::dialects) fn read(value: &RawValue) -> Option<Self> {
        let mut fields = Fields::of(value)?;
        let iterations = fields.array("iterations");
        let compactions = iterations.into_iter().filter_map(compaction);
        Some(Self {
            input: fields.count("input_tokens"),
            output: fields.count("output_tokens"),
            cache_read: fields.count("cache_read_input_tokens"),
            cache_written: fields.count("cache_creation_input_tokens"),
            thinking: fields
                .object("output_tokens_details")
                .and_then(|mut details| details.count("thinking_tokens")),
            compacted: compactions.reduce(sum),
            ..Self::default()
        })
        .map(|usage| match fields.object("cache_creation") {
            Some(mut made) => Self {
                written_5m: made.count("ephemeral_5m_input_tokens"),
                written_1h: made.count("ephemeral_1h_input_tokens"),
                ..usage
            },
            None => usage,
        })
    }

    /// This, where `later` says nothing.
    pub(in crate::dialects) fn then(self, later: Self) -> Self {
        Self {
            input: later.input.or(self.input),
            output: later.output.or(self.output),
            cache_read: later.cache_read.or(self.cache_read),
            cache_written: later.cache_written.or(self.cache_written),
            written_5m: later.written_5m.or(self.written_5m),
            written_1h: later.written_1h.or(self.written_1h),
            thinking: later.thinking.or(self.thinking),
            compacted: later.compacted.or(self.compacted),
        }
    }

    /// The same in disjoint components; the total of cache writes includes those of one hour.
    pub(in crate::dialects) fn tokens(self) -> Usage {
        let output = self.output.unwrap_or(0);
        let written_1h = self.written_1h.unwrap_or(0);
        let parts = self.written_5m.unwrap_or(0).saturating_add(written_1h);
        let written = self.cache_written.unwrap_or(parts);
        let answer = Usage {
            input: self.input.unwrap_or(0),
            cache_read: self.cache_read.unwrap_or(0),
            cache_write_5m: written.saturating_sub(written_1h),
            cache_write_1h: written_1h.min(written),
            output,
            reasoning: self.thinking.unwrap_or(0).min(output),
            ..Usage::default()
        };
        self.compacted
            .map_or(answer, |compacted| sum(answer, compacted))
    }
}

/// What one iteration took, if it was a compaction.
fn compaction(iteration: &RawValue) -> Option<Usage> {
    let kind = Fields::of(iteration)?.text("type")?;
    (kind == "compaction").then(|| Counts::read(iteration).map(Counts::tokens))?
}

fn sum(one: Usage, other: Usage) -> Usage {
    Usage {
        input: one.input.saturating_add(other.input),
        cache_read: one.cache_read.saturating_add(other.cache_read),
        cache_write_5m: one.cache_write_5m.saturating_add(other.cache_write_5m),
        cache_write_1h: one.cache_write_1h.saturating_add(other.cache_write_1h),
        output: one.output.saturating_add(other.output),
        reasoning: one.reasoning.saturating_add(other.reasoning),
        ..one
    }
}

/// `usage` for a caller. `input_tokens` and `output_tokens` are numbers always: SDKs want them.
pub(super) fn usage(tokens: Option<Usage>) -> Object {
    let tokens = tokens.unwrap_or_default();
    let input = [tokens.input, tokens.input_audio, tokens.input_image];
    let made = Object::new()
        .with("ephemeral_5m_input_tokens", tokens.cache_write_5m)
        .with("ephemeral_1h_input_tokens", tokens.cache_write_1h);
    let written = tokens.cache_write_5m.saturating_add(tokens.cache_write_1h);
    let thinking = Some(tokens.reasoning).filter(|count| *count > 0);
    Object::new()
        .with(
            "input_tokens",
            input.into_iter().fold(0, u64::saturating_add),
        )
        .with("cache_creation_input_tokens", written)
        .with("cache_read_input_tokens", tokens.cache_read)
        .with("cache_creation", made)
        .with("output_tokens", tokens.total_output())
        .maybe(
            "output_tokens_details",
            thinking.map(|count| Object::new().with("thinking_tokens", count)),
        )
}

/// `stop_reason`, as its vendor says; then the words of servers that only speak the dialect.
const REASONS: [(&str, Reason); 12] = [
    ("end_turn", Reason::Stop),
    ("stop_sequence", Reason::StopSequence),
    ("max_tokens", Reason::Length),
    ("model_context_window_exceeded", Reason::ContextFull),
    ("tool_use", Reason::ToolUse),
    ("refusal", Reason::Refusal),
    ("pause_turn", Reason::Paused),
    ("compaction", Reason::Paused),
    ("stop", Reason::Stop),
    ("length", Reason::Length),
    ("tool_calls", Reason::ToolUse),
    ("content_filter", Reason::Refusal),
];
/// How many of them are the vendor's.
const VENDORS: usize = 8;

/// Why an answer ended; `None` when there is no reason yet. Reasons are an open set.
pub(super) fn read_finish(fields: &mut Fields<'_>) -> Option<Finish> {
    let raw = fields.text("stop_reason")?;
    let known = REASONS.iter().find(|(word, _)| *word == raw);
    let mut finish = Finish::new(known.map_or(Reason::Other, |(_, reason)| *reason), raw);
    finish.stop_sequence = fields.text("stop_sequence");
    Some(finish)
}

/// Why an answer ended, for a caller; what the model says when it will not answer is a text here,
/// and only the reason tells that it was a refusal.
pub(super) fn stop_reason(finish: &Finish, refused: Refused) -> &'static str {
    let reason = match finish.reason {
        Reason::Stop | Reason::Other if refused.0 => Reason::Refusal,
        Reason::MalformedCall | Reason::Other => Reason::Stop,
        other => other,
    };
    let vendors = || REASONS.iter().take(VENDORS);
    let own = vendors().find(|(word, own)| *own == reason && finish.raw.as_deref() == Some(word));
    let own = own.or_else(|| vendors().find(|(_, known)| *known == reason));
    own.map_or("end_turn", |(word, _)| word)
}

/// Whether an answer holds words of refusal.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Refused(pub(super) bool);

/// The lifetimes of `cache_control`.
const LIFETIMES: [(&str, Lifetime); 2] = [("5m", Lifetime::Minutes), ("1h", Lifetime::Hour)];

/// A hint to cache, and what else it holds; `None` when it is of no kind that is known.
pub(super) fn read_cache(value: &RawValue) -> Option<(Cache, Fields<'_>)> {
    let mut fields = Fields::of(value)?;
    if fields.text("type")? != "ephemeral" {
        return None;
    }
    let lifetime = match fields.text("ttl") {
        None => None,
        Some(ttl) => {
            let known = LIFETIMES.iter().find(|(word, _)| *word == ttl)?;
            Some(known.1)
        }
    };
    Some((Cache { lifetime }, fields))
}

/// A hint to cache.
pub(super) fn cache(cache: Cache) -> Object {
    let word = |lifetime| {
        let known = LIFETIMES.iter().find(|(_, known)| *known == lifetime);
        known.map(|(word, _)| *word)
    };
    Object::of_type("ephemeral").maybe("ttl", cache.lifetime.and_then(word))
}

/// A citation of a provider's.
pub(super) fn read_citation(value: &RawValue) -> Option<Citation> {
    let mut fields = Fields::of(value)?;
    Some(Citation {
        url: fields.text("url").or_else(|| fields.text("source")),
        title: fields
            .text("title")
            .or_else(|| fields.text("document_title")),
        quote: fields.text("cited_text"),
        // Its places are in the source; here they would be in the answer.
        span: None,
        raw: Some(value.to_owned()),
    })
}

/// A citation for a caller: the provider's own where it is of this dialect, else one of a search.
pub(super) fn citation(citation: &Citation) -> Json {
    if let Some(raw) = &citation.raw
        && let Some(kind) = Fields::of(raw).and_then(|mut fields| fields.text("type"))
        && kind.ends_with("_location")
    {
        return raw.into();
    }
    let quote = citation.quote.clone().unwrap_or_default();
    let text = |text: &Option<String>| text.clone().map_or(Json::Null, Json::from);
    let built = Object::of_type("web_search_result_location")
        .with("cited_text", quote)
        .with("url", citation.url.clone().unwrap_or_default())
        .with("title", text(&citation.title))
        .with("encrypted_index", "");
    built.into()
}

/// Whether the citations of a text are those of another provider, which have no index of its own.
pub(super) fn cites_others(citations: &RawValue) -> bool {
    json::array(citations).into_iter().any(|one| {
        let index = Fields::of(one).and_then(|mut fields| fields.text("encrypted_index"));
        index.is_some_and(|index| index.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Counts {
        Counts::read(serde_json::from_str(json).unwrap()).unwrap()
    }

    #[test]
    fn a_compaction_is_used_beside_the_answer() {
        let start = read(r#"{"input_tokens":10,"cache_read_input_tokens":500,"output_tokens":2}"#);
        let last = read(
            r#"{"input_tokens":20,"cache_read_input_tokens":0,"output_tokens":8,"iterations":[
              {"type":"compaction","input_tokens":10,"output_tokens":30,"cache_read_input_tokens":500},
              {"type":"message","input_tokens":20,"output_tokens":8}]}"#,
        );
        let tokens = start.then(last).tokens();
        assert_eq!(
            (tokens.input, tokens.cache_read, tokens.output),
            (30, 500, 38)
        );
    }

    #[test]
    fn a_model_that_stands_in_is_counted_once() {
        let usage = read(
            r#"{"input_tokens":12,"output_tokens":6,"iterations":[
              {"type":"message","input_tokens":11,"output_tokens":0},
              {"type":"fallback_message","input_tokens":12,"output_tokens":6}]}"#,
        );
        assert_eq!((usage.tokens().input, usage.tokens().output), (12, 6));
    }

    #[test]
    fn odd_members_of_usage_are_no_usage() {
        let usage = read(r#"{"input_tokens":"x","output_tokens":7.0,"cache_creation":null}"#);
        assert_eq!((usage.tokens().input, usage.tokens().output), (0, 7));
        let parts = read(
            r#"{"cache_creation":{"ephemeral_5m_input_tokens":4,"ephemeral_1h_input_tokens":5}}"#,
        );
        let tokens = parts.tokens();
        assert_eq!((tokens.cache_write_5m, tokens.cache_write_1h), (4, 5));
    }

    #[test]
    fn reasons_keep_the_vendors_word() {
        let paused = Finish::new(Reason::Paused, "compaction");
        assert_eq!(stop_reason(&paused, Refused(false)), "compaction");
        let paused = Finish::new(Reason::Paused, "waiting");
        assert_eq!(stop_reason(&paused, Refused(false)), "pause_turn");
        let stopped = Finish::new(Reason::Stop, "stop");
        assert_eq!(stop_reason(&stopped, Refused(false)), "end_turn");
        assert_eq!(stop_reason(&stopped, Refused(true)), "refusal");
    }
}
