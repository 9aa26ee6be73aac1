//! The parts of Gemini's dialect that both directions share: finish words, kinds of media.

use serde_json::value::RawValue;

use crate::dialects::json::{self, Json};
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
