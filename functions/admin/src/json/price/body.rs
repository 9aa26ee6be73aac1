//! Prices, as the outside sets them.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Deserialize;
use serde::de::IgnoredAny;
use shared::domain::money::{NanoUsd, Rate};
use shared::domain::price::{Origin, Price, Rates, Services, Tier};
use shared::domain::usage::Service;
use shared::failure::Failure;
use utoipa::ToSchema;

use crate::body::present;
use crate::json::decimal::Decimal;

type Given<T> = Option<Option<Decimal<T>>>;

const LONGEST_NAME: usize = 256;
const LONGEST_SOURCE: usize = 512;
const MOST_TIERS: usize = 16;
const MOST_TOKENS: u64 = 100_000_000;

/// A body in which each component of tokens may have a rate, beside what else it has.
macro_rules! with_rates {
    ($(#[$about:meta])* $name:ident { $($rest:tt)* }) => {
        #[derive(Debug, Clone, Default, Deserialize, ToSchema)]
        $(#[$about])*
        #[serde(deny_unknown_fields)]
        pub(crate) struct $name {
            #[serde(default, deserialize_with = "present")]
            #[schema(value_type = Option<String>, example = "2.5")]
            input: Given<Rate>,
            #[serde(default, deserialize_with = "present")]
            #[schema(value_type = Option<String>, example = "10")]
            output: Given<Rate>,
            #[serde(default, deserialize_with = "present")]
            #[schema(value_type = Option<String>)]
            cache_read: Given<Rate>,
            #[serde(default, deserialize_with = "present")]
            #[schema(value_type = Option<String>)]
            cache_read_audio: Given<Rate>,
            #[serde(default, deserialize_with = "present")]
            #[schema(value_type = Option<String>)]
            cache_read_image: Given<Rate>,
            #[serde(default, deserialize_with = "present")]
            #[schema(value_type = Option<String>)]
            cache_write_5m: Given<Rate>,
            #[serde(default, deserialize_with = "present")]
            #[schema(value_type = Option<String>)]
            cache_write_1h: Given<Rate>,
            #[serde(default, deserialize_with = "present")]
            #[schema(value_type = Option<String>)]
            reasoning: Given<Rate>,
            #[serde(default, deserialize_with = "present")]
            #[schema(value_type = Option<String>)]
            input_audio: Given<Rate>,
            #[serde(default, deserialize_with = "present")]
            #[schema(value_type = Option<String>)]
            output_audio: Given<Rate>,
            #[serde(default, deserialize_with = "present")]
            #[schema(value_type = Option<String>)]
            input_image: Given<Rate>,
            #[serde(default, deserialize_with = "present")]
            #[schema(value_type = Option<String>)]
            output_image: Given<Rate>,
            $($rest)*
        }

        impl $name {
            /// The rates, changed by this.
            fn rates(&self, now: &Rates) -> Rates {
                let rate = |given: Given<Rate>, now| given.map_or(now, |given| given.map(|Decimal(rate)| rate));
                Rates {
                    input: rate(self.input, now.input),
                    output: rate(self.output, now.output),
                    cache_read: rate(self.cache_read, now.cache_read),
                    cache_read_audio: rate(self.cache_read_audio, now.cache_read_audio),
                    cache_read_image: rate(self.cache_read_image, now.cache_read_image),
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
    };
}

with_rates! {
    /// A price to set, in USD per million tokens, by the piece or per call, or what to change of one. What
    /// is null falls back to another component. It needs `input` and `output`, or `per_call`.
    #[schema(as = PriceChange)]
    PriceBody {
        /// The model, or a pattern of models such as `gpt-4o*`.
        #[serde(default, deserialize_with = "present")]
        pub(crate) model: Option<String>,
        /// A search of the web that the provider makes, in USD.
        #[serde(default, deserialize_with = "present")]
        #[schema(value_type = Option<String>)]
        web_search: Given<NanoUsd>,
        /// A search of files, in USD.
        #[serde(default, deserialize_with = "present")]
        #[schema(value_type = Option<String>)]
        file_search: Given<NanoUsd>,
        /// A container of code, in USD.
        #[serde(default, deserialize_with = "present")]
        #[schema(value_type = Option<String>)]
        code_run: Given<NanoUsd>,
        /// A fixed amount for each call, beside the tokens.
        #[serde(default, deserialize_with = "present")]
        #[schema(value_type = Option<String>)]
        per_call: Given<NanoUsd>,
        /// Other rates for long contexts, all of them.
        #[serde(default, deserialize_with = "present")]
        #[schema(value_type = Option<Vec<TierBody>>)]
        tiers: Option<Option<Vec<TierBody>>>,
        /// Other rates by service, all of them: `batch`, `flex`, `priority`, `fast`.
        #[serde(default, deserialize_with = "present")]
        #[schema(value_type = Option<BTreeMap<String, RatesBody>>)]
        services: Option<Option<BTreeMap<Service, RatesBody>>>,
        /// The most input that the model takes, in tokens.
        #[serde(default, deserialize_with = "present")]
        #[schema(value_type = Option<u64>)]
        max_input: Option<Option<u64>>,
        /// The most output that the model gives, in tokens.
        #[serde(default, deserialize_with = "present")]
        #[schema(value_type = Option<u64>)]
        max_output: Option<Option<u64>>,
        /// Whether imports leave this price alone.
        #[serde(default, deserialize_with = "present")]
        locked: Option<bool>,
        /// Where the figures come from.
        #[serde(default, deserialize_with = "present")]
        #[schema(value_type = Option<String>)]
        source: Option<Option<String>>,
        /// When they were looked up there.
        #[serde(default, deserialize_with = "present")]
        #[schema(value_type = Option<String>, format = Date)]
        date: Option<Option<Date>>,
        /// Taken, so that a price can be sent back as it was shown, and ignored.
        #[serde(default, rename = "origin")]
        #[schema(value_type = Option<String>)]
        _origin: Option<IgnoredAny>,
    }
}

with_rates! {
    /// Rates that differ; what is null is as usual.
    #[schema(as = RatesChange)]
    RatesBody {}
}

with_rates! {
    /// Rates of calls whose whole input is longer than a threshold; what is null is as in the price itself.
    #[schema(as = TierChange)]
    TierBody {
        /// The tier counts from one token more than this.
        above_input_tokens: u64,
        /// Rates of such calls by service.
        #[serde(default)]
        #[schema(value_type = BTreeMap<String, RatesBody>)]
        services: BTreeMap<Service, RatesBody>,
    }
}

impl PriceBody {
    /// The price, changed by this. From now on it is one that was set.
    pub(crate) fn apply(&self, price: &mut Price) -> Result<(), Failure> {
        price.rates = self.rates(&price.rates);
        let amount = |given: Given<NanoUsd>, now: Option<NanoUsd>| {
            given.map_or(now, |given| given.map(|Decimal(amount)| amount))
        };
        price.pieces.web_search = amount(self.web_search, price.pieces.web_search);
        price.pieces.file_search = amount(self.file_search, price.pieces.file_search);
        price.pieces.code_run = amount(self.code_run, price.pieces.code_run);
        price.per_call = amount(self.per_call, price.per_call);
        if let Some(tiers) = &self.tiers {
            price.tiers = read_tiers(tiers.as_deref().unwrap_or_default())?;
        }
        if let Some(services) = &self.services {
            let given = services.as_ref();
            price.services = given.map_or(Ok(Services::new()), read_services)?;
        }
        price.max_input = self.max_input.unwrap_or(price.max_input);
        price.max_output = self.max_output.unwrap_or(price.max_output);
        price.locked = self.locked.unwrap_or(price.locked);
        if price.origin == Origin::Book {
            // What somebody changes is no longer what the book says.
            (price.source, price.date) = (None, None);
        }
        price.source = self.source.clone().unwrap_or(price.source.take());
        price.date = self.date.unwrap_or(price.date);
        price.origin = Origin::Set;
        check(price)
    }
}

fn read_tiers(bodies: &[TierBody]) -> Result<Vec<Tier>, Failure> {
    if bodies.len() > MOST_TIERS {
        let text = format!("A price has at most {MOST_TIERS} tiers.");
        return Err(Failure::bad_field("tiers", text));
    }
    let mut tiers = Vec::with_capacity(bodies.len());
    for body in bodies {
        tiers.push(Tier {
            above_input_tokens: body.above_input_tokens,
            rates: body.rates(&Rates::default()),
            services: read_services(&body.services)?,
        });
    }
    tiers.sort_by_key(|tier| tier.above_input_tokens);
    let count = tiers.len();
    tiers.dedup_by_key(|tier| tier.above_input_tokens);
    if tiers.len() < count {
        let text = "Two tiers begin at the same number of tokens.";
        return Err(Failure::bad_field("tiers", text));
    }
    Ok(tiers)
}

fn read_services(bodies: &BTreeMap<Service, RatesBody>) -> Result<Services, Failure> {
    if bodies.contains_key(&Service::Standard) {
        let text = "The standard service costs what the price itself says.";
        return Err(Failure::bad_field("services", text));
    }
    let rates = |(service, body): (&Service, &RatesBody)| (*service, body.rates(&Rates::default()));
    Ok(bodies.iter().map(rates).collect())
}

fn check(price: &Price) -> Result<(), Failure> {
    let name = &price.model;
    if name.trim().is_empty() || name.trim() != name || name.len() > LONGEST_NAME {
        let text = format!(
            "A price names a model, or a pattern of models, of at most {LONGEST_NAME} characters."
        );
        return Err(Failure::bad_field("model", text));
    }
    let pieces = &price.pieces;
    for (field, amount) in [
        ("per_call", price.per_call),
        ("web_search", pieces.web_search),
        ("file_search", pieces.file_search),
        ("code_run", pieces.code_run),
    ] {
        if amount.is_some_and(|amount| amount < NanoUsd::ZERO) {
            return Err(Failure::bad_field(field, "A price is not negative."));
        }
    }
    for (field, most) in [
        ("max_input", price.max_input),
        ("max_output", price.max_output),
    ] {
        if most.is_some_and(|most| !(1..=MOST_TOKENS).contains(&most)) {
            let text = format!("1 to {MOST_TOKENS} is expected.");
            return Err(Failure::bad_field(field, text));
        }
    }
    let source = price.source.as_deref().unwrap_or_default();
    if source.len() > LONGEST_SOURCE {
        let text = format!("A source has at most {LONGEST_SOURCE} characters.");
        return Err(Failure::bad_field("source", text));
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
