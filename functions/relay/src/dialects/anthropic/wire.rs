//! The small shapes of Anthropic's dialect that requests, answers and streams share.

use serde_json::value::RawValue;
use shared::domain::usage::{Service, Usage};

use crate::dialects::json::{self, Fields, Incredible, Json, Object};
use crate::dialects::neutral::reply::{Citation, Finish, Reason};
use crate::dialects::neutral::request::{Cache, Lifetime};

/// `usage`: `input_tokens` excludes both cache members. A stream tells it in parts; what comes later
/// replaces what came before, member by member.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::dialects) struct Counts {
    input: Option<u64>,
    pub(super) output: Option<u64>,
    cache_read: Option<u64>,
    cache_written: Option<u64>,
    written_1h: Option<u64>,
    thinking: Option<u64>,
    /// What compactions and advisers took: the members beside it exclude that.
    /// <https://platform.claude.com/docs/en/build-with-claude/compaction>
    beside: Option<Usage>,
    web_searches: Option<u64>,
    code_runs: Option<u64>,
    service: Option<Service>,
}

impl Counts {
    /// The usage in a value; `None` when it is none, or cannot be.
    pub(in crate::dialects) fn read(value: &RawValue) -> Option<Self> {
        let mut fields = Fields::of(value)?;
        let iterations = fields.array("iterations");
        let beside = iterations.into_iter().filter_map(beside).reduce(sum);
        let mut made = fields.object("cache_creation").unwrap_or_default();
        let mut tools = fields.object("server_tool_use").unwrap_or_default();
        let details = fields.object("output_tokens_details");
        let tier = fields.text("service_tier").and_then(|word| service(&word));
        let fast = fields.text("speed").as_deref() == Some("fast");
        let read = |fields: &mut Fields<'_>| -> Result<Self, Incredible> {
            let written_5m = made.used("ephemeral_5m_input_tokens")?;
            let written_1h = made.used("ephemeral_1h_input_tokens")?;
            let told = written_5m.or(written_1h);
            let parts = told.map(|_| written_5m.unwrap_or(0) + written_1h.unwrap_or(0));
            Ok(Self {
                input: fields.used("input_tokens")?,
                output: fields.used("output_tokens")?,
                cache_read: fields.used("cache_read_input_tokens")?,
                // The sum of the parts, which not every server keeps up.
                cache_written: fields.used("cache_creation_input_tokens")?.max(parts),
                written_1h,
                thinking: details.and_then(|mut details| details.part("thinking_tokens")),
                beside,
                web_searches: tools.part("web_search_requests"),
                code_runs: tools
                    .part("code_execution_requests")
                    .map(|runs| runs.min(1)),
                service: fast.then_some(Service::Fast).or(tier),
            })
        };
        read(&mut fields).ok()
    }

    /// This, where `later` says nothing. Servers that only speak the dialect may tell the input at the
    /// start, and zeros at the end.
    pub(in crate::dialects) fn then(self, later: Self) -> Self {
        let told = [
            later.input,
            later.cache_read,
            later.cache_written,
            later.written_1h,
        ];
        let nothing = told.iter().flatten().all(|count| *count == 0);
        let input = |now: Option<u64>, before: Option<u64>| {
            now.filter(|_| !nothing || before.is_none()).or(before)
        };
        Self {
            input: input(later.input, self.input),
            output: later.output.or(self.output),
            cache_read: input(later.cache_read, self.cache_read),
            cache_written: input(later.cache_written, self.cache_written),
            written_1h: input(later.written_1h, self.written_1h),
            thinking: later.thinking.or(self.thinking),
            beside: later.beside.or(self.beside),
            web_searches: later.web_searches.or(self.web_searches),
            code_runs: later.code_runs.or(self.code_runs),
            service: later.service.or(self.service),
        }
    }

    /// The same with what the message says beside its usage: a container in which code ran.
    pub(in crate::dialects) fn within(self, container: Option<&RawValue>) -> Self {
        Self {
            code_runs: container.map(|_| 1).or(self.code_runs),
            ..self
        }
    }

    /// The same in disjoint components; the total of cache writes includes those of one hour.
    pub(in crate::dialects) fn tokens(self) -> Usage {
        let output = self.output.unwrap_or(0);
        let written = self.cache_written.unwrap_or(0);
        let written_1h = self.written_1h.unwrap_or(0);
        let answer = Usage {
            input: self.input.unwrap_or(0),
            cache_read: self.cache_read.unwrap_or(0),
            cache_write_5m: written.saturating_sub(written_1h),
            cache_write_1h: written_1h.min(written),
            output,
            reasoning: self.thinking.unwrap_or(0).min(output),
            web_searches: self.web_searches.unwrap_or(0),
            code_runs: self.code_runs.unwrap_or(0),
            service: self.service.unwrap_or_default(),
            ..Usage::default()
        };
        self.beside.map_or(answer, |beside| sum(answer, beside))
    }
}

/// The container in which code ran for an answer: a message has it, or what a stream changes of one.
pub(super) fn container<'a>(teller: &mut Fields<'a>) -> Option<&'a RawValue> {
    let beside = teller.take("container");
    beside.or_else(|| teller.object("delta")?.take("container"))
}

/// At which service a message was answered. <https://platform.claude.com/docs/en/api/service-tiers>
fn service(word: &str) -> Option<Service> {
    match word {
        "priority" => Some(Service::Priority),
        "batch" => Some(Service::Batch),
        "standard" => Some(Service::Standard),
        _ => None,
    }
}

/// What one iteration took, if the totals are without it: a compaction, or an adviser, which is another
/// model and may cost more than this one does.
/// <https://platform.claude.com/docs/en/agents-and-tools/tool-use/advisor-tool>
fn beside(iteration: &RawValue) -> Option<Usage> {
    let kind = Fields::of(iteration)?.text("type")?;
    let is_beside = matches!(kind.as_str(), "compaction" | "advisor_message");
    is_beside.then(|| Counts::read(iteration).map(Counts::tokens))?
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
    let searches = Some(tokens.web_searches).filter(|count| *count > 0);
    Object::new()
        .with(
            "input_tokens",
            input.into_iter().fold(0, u64::saturating_add),
        )
        .with("cache_creation_input_tokens", written)
        .with("cache_read_input_tokens", tokens.total_cache_read())
        .with("cache_creation", made)
        .with("output_tokens", tokens.total_output())
        .maybe(
            "output_tokens_details",
            thinking.map(|count| Object::new().with("thinking_tokens", count)),
        )
        .maybe(
            "server_tool_use",
            searches.map(|count| {
                Object::new()
                    .with("web_search_requests", count)
                    .with("web_fetch_requests", 0)
            }),
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
    fn zeros_at_the_end_do_not_undo_what_was_told_at_the_start() {
        let start = read(r#"{"input_tokens":40,"cache_read_input_tokens":60,"output_tokens":1}"#);
        let last = read(r#"{"input_tokens":0,"cache_read_input_tokens":0,"output_tokens":9}"#);
        let tokens = start.then(last).tokens();
        assert_eq!(
            (tokens.input, tokens.cache_read, tokens.output),
            (40, 60, 9)
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
        for odd in ["\"x\"", "-3", "18446744073709551615", "[7]"] {
            let json = format!(r#"{{"input_tokens":{odd},"output_tokens":7}}"#);
            assert!(Counts::read(serde_json::from_str(&json).unwrap()).is_none());
        }
        let usage = read(r#"{"input_tokens":"9","output_tokens":7.0,"cache_creation":null}"#);
        assert_eq!((usage.tokens().input, usage.tokens().output), (9, 7));
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
