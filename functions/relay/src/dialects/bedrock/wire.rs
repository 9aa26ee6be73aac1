//! What is small in Converse: usage, reasons to end, formats of media.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde_json::value::RawValue;
use shared::domain::usage::{Service, Usage};

use crate::dialects::json::{Fields, Incredible};
use crate::dialects::neutral::{Finish, Origin, Reason};

/// `usage`: `inputTokens` excludes both cache members. Each of them is told under two names; that is
/// one number. `None` when it says nothing, or what cannot be.
pub(super) fn tokens(teller: &mut Fields<'_>) -> Option<Usage> {
    let mut usage = teller.object("usage")?;
    let counts = counts(&mut usage).ok()?;
    let told = counts.total_input().saturating_add(counts.output) > 0;
    // It stays among the members that are carried.
    let tier = teller
        .clone()
        .object("serviceTier")
        .and_then(|mut tier| tier.text("type"));
    told.then_some(Usage {
        service: tier.as_deref().map(service).unwrap_or_default(),
        ..counts
    })
}

fn counts(usage: &mut Fields<'_>) -> Result<Usage, Incredible> {
    let mut either = |name: &str, other: &str| -> Result<Option<u64>, Incredible> {
        Ok(usage.used(name)?.or(usage.used(other)?))
    };
    let read = either("cacheReadInputTokens", "cacheReadInputTokenCount")?;
    let written = either("cacheWriteInputTokens", "cacheWriteInputTokenCount")?;
    let (mut all, mut hour) = (0_u64, 0_u64);
    for detail in usage.array("cacheDetails") {
        let mut detail = Fields::of(detail).unwrap_or_default();
        let count = detail.part("inputTokens").unwrap_or(0);
        all = all.saturating_add(count);
        if detail.text("ttl").as_deref() == Some("1h") {
            hour = hour.saturating_add(count);
        }
    }
    let written = written.unwrap_or(all);
    Ok(Usage {
        input: usage.used("inputTokens")?.unwrap_or(0),
        cache_read: read.unwrap_or(0),
        cache_write_5m: written.saturating_sub(hour),
        cache_write_1h: hour.min(written),
        output: usage.used("outputTokens")?.unwrap_or(0),
        ..Usage::default()
    })
}

/// What is reserved is paid for otherwise, and costs as usual here.
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ServiceTier.html>
fn service(word: &str) -> Service {
    match word {
        "priority" => Service::Priority,
        "flex" => Service::Flex,
        _ => Service::Standard,
    }
}

/// What a tool of the provider's own was used for, by its name.
/// <https://docs.aws.amazon.com/nova/latest/nova2-userguide/using-tools.html>
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tools {
    searches: u64,
    code: bool,
}

impl Tools {
    pub(super) fn see(&mut self, name: &str) {
        match name {
            "nova_grounding" => self.searches += 1,
            "nova_code_interpreter" => self.code = true,
            _ => {}
        }
    }

    /// The usage with them.
    pub(super) fn add(self, usage: Usage) -> Usage {
        Usage {
            web_searches: self.searches,
            code_runs: u64::from(self.code),
            ..usage
        }
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
