//! Rates of tokens by component, and amounts by the piece.
#![deny(clippy::float_arithmetic)]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::component::Component;
use crate::domain::money::{NanoUsd, Rate};
use crate::domain::usage::{Service, Usage};

/// What a token costs, by component. A component without a rate costs what its fallback costs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rates {
    /// Input that no cache served.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<Rate>,
    /// Output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<Rate>,
    /// Falls back to `input`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_read: Option<Rate>,
    /// Falls back to `cache_read`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_read_audio: Option<Rate>,
    /// Falls back to `cache_read`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_read_image: Option<Rate>,
    /// Falls back to `input`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_write_5m: Option<Rate>,
    /// Falls back to `cache_write_5m`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_write_1h: Option<Rate>,
    /// Falls back to `output`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<Rate>,
    /// Falls back to `input`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_audio: Option<Rate>,
    /// Falls back to `output`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_audio: Option<Rate>,
    /// Falls back to `input`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_image: Option<Rate>,
    /// Falls back to `output`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_image: Option<Rate>,
}

/// Rates by service: those that differ from what is usual.
pub type Services = BTreeMap<Service, Rates>;

/// Rates of calls whose whole input, cached or not, is longer than a threshold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tier {
    /// The tier counts from one token more than this, and then for every token of the call.
    pub above_input_tokens: u64,
    /// The rates that differ; the others are the price's own.
    #[serde(flatten)]
    pub rates: Rates,
    /// Rates of such calls by service.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub services: Services,
}

/// What a provider bills beside tokens, in USD for each; what is not named costs nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pieces {
    /// A search of the web.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub web_search: Option<NanoUsd>,
    /// A search of files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_search: Option<NanoUsd>,
    /// A container of code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_run: Option<NanoUsd>,
}

impl Tier {
    /// Whether a call of so much input has reached it.
    #[must_use]
    pub const fn begins_below(&self, input: u64) -> bool {
        self.above_input_tokens < input
    }
}

impl Rates {
    /// The rate that is named for a component; none for what is no token.
    #[must_use]
    pub const fn get(&self, component: Component) -> Option<Rate> {
        match component {
            Component::Input => self.input,
            Component::CacheRead => self.cache_read,
            Component::CacheReadAudio => self.cache_read_audio,
            Component::CacheReadImage => self.cache_read_image,
            Component::CacheWrite5m => self.cache_write_5m,
            Component::CacheWrite1h => self.cache_write_1h,
            Component::Output => self.output,
            Component::Reasoning => self.reasoning,
            Component::InputAudio => self.input_audio,
            Component::OutputAudio => self.output_audio,
            Component::InputImage => self.input_image,
            Component::OutputImage => self.output_image,
            Component::WebSearch
            | Component::FileSearch
            | Component::CodeRun
            | Component::PerCall => None,
        }
    }

    /// Names the rate of a component; of what is no token, nothing.
    pub const fn set(&mut self, component: Component, rate: Option<Rate>) {
        match component {
            Component::Input => self.input = rate,
            Component::CacheRead => self.cache_read = rate,
            Component::CacheReadAudio => self.cache_read_audio = rate,
            Component::CacheReadImage => self.cache_read_image = rate,
            Component::CacheWrite5m => self.cache_write_5m = rate,
            Component::CacheWrite1h => self.cache_write_1h = rate,
            Component::Output => self.output = rate,
            Component::Reasoning => self.reasoning = rate,
            Component::InputAudio => self.input_audio = rate,
            Component::OutputAudio => self.output_audio = rate,
            Component::InputImage => self.input_image = rate,
            Component::OutputImage => self.output_image = rate,
            Component::WebSearch
            | Component::FileSearch
            | Component::CodeRun
            | Component::PerCall => {}
        }
    }

    /// Whether no rate is named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// These rates, and `base` where these say nothing.
    pub(super) fn or(mut self, base: &Self) -> Self {
        for component in Component::TOKENS {
            let rate = self.get(component).or(base.get(component));
            self.set(component, rate);
        }
        self
    }

    /// The rate that a component is billed at: its own, or that of what it falls back to.
    pub(super) fn resolve(&self, component: Component) -> Rate {
        match (self.get(component), component.fallback()) {
            (Some(rate), _) => rate,
            (None, Some(fallback)) => self.resolve(fallback),
            (None, None) => Rate::default(),
        }
    }

    /// How many tokens of a component are billed: reasoning apart from output only where it is priced.
    pub(super) fn quantity(&self, usage: &Usage, component: Component) -> u64 {
        let reasoning = self
            .reasoning
            .map_or(0, |_| usage.reasoning.min(usage.output));
        match component {
            Component::Input => usage.input,
            Component::CacheRead => usage.cache_read,
            Component::CacheReadAudio => usage.cache_read_audio,
            Component::CacheReadImage => usage.cache_read_image,
            Component::CacheWrite5m => usage.cache_write_5m,
            Component::CacheWrite1h => usage.cache_write_1h,
            Component::Output => usage.output - reasoning,
            Component::Reasoning => reasoning,
            Component::InputAudio => usage.input_audio,
            Component::OutputAudio => usage.output_audio,
            Component::InputImage => usage.input_image,
            Component::OutputImage => usage.output_image,
            Component::WebSearch
            | Component::FileSearch
            | Component::CodeRun
            | Component::PerCall => 0,
        }
    }

    /// The dearest rate of the input's components, and of the output's.
    pub(super) fn dearest(&self) -> (Rate, Rate) {
        let dearest = |output: bool| {
            let side = Component::TOKENS
                .into_iter()
                .filter(|component| component.is_output() == output);
            side.map(|component| self.resolve(component)).max()
        };
        (
            dearest(false).unwrap_or_default(),
            dearest(true).unwrap_or_default(),
        )
    }
}

impl Pieces {
    /// What one costs; none where no price is named, and for tokens.
    #[must_use]
    pub const fn get(&self, component: Component) -> Option<NanoUsd> {
        match component {
            Component::WebSearch => self.web_search,
            Component::FileSearch => self.file_search,
            Component::CodeRun => self.code_run,
            _ => None,
        }
    }

    /// Names what one costs; of tokens, nothing.
    pub const fn set(&mut self, component: Component, amount: Option<NanoUsd>) {
        match component {
            Component::WebSearch => self.web_search = amount,
            Component::FileSearch => self.file_search = amount,
            Component::CodeRun => self.code_run = amount,
            _ => {}
        }
    }

    /// How many were used.
    pub(super) const fn quantity(usage: &Usage, component: Component) -> u64 {
        match component {
            Component::WebSearch => usage.web_searches,
            Component::FileSearch => usage.file_searches,
            Component::CodeRun => usage.code_runs,
            _ => 0,
        }
    }
}
