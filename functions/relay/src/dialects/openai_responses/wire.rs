//! The parts of OpenAI's Responses dialect that have one shape everywhere: usage, states, types.

use shared::domain::usage::Usage;

use crate::dialects::json::{Fields, Object};
use crate::dialects::neutral::{Field, Finish, Reason};

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
/// says nothing that can be understood.
pub(super) fn read_usage(response: &mut Fields<'_>) -> Option<Usage> {
    let mut usage = response.object("usage")?;
    let (input, output) = (usage.count("input_tokens"), usage.count("output_tokens"));
    if input.is_none() && output.is_none() {
        return None;
    }
    let mut details = usage.object("input_tokens_details").unwrap_or_default();
    let cache_read = details.count("cached_tokens").unwrap_or(0);
    let cache_write_5m = details.count("cache_write_tokens").unwrap_or(0);
    let input_audio = details.count("audio_tokens").unwrap_or(0);
    let apart = [cache_read, cache_write_5m, input_audio].into_iter();
    let mut details = usage.object("output_tokens_details").unwrap_or_default();
    let output_audio = details.count("audio_tokens").unwrap_or(0);
    let output = output.unwrap_or(0).saturating_sub(output_audio);
    Some(Usage {
        input: apart.fold(input.unwrap_or(0), u64::saturating_sub),
        cache_read,
        cache_write_5m,
        output,
        reasoning: details.count("reasoning_tokens").unwrap_or(0).min(output),
        input_audio,
        output_audio,
        ..Usage::default()
    })
}

/// `usage` as a caller reads it.
pub(super) fn usage(tokens: &Usage) -> Object {
    let (input, output) = (tokens.total_input(), tokens.total_output());
    let written = tokens.cache_write_5m.saturating_add(tokens.cache_write_1h);
    let input_details = Object::new()
        .with("cached_tokens", tokens.cache_read)
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
        let tokens = read_usage(&mut Fields::parse(json).unwrap()).unwrap();
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
        assert_eq!(read_usage(&mut response).unwrap().output, 7);
        for lost in ["[DONE]", r#"{"type":"x","respo"#, r#"{"type":"x","a":"#, ""] {
            assert!(super::mended(lost).is_none(), "{lost}");
        }
    }

    #[test]
    fn no_usage_is_none() {
        for json in [r#"{"usage":null}"#, r#"{"usage":{}}"#, "{}"] {
            assert!(read_usage(&mut Fields::parse(json).unwrap()).is_none());
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
