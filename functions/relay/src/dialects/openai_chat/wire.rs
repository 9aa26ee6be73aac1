//! The parts of OpenAI's chat dialect that Tollhouse reads.

use serde::Deserialize;
use serde::de::IgnoredAny;
use shared::domain::usage::Tokens;

/// `stream_options` of a request.
#[derive(Debug, Default, Deserialize)]
pub(in crate::dialects) struct StreamOptions {
    pub(in crate::dialects) include_usage: Option<bool>,
}

/// What a chunk or an answer says beside its content.
#[derive(Debug, Deserialize)]
pub(in crate::dialects) struct Trailer {
    #[serde(default)]
    pub(in crate::dialects) choices: Option<Vec<IgnoredAny>>,
    #[serde(default)]
    pub(in crate::dialects) usage: Option<Usage>,
}

/// `usage`: the totals include what the details name apart.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub(in crate::dialects) struct Usage {
    #[serde(default)]
    prompt_tokens: Option<u64>,
    #[serde(default)]
    completion_tokens: Option<u64>,
    #[serde(default)]
    prompt_tokens_details: Option<PromptDetails>,
    #[serde(default)]
    completion_tokens_details: Option<CompletionDetails>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
struct PromptDetails {
    #[serde(default)]
    cached_tokens: Option<u64>,
    #[serde(default)]
    cache_write_tokens: Option<u64>,
    #[serde(default)]
    audio_tokens: Option<u64>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
struct CompletionDetails {
    #[serde(default)]
    reasoning_tokens: Option<u64>,
    #[serde(default)]
    audio_tokens: Option<u64>,
}

impl Usage {
    /// The same in disjoint components.
    pub(in crate::dialects) fn tokens(&self) -> Tokens {
        let prompt = self.prompt_tokens_details.unwrap_or_default();
        let completion = self.completion_tokens_details.unwrap_or_default();
        let cache_read = prompt.cached_tokens.unwrap_or(0);
        let cache_write_5m = prompt.cache_write_tokens.unwrap_or(0);
        let input_audio = prompt.audio_tokens.unwrap_or(0);
        let output_audio = completion.audio_tokens.unwrap_or(0);
        let apart = [cache_read, cache_write_5m, input_audio].into_iter();
        let output = self
            .completion_tokens
            .unwrap_or(0)
            .saturating_sub(output_audio);
        Tokens {
            input: apart.fold(self.prompt_tokens.unwrap_or(0), u64::saturating_sub),
            cache_read,
            cache_write_5m,
            output,
            reasoning: completion.reasoning_tokens.unwrap_or(0).min(output),
            input_audio,
            output_audio,
            ..Tokens::default()
        }
    }
}

/// `error` of an answer, as OpenAI and its many imitators write it.
#[derive(Debug, Deserialize)]
pub(in crate::dialects) struct Refusal {
    pub(in crate::dialects) error: RefusalDetail,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(in crate::dialects) enum RefusalDetail {
    Object {
        #[serde(default)]
        message: Option<String>,
        #[serde(default, rename = "type")]
        kind: Option<String>,
        #[serde(default)]
        code: Option<serde_json::Value>,
    },
    Text(String),
}
