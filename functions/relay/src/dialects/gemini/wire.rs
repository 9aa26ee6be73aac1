//! The parts of Gemini's dialect that both directions share: finish words, usage, kinds of media.

use serde_json::value::RawValue;
use shared::domain::usage::Usage;

use crate::dialects::json::{self, Fields, Json, Object};
use crate::dialects::neutral::request::Medium;
use crate::dialects::neutral::{Finish, Kind, Reason};

/// Why an answer was refused, in words that both a candidate and the prompt's feedback can have.
const REFUSALS: [&str; 9] = [
    "SAFETY",
    "RECITATION",
    "LANGUAGE",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "MODEL_ARMOR",
    "ESCALATION",
    "PUP_LIMITED_DISABLED",
];
/// Calls that are none.
const MALFORMED: [&str; 3] = [
    "MALFORMED_FUNCTION_CALL",
    "UNEXPECTED_TOOL_CALL",
    "TOO_MANY_TOOL_CALLS",
];
/// Ends of answers that every dialect calls something else, or nothing.
const OTHERS: [&str; 5] = [
    "OTHER",
    "NO_IMAGE",
    "MALFORMED_RESPONSE",
    "MISSING_THOUGHT_SIGNATURE",
    "CONTINUATION",
];

/// What a `finishReason` means; `None` when it says that there is none yet.
pub(super) fn read_finish(word: &str) -> Option<Finish> {
    let reason = match word {
        "" | "FINISH_REASON_UNSPECIFIED" => return None,
        "STOP" => Reason::Stop,
        "MAX_TOKENS" => Reason::Length,
        word if REFUSALS.contains(&word) || word.starts_with("IMAGE_") => Reason::Refusal,
        word if MALFORMED.contains(&word) => Reason::MalformedCall,
        _ => Reason::Other,
    };
    Some(Finish::new(reason, word))
}

/// The `finishReason` that says the same: the provider's own word where it is one of this dialect.
pub(super) fn write_finish(finish: &Finish) -> Json {
    if let Some(raw) = &finish.raw
        && REFUSALS
            .iter()
            .chain(&MALFORMED)
            .chain(&OTHERS)
            .any(|word| word == raw)
        && read_finish(raw).is_some_and(|known| known.reason == finish.reason)
    {
        return raw.into();
    }
    Json::word(match finish.reason {
        Reason::Stop | Reason::StopSequence | Reason::ToolUse | Reason::Paused => "STOP",
        Reason::Length | Reason::ContextFull => "MAX_TOKENS",
        Reason::Refusal => "SAFETY",
        Reason::MalformedCall => "MALFORMED_FUNCTION_CALL",
        Reason::Other => "OTHER",
    })
}

/// `usageMetadata`; `None` when it counts nothing. The prompt includes what a cache served, candidates
/// exclude thoughts, and what the provider's own tools brought in stands apart.
/// <https://ai.google.dev/api/generate-content#UsageMetadata>
pub(super) fn read_usage(value: &RawValue) -> Option<Usage> {
    let mut fields = Fields::of(value)?;
    let prompt = fields.count("promptTokenCount");
    let cached = fields.count("cachedContentTokenCount");
    let tools = fields.count("toolUsePromptTokenCount");
    let candidates = fields.count("candidatesTokenCount");
    let thoughts = fields.count("thoughtsTokenCount");
    let told = [prompt, cached, tools, candidates, thoughts];
    told.iter().flatten().next()?;
    let [prompt, cached, tools, candidates, thoughts] = told.map(Option::unwrap_or_default);
    let asked = Modalities::of(&fields.array("promptTokensDetails"))
        .and(Modalities::of(&fields.array("toolUsePromptTokensDetails")))
        .without(Modalities::of(&fields.array("cacheTokensDetails")));
    let said = Modalities::of(&fields.array("candidatesTokensDetails"));
    let input = prompt.saturating_add(tools).saturating_sub(cached);
    Some(Usage {
        input: input.saturating_sub(asked.all()),
        cache_read: cached,
        input_audio: asked.audio.min(input),
        input_image: asked.image.min(input.saturating_sub(asked.audio)),
        output: candidates
            .saturating_sub(said.all())
            .saturating_add(thoughts),
        reasoning: thoughts,
        output_audio: said.audio.min(candidates),
        output_image: said.image.min(candidates.saturating_sub(said.audio)),
        ..Usage::default()
    })
}

/// The same as `usageMetadata`.
pub(super) fn write_usage(tokens: &Usage) -> Object {
    let (input, output) = (tokens.total_input(), tokens.total_output());
    let some = |count: u64| (count > 0).then_some(count);
    let candidates = output.saturating_sub(tokens.reasoning);
    Object::new()
        .with("promptTokenCount", input)
        .maybe("cachedContentTokenCount", some(tokens.cache_read))
        .with("candidatesTokenCount", candidates)
        .maybe("thoughtsTokenCount", some(tokens.reasoning))
        .with("totalTokenCount", input.saturating_add(output))
        .maybe(
            "promptTokensDetails",
            write_details(input, tokens.input_audio, tokens.input_image),
        )
        .maybe(
            "candidatesTokensDetails",
            write_details(candidates, tokens.output_audio, tokens.output_image),
        )
}

/// How much of it was what; `None` when all of it was text.
fn write_details(all: u64, audio: u64, image: u64) -> Option<Vec<Object>> {
    if audio == 0 && image == 0 {
        return None;
    }
    let text = all.saturating_sub(audio).saturating_sub(image);
    let counts = [("TEXT", text), ("AUDIO", audio), ("IMAGE", image)];
    let counts = counts.into_iter().filter(|(_, count)| *count > 0);
    let detail = |(modality, count)| {
        Object::new()
            .with("modality", Json::word(modality))
            .with("tokenCount", Json::Count(count))
    };
    Some(counts.map(detail).collect())
}

/// Tokens that cost apart.
#[derive(Debug, Clone, Copy, Default)]
struct Modalities {
    audio: u64,
    image: u64,
}

impl Modalities {
    fn of(details: &[&RawValue]) -> Self {
        let mut all = Self::default();
        for detail in details {
            let Some(mut fields) = Fields::of(detail) else {
                continue;
            };
            let count = fields.count("tokenCount").unwrap_or(0);
            match fields.text("modality").as_deref() {
                Some("AUDIO") => all.audio = all.audio.saturating_add(count),
                Some("IMAGE") => all.image = all.image.saturating_add(count),
                _ => {}
            }
        }
        all
    }

    fn all(self) -> u64 {
        self.audio.saturating_add(self.image)
    }

    fn and(self, other: Self) -> Self {
        Self {
            audio: self.audio.saturating_add(other.audio),
            image: self.image.saturating_add(other.image),
        }
    }

    fn without(self, other: Self) -> Self {
        Self {
            audio: self.audio.saturating_sub(other.audio),
            image: self.image.saturating_sub(other.image),
        }
    }
}

/// The kind of block that a medium of this type is; what has none is taken for a document.
pub(super) fn kind(medium: Medium) -> Kind {
    let mime = medium.mime.clone().unwrap_or_default();
    match mime.split('/').next() {
        Some("image") => Kind::Image(medium),
        Some("audio") => Kind::Audio(medium),
        Some("video") => Kind::Video(medium),
        _ => Kind::Document(medium),
    }
}

/// Whether a member is there and true.
pub(super) fn is_true(value: Option<&RawValue>) -> bool {
    value.is_some_and(|value| value.get() == "true")
}

/// A number from 0 upwards that may be a text, as Google's JSON writes 64-bit ones.
pub(super) fn whole(value: &RawValue) -> Option<u64> {
    json::count(value).or_else(|| json::text(value)?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(json: &str) -> Option<Usage> {
        read_usage(&RawValue::from_string(json.to_owned()).unwrap())
    }

    #[test]
    fn thoughts_are_output_and_cached_input_is_counted_once() {
        let tokens = usage(
            r#"{"promptTokenCount":100,"cachedContentTokenCount":40,"toolUsePromptTokenCount":7,
            "candidatesTokenCount":10,"thoughtsTokenCount":202,"totalTokenCount":319,
            "promptTokensDetails":[{"modality":"TEXT","tokenCount":70},
                {"modality":"AUDIO","tokenCount":30}],
            "cacheTokensDetails":[{"modality":"AUDIO","tokenCount":10}],
            "candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":4}]}"#,
        )
        .unwrap();
        assert_eq!((tokens.input, tokens.cache_read), (47, 40));
        assert_eq!((tokens.input_audio, tokens.output_image), (20, 4));
        assert_eq!((tokens.output, tokens.reasoning), (208, 202));
        assert_eq!(tokens.total_input() + tokens.total_output(), 319);
        let again = write_usage(&tokens).to_raw();
        let again = read_usage(&again).unwrap();
        assert_eq!(again.total_input(), 107);
        assert_eq!((again.output, again.output_image), (208, 4));
    }

    #[test]
    fn what_counts_nothing_is_no_usage() {
        assert_eq!(usage(r#"{"trafficType":"ON_DEMAND"}"#), None);
        assert_eq!(usage("null"), None);
    }

    #[test]
    fn a_word_of_this_dialect_is_kept_and_others_are_translated() {
        for (finish, word) in [
            (read_finish("SPII").unwrap(), "\"SPII\""),
            (Finish::new(Reason::Refusal, "content_filter"), "\"SAFETY\""),
            (Finish::new(Reason::ToolUse, "STOP"), "\"STOP\""),
            (Finish::new(Reason::Length, "length"), "\"MAX_TOKENS\""),
            (read_finish("SOMETHING_NEW").unwrap(), "\"OTHER\""),
        ] {
            assert_eq!(write_finish(&finish).to_bytes(), word);
        }
        assert_eq!(read_finish("FINISH_REASON_UNSPECIFIED"), None);
    }
}
