//! What is small in Converse: usage, reasons to end, formats of media.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde_json::value::RawValue;
use shared::domain::usage::Usage;

use crate::dialects::json::Fields;
use crate::dialects::neutral::{Finish, Origin, Reason};

/// `usage`: `inputTokens` excludes both cache members. Each of them is told under two names; that is
/// one number.
pub(super) fn tokens(mut usage: Fields<'_>) -> Usage {
    let mut either = |name: &str, other: &str| {
        let (first, second) = (usage.count(name), usage.count(other));
        first.or(second)
    };
    let read = either("cacheReadInputTokens", "cacheReadInputTokenCount");
    let written = either("cacheWriteInputTokens", "cacheWriteInputTokenCount");
    let details = usage.array("cacheDetails").into_iter();
    let hours = details.filter_map(|detail| {
        let mut detail = Fields::of(detail)?;
        (detail.text("ttl")? == "1h").then(|| detail.count("inputTokens"))?
    });
    let hour = hours.fold(0, u64::saturating_add);
    let written = written.unwrap_or(hour);
    Usage {
        input: usage.count("inputTokens").unwrap_or(0),
        cache_read: read.unwrap_or(0),
        cache_write_5m: written.saturating_sub(hour),
        cache_write_1h: hour.min(written),
        output: usage.count("outputTokens").unwrap_or(0),
        ..Usage::default()
    }
}

/// `stopReason`, and the text that ended the answer, where that was asked for. New words are nothing
/// strange.
pub(super) fn finish(message: &mut Fields<'_>) -> Option<Finish> {
    let raw = message.text("stopReason")?;
    let reason = match raw.as_str() {
        "end_turn" => Reason::Stop,
        "stop_sequence" => Reason::StopSequence,
        "max_tokens" => Reason::Length,
        "model_context_window_exceeded" => Reason::ContextFull,
        "tool_use" => Reason::ToolUse,
        "guardrail_intervened" | "content_filtered" | "refusal" => Reason::Refusal,
        "malformed_model_output" | "malformed_tool_use" => Reason::MalformedCall,
        "pause_turn" => Reason::Paused,
        _ => Reason::Other,
    };
    let mut finish = Finish::new(reason, raw);
    finish.stop_sequence = message
        .object("additionalModelResponseFields")
        .and_then(|mut more| {
            let inner = more.object("delta");
            let plain = more.text("stop_sequence");
            plain.or_else(|| inner?.text("stop_sequence"))
        });
    Some(finish)
}

/// A thought of which only the state is told: base64 of the state, whose text is base64 itself where
/// the model is Claude.
pub(super) fn redacted(origin: Origin, bytes: Vec<u8>) -> (Origin, String) {
    if origin == Origin::Bedrock {
        return (origin, STANDARD.encode(bytes));
    }
    match String::from_utf8(bytes) {
        Ok(text) => (origin, text),
        Err(other) => (Origin::Bedrock, STANDARD.encode(other.into_bytes())),
    }
}

/// The bytes of some base64, padded or not.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    STANDARD_NO_PAD.decode(text).ok()
}

/// The texts of a list of `{"text": …}`, in one.
pub(super) fn texts(list: Vec<&RawValue>) -> Option<String> {
    let texts = list
        .into_iter()
        .filter_map(|element| Fields::of(element)?.text("text"));
    texts.reduce(|all, more| all + &more)
}
