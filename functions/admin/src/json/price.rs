//! What a model costs, in decimal strings.

use serde::Serialize;
use shared::domain::price::{Price, Rates, Tier};
use utoipa::ToSchema;

/// A price: USD per million tokens, or per call. What is null falls back to `input` or `output`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Price)]
pub(crate) struct PriceJson {
    /// The model, or a pattern of models.
    #[schema(example = "gpt-4o*")]
    model: String,
    #[serde(flatten)]
    rates: RatesJson,
    /// A fixed amount for each call, beside the tokens.
    per_call: Option<String>,
    /// Other rates for long contexts.
    tiers: Vec<TierJson>,
    /// Whether imports leave this price alone.
    locked: bool,
    /// Where the figures come from.
    source: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Rates)]
struct RatesJson {
    #[schema(example = "2.5")]
    input: Option<String>,
    #[schema(example = "10")]
    output: Option<String>,
    cache_read: Option<String>,
    cache_write_5m: Option<String>,
    cache_write_1h: Option<String>,
    reasoning: Option<String>,
    input_audio: Option<String>,
    output_audio: Option<String>,
    input_image: Option<String>,
    output_image: Option<String>,
}

/// Rates of calls whose input is longer than a threshold; what is null is as in the price itself.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Tier)]
struct TierJson {
    above_input_tokens: u64,
    #[serde(flatten)]
    rates: RatesJson,
}

impl From<&Price> for PriceJson {
    fn from(price: &Price) -> Self {
        Self {
            model: price.model.clone(),
            rates: price.rates.into(),
            per_call: price.per_call.map(|amount| amount.to_string()),
            tiers: price.tiers.iter().map(TierJson::from).collect(),
            locked: price.locked,
            source: price.source.clone(),
        }
    }
}

impl From<&Tier> for TierJson {
    fn from(tier: &Tier) -> Self {
        Self {
            above_input_tokens: tier.above_input_tokens,
            rates: tier.rates.into(),
        }
    }
}

impl From<Rates> for RatesJson {
    fn from(rates: Rates) -> Self {
        let text = |rate: Option<shared::domain::money::Rate>| rate.map(|rate| rate.to_string());
        Self {
            input: text(rates.input),
            output: text(rates.output),
            cache_read: text(rates.cache_read),
            cache_write_5m: text(rates.cache_write_5m),
            cache_write_1h: text(rates.cache_write_1h),
            reasoning: text(rates.reasoning),
            input_audio: text(rates.input_audio),
            output_audio: text(rates.output_audio),
            input_image: text(rates.input_image),
            output_image: text(rates.output_image),
        }
    }
}
