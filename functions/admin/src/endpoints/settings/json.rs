//! Settings, as the outside sees and changes them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use shared::domain::credit;
use shared::domain::money::NanoUsd;
use shared::domain::price::Price;
use shared::domain::settings::{Settings, UnpricedModels, UnsettledPolicy};
use shared::failure::Failure;
use utoipa::ToSchema;

use crate::body::present;
use crate::json::decimal::Decimal;
use crate::json::price::FiguresJson;
use crate::json::price::body::PriceBody;

const LONGEST_KEEPALIVE_MS: u64 = 60_000;
const MOST_OUTPUT_TOKENS: u64 = 10_000_000;
const LONGEST_RETENTION_DAYS: u32 = 3_650;

/// The settings.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Settings)]
pub(crate) struct SettingsJson {
    /// After how many milliseconds of silence a keep-alive is sent, and again; 0 for never.
    keepalive_ms: u64,
    /// What happens to a call of a model without a price: `refuse` or `default_price`.
    #[schema(value_type = String)]
    unpriced_models: UnpricedModels,
    /// What models without a price cost, where they are not refused.
    default_price: Option<FiguresJson>,
    /// What becomes of the hold of a call that was lost: `release` or `charge`.
    #[schema(value_type = String)]
    unsettled_policy: UnsettledPolicy,
    /// The output limit that a hold assumes when the caller gives none, in tokens.
    default_max_output_tokens: u64,
    /// How long usage records are kept, in days; 0 for ever.
    usage_retention_days: u32,

    /// Below this balance a user's `low_balance` is true; 0 for never.
    #[schema(example = "1")]
    low_balance_usd: String,
    /// What a new member finds in the wallet.
    #[schema(example = "0")]
    signup_gift_usd: String,
}

impl From<Settings> for SettingsJson {
    fn from(settings: Settings) -> Self {
        Self {
            keepalive_ms: settings.keepalive_ms,
            unpriced_models: settings.unpriced_models,
            default_price: settings.default_price.as_deref().map(Into::into),
            unsettled_policy: settings.unsettled_policy,
            default_max_output_tokens: settings.default_max_output_tokens,
            usage_retention_days: settings.usage_retention_days,

            low_balance_usd: settings.low_balance.to_string(),
            signup_gift_usd: settings.signup_gift.to_string(),
        }
    }
}

/// What to change; what is left out stays.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SettingsChange)]
pub(crate) struct SettingsBody {
    /// 0 (never) to 60000.
    #[serde(default, deserialize_with = "present")]
    keepalive_ms: Option<u64>,
    /// `refuse` or `default_price`, which needs one.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    unpriced_models: Option<UnpricedModels>,
    /// What models without a price cost, whole; null for none.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<PriceBody>)]
    default_price: Option<Option<PriceBody>>,
    /// `release` or `charge`.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    unsettled_policy: Option<UnsettledPolicy>,
    /// 1 to 10000000.
    #[serde(default, deserialize_with = "present")]
    default_max_output_tokens: Option<u64>,
    /// 0 (for ever) to 3650.
    #[serde(default, deserialize_with = "present")]
    usage_retention_days: Option<u32>,

    /// A decimal string; 0 for never.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    low_balance_usd: Option<Decimal<NanoUsd>>,
    /// A decimal string; 0 for none.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    signup_gift_usd: Option<Decimal<NanoUsd>>,
}

impl SettingsBody {
    /// The settings, changed by this.
    pub(crate) fn apply(&self, now: &Settings) -> Result<Settings, Failure> {
        let settings = Settings {
            keepalive_ms: self.keepalive_ms.unwrap_or(now.keepalive_ms),
            unpriced_models: self.unpriced_models.unwrap_or(now.unpriced_models),
            default_price: match &self.default_price {
                Some(given) => given.as_ref().map(read_default_price).transpose()?,
                None => now.default_price.clone(),
            },
            unsettled_policy: self.unsettled_policy.unwrap_or(now.unsettled_policy),
            default_max_output_tokens: self
                .default_max_output_tokens
                .unwrap_or(now.default_max_output_tokens),
            usage_retention_days: self
                .usage_retention_days
                .unwrap_or(now.usage_retention_days),

            low_balance: amount("low_balance_usd", self.low_balance_usd, now.low_balance)?,
            signup_gift: amount("signup_gift_usd", self.signup_gift_usd, now.signup_gift)?,
        };
        if settings.keepalive_ms > LONGEST_KEEPALIVE_MS {
            let text = format!("0 (never) to {LONGEST_KEEPALIVE_MS} is expected.");
            return Err(Failure::bad_field("keepalive_ms", text));
        }
        if !(1..=MOST_OUTPUT_TOKENS).contains(&settings.default_max_output_tokens) {
            let text = format!("1 to {MOST_OUTPUT_TOKENS} is expected.");
            return Err(Failure::bad_field("default_max_output_tokens", text));
        }
        if settings.usage_retention_days > LONGEST_RETENTION_DAYS {
            let text = format!("0 (for ever) to {LONGEST_RETENTION_DAYS} is expected.");
            return Err(Failure::bad_field("usage_retention_days", text));
        }
        let needs_price = settings.unpriced_models == UnpricedModels::DefaultPrice;
        if needs_price && settings.default_price.is_none() {
            let text = "Say what models without a price cost.";
            return Err(Failure::bad_field("default_price", text));
        }
        Ok(settings)
    }
}

/// The price of every model that has none.
fn read_default_price(body: &PriceBody) -> Result<Arc<Price>, Failure> {
    let mut price = Price {
        model: "*".to_owned(),
        ..Price::default()
    };
    if body
        .model
        .as_ref()
        .is_some_and(|model| *model != price.model)
    {
        let text = "The default price is that of every model which has none.";
        return Err(Failure::bad_field("default_price.model", text));
    }
    let read = body.apply(&mut price);
    read.map_err(|failure| failure.within("default_price"))?;
    Ok(price.into())
}

/// An amount that a wallet can hold, or nothing.
fn amount(
    name: &'static str,
    given: Option<Decimal<NanoUsd>>,
    now: NanoUsd,
) -> Result<NanoUsd, Failure> {
    let amount = given.map_or(now, |Decimal(amount)| amount);
    if (NanoUsd::ZERO..=credit::MOST).contains(&amount) {
        return Ok(amount);
    }
    let text = format!("0 to {} is expected.", credit::MOST);
    Err(Failure::bad_field(name, text))
}
