//! What an operator may change while Tollhouse runs.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::money::NanoUsd;
use super::price::Price;

/// The settings, with the defaults of a new installation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// After how many milliseconds of silence a keep-alive is sent, and again; 0 for never.
    pub keepalive_ms: u64,
    /// What happens to a call of a model without a price.
    pub unpriced_models: UnpricedModels,
    /// What models without a price cost, where they are not refused. Its `model` is `*`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_price: Option<Arc<Price>>,
    /// What becomes of the hold of a call that was lost.
    pub unsettled_policy: UnsettledPolicy,
    /// The output limit that a hold assumes when the caller gives none, in tokens.
    pub default_max_output_tokens: u64,
    /// How long usage records are kept, in days; 0 for ever.
    pub usage_retention_days: u32,

    /// Below this balance a user is told that it is low; nothing for never.
    pub low_balance: NanoUsd,
    /// What a new member finds in the wallet.
    pub signup_gift: NanoUsd,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            keepalive_ms: 10_000,
            unpriced_models: UnpricedModels::Refuse,
            default_price: None,
            unsettled_policy: UnsettledPolicy::Release,
            default_max_output_tokens: 8_192,
            usage_retention_days: 90,

            low_balance: NanoUsd::new(1_000_000_000),
            signup_gift: NanoUsd::ZERO,
        }
    }
}

impl Settings {
    /// What a model without a price costs; `None` where its calls are refused.
    #[must_use]
    pub const fn stated_price(&self) -> Option<&Arc<Price>> {
        match self.unpriced_models {
            UnpricedModels::Refuse => None,
            UnpricedModels::DefaultPrice => self.default_price.as_ref(),
        }
    }
}

/// What happens to a call of a model without a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnpricedModels {
    /// It is refused.
    Refuse,
    /// It is carried at the setting `default_price`; without one it is refused.
    DefaultPrice,
}

/// What becomes of the hold of a call that was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnsettledPolicy {
    /// The money goes back to the wallet.
    Release,
    /// The call is charged what was set aside.
    Charge,
}
