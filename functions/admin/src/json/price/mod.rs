//! What a model costs, in decimal strings: how it is shown. How it is set is in `body`.

pub(crate) mod body;

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Serialize;
use shared::domain::money::{NanoUsd, Rate};
use shared::domain::price::{Origin, Price, Rates, Services, Tier};
use utoipa::ToSchema;

/// A price: USD per million tokens, by the piece, or per call. What is null falls back to another
/// component: `cache_read`, `cache_write_5m`, `input_audio` and `input_image` to `input`;
/// `cache_read_audio` and `cache_read_image` to `cache_read`; `cache_write_1h` to `cache_write_5m`;
/// `reasoning`, `output_audio` and `output_image` to `output`.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Price)]
pub(crate) struct PriceJson {
    /// The model, or a pattern of models.
    #[schema(example = "gpt-4o*")]
    pub(crate) model: String,
    #[serde(flatten)]
    figures: FiguresJson,
    /// Whether imports leave this price alone.
    locked: bool,
    /// Where the figures come from.
    source: Option<String>,
    /// When they were looked up there.
    #[schema(value_type = Option<String>, format = Date)]
    date: Option<Date>,
    /// `book`: built in. `set`: by an administrator. `import`: from a price map.
    #[schema(value_type = String)]
    origin: Origin,
}

/// What something costs.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Figures)]
pub(crate) struct FiguresJson {
    #[serde(flatten)]
    rates: RatesJson,
    /// A search of the web that the provider makes, in USD.
    web_search: Option<String>,
    /// A search of files, in USD.
    file_search: Option<String>,
    /// A container of code, in USD.
    code_run: Option<String>,
    /// A fixed amount for each call, beside the tokens.
    per_call: Option<String>,
    /// Other rates for long contexts.
    tiers: Vec<TierJson>,
    /// Other rates by service: `batch`, `flex`, `priority`, `fast`. What is null is as usual.
    services: BTreeMap<String, RatesJson>,
    /// The most input that the model takes, in tokens.
    max_input: Option<u64>,
    /// The most output that the model gives, in tokens.
    max_output: Option<u64>,
}

#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Rates)]
struct RatesJson {
    #[schema(example = "2.5")]
    input: Option<String>,
    #[schema(example = "10")]
    output: Option<String>,
    cache_read: Option<String>,
    cache_read_audio: Option<String>,
    cache_read_image: Option<String>,
    cache_write_5m: Option<String>,
    cache_write_1h: Option<String>,
    reasoning: Option<String>,
    input_audio: Option<String>,
    output_audio: Option<String>,
    input_image: Option<String>,
    output_image: Option<String>,
}

/// Rates of calls whose whole input is longer than a threshold; what is null is as in the price itself.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Tier)]
struct TierJson {
    above_input_tokens: u64,
    #[serde(flatten)]
    rates: RatesJson,
    /// Rates of such calls by service. What is null is as in the tier, or else as in the price.
    services: BTreeMap<String, RatesJson>,
}

impl From<&Price> for PriceJson {
    fn from(price: &Price) -> Self {
        Self {
            model: price.model.clone(),
            figures: price.into(),
            locked: price.locked,
            source: price.source.clone(),
            date: price.date,
            origin: price.origin,
        }
    }
}

impl From<&Price> for FiguresJson {
    fn from(price: &Price) -> Self {
        let amount = |amount: Option<NanoUsd>| amount.map(|amount| amount.to_string());
        Self {
            rates: price.rates.into(),
            web_search: amount(price.pieces.web_search),
            file_search: amount(price.pieces.file_search),
            code_run: amount(price.pieces.code_run),
            per_call: amount(price.per_call),
            tiers: price.tiers.iter().map(TierJson::from).collect(),
            services: by_service(&price.services),
            max_input: price.max_input,
            max_output: price.max_output,
        }
    }
}

impl From<&Tier> for TierJson {
    fn from(tier: &Tier) -> Self {
        Self {
            above_input_tokens: tier.above_input_tokens,
            rates: tier.rates.into(),
            services: by_service(&tier.services),
        }
    }
}

impl From<Rates> for RatesJson {
    fn from(rates: Rates) -> Self {
        let text = |rate: Option<Rate>| rate.map(|rate| rate.to_string());
        Self {
            input: text(rates.input),
            output: text(rates.output),
            cache_read: text(rates.cache_read),
            cache_read_audio: text(rates.cache_read_audio),
            cache_read_image: text(rates.cache_read_image),
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

fn by_service(services: &Services) -> BTreeMap<String, RatesJson> {
    let named = services.iter();
    named
        .map(|(service, rates)| (service.name().to_owned(), (*rates).into()))
        .collect()
}
