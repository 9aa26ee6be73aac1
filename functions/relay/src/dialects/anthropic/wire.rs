//! The parts of Anthropic's dialect that Tollhouse reads.

use serde::Deserialize;
use shared::domain::usage::Tokens;

/// `usage`: `input_tokens` excludes both cache members. A stream tells it in parts; what comes later
/// replaces what came before, member by member.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub(in crate::dialects) struct Usage {
    #[serde(default)]
    input_tokens: Option<u64>,
    #[serde(default)]
    output_tokens: Option<u64>,
    #[serde(default)]
    cache_read_input_tokens: Option<u64>,
    #[serde(default)]
    cache_creation_input_tokens: Option<u64>,
    #[serde(default)]
    cache_creation: Option<CacheCreation>,
    #[serde(default)]
    output_tokens_details: Option<OutputDetails>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
struct CacheCreation {
    #[serde(default)]
    ephemeral_1h_input_tokens: Option<u64>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
struct OutputDetails {
    #[serde(default)]
    thinking_tokens: Option<u64>,
}

impl Usage {
    /// This, where `later` says nothing.
    pub(in crate::dialects) fn then(self, later: Self) -> Self {
        Self {
            input_tokens: later.input_tokens.or(self.input_tokens),
            output_tokens: later.output_tokens.or(self.output_tokens),
            cache_read_input_tokens: later
                .cache_read_input_tokens
                .or(self.cache_read_input_tokens),
            cache_creation_input_tokens: later
                .cache_creation_input_tokens
                .or(self.cache_creation_input_tokens),
            cache_creation: later.cache_creation.or(self.cache_creation),
            output_tokens_details: later.output_tokens_details.or(self.output_tokens_details),
        }
    }

    /// The same in disjoint components; the total of cache writes includes those of one hour.
    pub(in crate::dialects) fn tokens(self) -> Tokens {
        let output = self.output_tokens.unwrap_or(0);
        let written_1h = self
            .cache_creation
            .and_then(|made| made.ephemeral_1h_input_tokens)
            .unwrap_or(0);
        let written = self.cache_creation_input_tokens.unwrap_or(written_1h);
        let thinking = self
            .output_tokens_details
            .and_then(|details| details.thinking_tokens);
        Tokens {
            input: self.input_tokens.unwrap_or(0),
            cache_read: self.cache_read_input_tokens.unwrap_or(0),
            cache_write_5m: written.saturating_sub(written_1h),
            cache_write_1h: written_1h.min(written),
            output,
            reasoning: thinking.unwrap_or(0).min(output),
            ..Tokens::default()
        }
    }
}

/// An answer, as much of it as matters.
#[derive(Debug, Deserialize)]
pub(in crate::dialects) struct Message {
    #[serde(rename = "type")]
    pub(in crate::dialects) kind: String,
    #[serde(default)]
    pub(in crate::dialects) usage: Option<Usage>,
}

/// `message_start`.
#[derive(Debug, Deserialize)]
pub(in crate::dialects) struct MessageStart {
    pub(in crate::dialects) message: StartedMessage,
}

#[derive(Debug, Deserialize)]
pub(in crate::dialects) struct StartedMessage {
    #[serde(default)]
    pub(in crate::dialects) usage: Option<Usage>,
}

/// `message_delta`.
#[derive(Debug, Deserialize)]
pub(in crate::dialects) struct MessageDelta {
    #[serde(default)]
    pub(in crate::dialects) usage: Option<Usage>,
}

/// An error, as a body or as an event.
#[derive(Debug, Deserialize)]
pub(in crate::dialects) struct Refusal {
    pub(in crate::dialects) error: RefusalDetail,
}

#[derive(Debug, Deserialize)]
pub(in crate::dialects) struct RefusalDetail {
    #[serde(default, rename = "type")]
    pub(in crate::dialects) kind: Option<String>,
    #[serde(default)]
    pub(in crate::dialects) message: Option<String>,
}
