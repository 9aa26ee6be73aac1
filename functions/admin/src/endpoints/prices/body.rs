//! Prices, as the outside sets them. How they are shown is in `crate::json::price`.

use serde::Deserialize;
use shared::domain::money::{NanoUsd, Rate};
use shared::domain::price::{Price, Rates, Tier};
use shared::failure::Failure;
use utoipa::ToSchema;

use crate::body::present;
use crate::json::decimal::Decimal;

type Given = Option<Option<Decimal<Rate>>>;

/// A price to set, in USD per million tokens or per call, or what to change of one. What is null falls
/// back to `input` or `output`. It needs `input` and `output`, or `per_call`.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PriceChange)]
pub(crate) struct PriceBody {
    /// The model, or a pattern of models such as `gpt-4o*`.
    #[serde(default, deserialize_with = "present")]
    pub(crate) model: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, example = "2.5")]
    input: Given,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, example = "10")]
    output: Given,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    cache_read: Given,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    cache_write_5m: Given,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    cache_write_1h: Given,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    reasoning: Given,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    input_audio: Given,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    output_audio: Given,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    input_image: Given,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    output_image: Given,
    /// A fixed amount for each call, beside the tokens.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    per_call: Option<Option<Decimal<NanoUsd>>>,
    /// Other rates for long contexts.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Vec<TierBody>>)]
    tiers: Option<Option<Vec<TierBody>>>,
    /// Whether imports leave this price alone.
    #[serde(default, deserialize_with = "present")]
    locked: Option<bool>,
    /// Where the figures come from.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    source: Option<Option<String>>,
}

/// Rates of calls whose input is longer than a threshold; what is null is as in the price itself.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TierChange)]
pub(crate) struct TierBody {
    /// The tier counts from one token more than this.
    above_input_tokens: u64,
    #[schema(value_type = Option<String>)]
    input: Option<Decimal<Rate>>,
    #[schema(value_type = Option<String>)]
    output: Option<Decimal<Rate>>,
    #[schema(value_type = Option<String>)]
    cache_read: Option<Decimal<Rate>>,
    #[schema(value_type = Option<String>)]
    cache_write_5m: Option<Decimal<Rate>>,
    #[schema(value_type = Option<String>)]
    cache_write_1h: Option<Decimal<Rate>>,
    #[schema(value_type = Option<String>)]
    reasoning: Option<Decimal<Rate>>,
    #[schema(value_type = Option<String>)]
    input_audio: Option<Decimal<Rate>>,
    #[schema(value_type = Option<String>)]
    output_audio: Option<Decimal<Rate>>,
    #[schema(value_type = Option<String>)]
    input_image: Option<Decimal<Rate>>,
    #[schema(value_type = Option<String>)]
    output_image: Option<Decimal<Rate>>,
}

impl PriceBody {
    /// The price, changed by this.
    pub(crate) fn apply(self, price: &mut Price) -> Result<(), Failure> {
        price.rates = self.rates(&price.rates);
        if let Some(per_call) = self.per_call {
            price.per_call = per_call.map(|Decimal(amount)| amount);
        }
        if let Some(tiers) = self.tiers {
            price.tiers = read_tiers(&tiers.unwrap_or_default())?;
        }
        price.locked = self.locked.unwrap_or(price.locked);
        if let Some(source) = self.source {
            price.source = source;
        }
        check(price)
    }

    fn rates(&self, now: &Rates) -> Rates {
        let rate = |given: Given, now| given.map_or(now, |given| given.map(|Decimal(rate)| rate));
        Rates {
            input: rate(self.input, now.input),
            output: rate(self.output, now.output),
            cache_read: rate(self.cache_read, now.cache_read),
            cache_write_5m: rate(self.cache_write_5m, now.cache_write_5m),
            cache_write_1h: rate(self.cache_write_1h, now.cache_write_1h),
            reasoning: rate(self.reasoning, now.reasoning),
            input_audio: rate(self.input_audio, now.input_audio),
            output_audio: rate(self.output_audio, now.output_audio),
            input_image: rate(self.input_image, now.input_image),
            output_image: rate(self.output_image, now.output_image),
        }
    }
}

impl TierBody {
    fn read(&self) -> Tier {
        let rate = |given: Option<Decimal<Rate>>| given.map(|Decimal(rate)| rate);
        Tier {
            above_input_tokens: self.above_input_tokens,
            rates: Rates {
                input: rate(self.input),
                output: rate(self.output),
                cache_read: rate(self.cache_read),
                cache_write_5m: rate(self.cache_write_5m),
                cache_write_1h: rate(self.cache_write_1h),
                reasoning: rate(self.reasoning),
                input_audio: rate(self.input_audio),
                output_audio: rate(self.output_audio),
                input_image: rate(self.input_image),
                output_image: rate(self.output_image),
            },
            ..Tier::default()
        }
    }
}

fn read_tiers(tiers: &[TierBody]) -> Result<Vec<Tier>, Failure> {
    let mut tiers: Vec<Tier> = tiers.iter().map(TierBody::read).collect();
    tiers.sort_by_key(|tier| tier.above_input_tokens);
    let count = tiers.len();
    tiers.dedup_by_key(|tier| tier.above_input_tokens);
    if tiers.len() < count {
        let text = "Two tiers begin at the same number of tokens.";
        return Err(Failure::bad_field("tiers", text));
    }
    Ok(tiers)
}

fn check(price: &Price) -> Result<(), Failure> {
    if price.model.trim().is_empty() || price.model.len() > 256 {
        let text = "A price names a model, or a pattern of models, of at most 256 characters.";
        return Err(Failure::bad_field("model", text));
    }
    if price.per_call.is_some_and(|amount| amount < NanoUsd::ZERO) {
        return Err(Failure::bad_field("per_call", "A price is not negative."));
    }
    if !price.is_complete() {
        let field = if price.rates.input.is_none() {
            "input"
        } else {
            "output"
        };
        let text = "A price needs input and output, or per_call. What is free costs \"0\".";
        return Err(Failure::bad_field(field, text));
    }
    Ok(())
}
