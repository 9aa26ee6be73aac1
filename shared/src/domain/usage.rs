//! What a call used, by component.

use serde::{Deserialize, Serialize};

/// Tokens by component, disjoint, except that `reasoning` is part of `output`; and what else a provider
/// bills by the piece. It is kept under short names, as the usage record that it is part of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Input that no cache served.
    #[serde(rename = "i", skip_serializing_if = "is_zero")]
    pub input: u64,
    /// Input read from a cache, but for what the next two count.
    #[serde(rename = "cr", skip_serializing_if = "is_zero")]
    pub cache_read: u64,
    /// Audio read from a cache, where a provider counts it apart: it costs more than cached text, and
    /// less than audio that no cache served.
    #[serde(rename = "cra", skip_serializing_if = "is_zero")]
    pub cache_read_audio: u64,
    /// Images read from a cache, where a provider counts them apart.
    #[serde(rename = "cri", skip_serializing_if = "is_zero")]
    pub cache_read_image: u64,
    /// Input written to a cache that lives five minutes.
    #[serde(rename = "cw5", skip_serializing_if = "is_zero")]
    pub cache_write_5m: u64,
    /// Input written to a cache that lives one hour.
    #[serde(rename = "cw1", skip_serializing_if = "is_zero")]
    pub cache_write_1h: u64,
    /// Output, reasoning included.
    #[serde(rename = "o", skip_serializing_if = "is_zero")]
    pub output: u64,
    /// The part of the output that was reasoning.
    #[serde(rename = "r", skip_serializing_if = "is_zero")]
    pub reasoning: u64,
    /// Audio that was listened to, and that no cache served.
    #[serde(rename = "ia", skip_serializing_if = "is_zero")]
    pub input_audio: u64,
    /// Audio that was spoken.
    #[serde(rename = "oa", skip_serializing_if = "is_zero")]
    pub output_audio: u64,
    /// Images that were looked at and that no cache served, where a provider counts them apart.
    #[serde(rename = "ii", skip_serializing_if = "is_zero")]
    pub input_image: u64,
    /// Images that were made.
    #[serde(rename = "oi", skip_serializing_if = "is_zero")]
    pub output_image: u64,
    /// Searches of the web that the provider made for the answer.
    #[serde(rename = "ws", skip_serializing_if = "is_zero")]
    pub web_searches: u64,
    /// Searches of files that the provider made.
    #[serde(rename = "fs", skip_serializing_if = "is_zero")]
    pub file_searches: u64,
    /// Containers of code that the provider ran.
    #[serde(rename = "cx", skip_serializing_if = "is_zero")]
    pub code_runs: u64,
    /// At which service the provider says that it answered: some cost more or less.
    #[serde(rename = "sv", skip_serializing_if = "Service::is_standard")]
    pub service: Service,
}

/// How fast, or how patiently, a provider serves a call. Named as in price lists.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// As usual.
    #[default]
    Standard,
    /// Some time within a day, at a lower price.
    Batch,
    /// Slower, at a lower price.
    Flex,
    /// Sooner, at a higher price.
    Priority,
    /// Faster output, at a higher price.
    Fast,
}

impl Service {
    /// Its name in prices: `flex`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Batch => "batch",
            Self::Flex => "flex",
            Self::Priority => "priority",
            Self::Fast => "fast",
        }
    }

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde calls it with a reference"
    )]
    fn is_standard(&self) -> bool {
        *self == Self::Standard
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Usage {
    /// All of the input, cached or not: what long-context tiers look at.
    #[must_use]
    pub fn total_input(&self) -> u64 {
        [
            self.input,
            self.total_cache_read(),
            self.cache_write_5m,
            self.cache_write_1h,
            self.input_audio,
            self.input_image,
        ]
        .into_iter()
        .fold(0, u64::saturating_add)
    }

    /// All that was read from a cache, whatever it was.
    #[must_use]
    pub fn total_cache_read(&self) -> u64 {
        [
            self.cache_read,
            self.cache_read_audio,
            self.cache_read_image,
        ]
        .into_iter()
        .fold(0, u64::saturating_add)
    }

    /// All of the output.
    #[must_use]
    pub fn total_output(&self) -> u64 {
        [self.output, self.output_audio, self.output_image]
            .into_iter()
            .fold(0, u64::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_hold_every_component_once_and_never_wrap() {
        let usage = Usage {
            input: 1,
            cache_read: 2,
            cache_read_audio: 4,
            cache_read_image: 8,
            cache_write_5m: 16,
            cache_write_1h: 32,
            input_audio: 64,
            input_image: 128,
            output: 256,
            reasoning: 200,
            output_audio: 512,
            output_image: 1_024,
            ..Usage::default()
        };
        assert_eq!(usage.total_input(), 255);
        assert_eq!(usage.total_cache_read(), 14);
        assert_eq!(usage.total_output(), 1_792);
        let most = Usage {
            input: u64::MAX,
            cache_read_audio: u64::MAX,
            ..usage
        };
        assert_eq!(most.total_input(), u64::MAX);
    }
}
