//! The parts of OpenAI's Responses dialect that have one shape everywhere: usage, states, types.

use shared::domain::usage::Usage;

use super::pieces::Pieces;
use crate::dialects::json::{Fields, Object};
use crate::dialects::neutral::{Field, Finish, Reason};
use crate::dialects::openai::usage::{Counts, Reasoning, service};

/// The data of an event whose last braces were lost, with them; some servers cut their events short.
pub(super) fn mended(data: &str) -> Option<String> {
    const MOST: usize = 3;
    let data = data.trim_end();
    let mut mended = data.starts_with('{').then(|| data.to_owned())?;
    for _ in 0..MOST {
        mended.push('}');
        if Fields::parse(&mended).is_some() {
            return Some(mended);
        }
    }
    None
}

/// What a response says was used: the totals include what the details name apart. `None` when it
/// says nothing that can be believed. `pieces` are what its items say of the provider's own tools.
pub(super) fn read_usage(response: &mut Fields<'_>, pieces: &Pieces) -> Option<Usage> {
    let mut counts = Counts::read(response.take("usage")?)?;
    counts.service = response
        .text("service_tier")
        .and_then(|word| service(&word));
    let mut tools = response.object("tool_usage").unwrap_or_default();
    let searches = tools
        .object("web_search")
        .and_then(|mut searches| searches.part("num_requests"));
    let items = pieces.usage();
    let or = |told: u64, counted: u64| if told > 0 { told } else { counted };
    counts.web_searches = or(
        counts.web_searches,
        or(searches.unwrap_or(0), items.web_searches),
    );
    counts.file_searches = or(counts.file_searches, items.file_searches);
    counts.code_runs = or(counts.code_runs, items.code_runs);
    let usage = counts.tokens(Reasoning::Within);
    Some(match tools.object("image_gen") {
        Some(made) => with_pictures(usage, made),
        None => usage,
    })
}

/// With what the model took that made pictures: `usage` is without it.
/// <https://platform.openai.com/docs/guides/tools-image-generation>
fn with_pictures(usage: Usage, mut made: Fields<'_>) -> Usage {
    let mut count = |total: &str, details: &str| {
        let total = made.part(total).unwrap_or(0);
        let details = made.object(details);
        let told = details.and_then(|mut details| details.part("image_tokens"));
        (total, told.map(|image| image.min(total)))
    };
    let (input, looked) = count("input_tokens", "input_tokens_details");
    let (output, drawn) = count("output_tokens", "output_tokens_details");
    // Where nothing else is said, it read words and drew pictures.
    let (looked, drawn) = (looked.unwrap_or(0), drawn.unwrap_or(output));
    Usage {
        input: usage.input.saturating_add(input - looked),
        input_image: usage.input_image.saturating_add(looked),
        output: usage.output.saturating_add(output - drawn),
        output_image: usage.output_image.saturating_add(drawn),
        ..usage
    }
}

/// `usage` as a caller reads it.
pub(super) fn usage(tokens: &Usage) -> Object {
    let (input, output) = (tokens.total_input(), tokens.total_output());
    let written = tokens.cache_write_5m.saturating_add(tokens.cache_write_1h);
    let input_details = Object::new()
        .with("cached_tokens", tokens.total_cache_read())
        .with("cache_write_tokens", written);
    let output_details = Object::new().with("reasoning_tokens", tokens.reasoning);
    Object::new()
        .with("input_tokens", input)
        .with("input_tokens_details", input_details)
        .with("output_tokens", output)
        .with("output_tokens_details", output_details)
        .with("total_tokens", input.saturating_add(output))
}

/// Why a response ended: by its `status`, and by `incomplete_details.reason`. Only a word that is
/// missing altogether means the limit, for compatible servers leave it out.
pub(super) fn read_finish(status: &str, reason: Option<&str>) -> Finish {
    match (status, reason) {
        ("incomplete", None) => Finish::new(Reason::Length, "incomplete"),
        ("incomplete", Some(word)) => {
            let reason = match word {
                "max_output_tokens" | "max_tokens" | "length" => Reason::Length,
                "content_filter" => Reason::Refusal,
                _ => Reason::Other,
            };
            Finish::new(reason, word)
        }
        ("completed", _) => Finish::new(Reason::Stop, "completed"),
        (other, _) => Finish::new(Reason::Other, other),
    }
}

/// The reason in `incomplete_details`; `None` when the response is completed. A refusal in the
/// model's own words is a completed one.
pub(super) fn write_finish(reason: Reason, in_words: Refused) -> Option<&'static str> {
    match (reason, in_words) {
        (Reason::Length | Reason::ContextFull, _) => Some("max_output_tokens"),
        (Reason::Refusal, Refused::Silently) => Some("content_filter"),
        (Reason::MalformedCall, _) => Some("malformed_function_call"),
        _ => None,
    }
}

/// Whether an answer that refuses says so itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// With a refusal in its words.
    InWords,
    /// Without.
    Silently,
}

/// What this dialect calls a member.
pub(super) fn word(field: &Field) -> String {
    let word = match field {
        Field::Temperature => "temperature",
        Field::TopP => "top_p",
        Field::TopK => "top_k",
        Field::Seed => "seed",
        Field::PresencePenalty => "presence_penalty",
        Field::FrequencyPenalty => "frequency_penalty",
        Field::LogitBias => "logit_bias",
        Field::Logprobs => "top_logprobs",
        Field::Stop => "stop",
        Field::Answers => "n",
        Field::ParallelTools => "parallel_tool_calls",
        Field::ToolChoice => "tool_choice",
        Field::StrictTools => "tools[].strict",
        Field::Format => "text.format",
        Field::Reasoning => "reasoning",
        Field::ReasoningHistory => "input[].reasoning",
        Field::Cache => "prompt_cache_breakpoint",
        Field::User => "user",
        Field::ImageDetail => "input[].content[].detail",
        Field::Content(kind) => return format!("input[].content[].{kind}"),
        Field::Tool(name) => return format!("tools[].{name}"),
        Field::Other(name) => return name.clone(),
    };
    word.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_are_parts_of_the_totals() {
        let json = r#"{"usage":{"input_tokens":100,"output_tokens":50,"total_tokens":150,
            "input_tokens_details":{"cached_tokens":30,"cache_write_tokens":20},
            "output_tokens_details":{"reasoning_tokens":40}}}"#;
        let tokens = read_usage(&mut Fields::parse(json).unwrap(), &Pieces::default()).unwrap();
        assert_eq!((tokens.input, tokens.cache_read), (50, 30));
        assert_eq!((tokens.cache_write_5m, tokens.output), (20, 50));
        assert_eq!(tokens.reasoning, 40);
        let written = serde_json::to_value(usage(&tokens)).unwrap();
        assert_eq!(written["input_tokens"], 100);
        assert_eq!(written["total_tokens"], 150);
        assert_eq!(written["input_tokens_details"]["cache_write_tokens"], 20);
    }

    #[test]
    fn lost_braces_are_found_again_and_lost_words_are_not() {
        let data = r#"{"type":"x","response":{"usage":{"output_tokens":7}"#;
        let mended = mended(data).unwrap();
        let mut response = Fields::parse(&mended).unwrap().object("response").unwrap();
        assert_eq!(
            read_usage(&mut response, &Pieces::default())
                .unwrap()
                .output,
            7
        );
        for lost in ["[DONE]", r#"{"type":"x","respo"#, r#"{"type":"x","a":"#, ""] {
            assert!(super::mended(lost).is_none(), "{lost}");
        }
    }

    #[test]
    fn no_usage_is_none() {
        for json in [r#"{"usage":null}"#, r#"{"usage":{}}"#, "{}"] {
            assert!(read_usage(&mut Fields::parse(json).unwrap(), &Pieces::default()).is_none());
        }
    }

    #[test]
    fn a_missing_word_means_the_limit_and_an_unknown_one_does_not() {
        assert_eq!(read_finish("incomplete", None).reason, Reason::Length);
        let steered = read_finish("incomplete", Some("steered"));
        assert_eq!(steered.reason, Reason::Other);
        assert_eq!(steered.raw.as_deref(), Some("steered"));
    }
}
