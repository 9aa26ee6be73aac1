//! Channels, as the outside changes them.

use std::collections::BTreeMap;

use serde::Deserialize;
use shared::domain::channel::Channel;
use shared::domain::dialect::Dialect;
use shared::domain::group::Group;
use shared::domain::money::Ratio;
use shared::domain::price::Price;
use shared::domain::provider::{self, Provider};
use shared::failure::Failure;
use utoipa::ToSchema;

use super::base_url;
use super::credential::Credential;
use super::timeouts::TimeoutsBody;
use crate::body::present;
use crate::json::decimal::Decimal;
use crate::json::limits::LimitsBody;
use crate::json::price::body::PriceBody;

/// A channel to make, or what to change of one: what is left out stays. A new channel needs a `name`, a
/// `provider`, and the credential and the base URL that the provider's card asks for.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChannelChange)]
pub(crate) struct ChannelBody {
    #[serde(default, deserialize_with = "present")]
    pub(super) name: Option<String>,
    /// The name of a provider's card. With another one, the credential is to be given anew.
    #[serde(default, deserialize_with = "present")]
    pub(super) provider: Option<String>,
    /// Another base URL than the card's; null for the card's.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub(super) base_url: Option<Option<String>>,
    /// A string, or an object of the fields that the provider's card names; null for none.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = serde_json::Value, example = "sk-…", required = false)]
    pub(super) credential: Option<Option<Credential>>,
    /// Patterns of the models that it carries; `["*"]` unless given.
    #[serde(default, deserialize_with = "present")]
    pub(super) models: Option<Vec<String>>,
    /// The caller's name of a model → the upstream's.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    pub(super) model_mapping: Option<Option<BTreeMap<String, String>>>,
    /// The dialects to use, when not all that the card lists.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Vec<String>>)]
    pub(super) dialects: Option<Option<Vec<Dialect>>>,
    /// The groups whose users reach it; `["default"]` unless given.
    #[serde(default, deserialize_with = "present")]
    pub(super) groups: Option<Vec<String>>,
    /// Channels of higher priority are tried first; 0 unless given.
    #[serde(default, deserialize_with = "present")]
    pub(super) priority: Option<i32>,
    /// Among channels of one priority: how much of the traffic, in proportion; 1 unless given.
    #[serde(default, deserialize_with = "present")]
    pub(super) weight: Option<u32>,
    /// True unless given.
    #[serde(default, deserialize_with = "present")]
    pub(super) enabled: Option<bool>,
    /// A word to find it by.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub(super) tag: Option<Option<String>>,
    /// How long to wait for it; null for the usual times.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<TimeoutsBody>)]
    pub(super) timeouts: Option<Option<TimeoutsBody>>,
    /// How often and how much it may be called; null for no limits.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<LimitsBody>)]
    pub(super) limits: Option<Option<LimitsBody>>,
    /// Whether answers carry the caller's name of the model instead of the upstream's.
    #[serde(default, deserialize_with = "present")]
    pub(super) rename_model: Option<bool>,
    /// What part of the price the operator pays its provider: `0.8` with a discount of a fifth; null for
    /// unknown.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, example = "0.8")]
    pub(super) cost_ratio: Option<Option<Decimal<Ratio>>>,
    /// What the operator pays for models instead, by the upstream's names of them, or patterns: all of them.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Vec<PriceBody>>)]
    pub(super) cost_prices: Option<Option<Vec<PriceBody>>>,
}

/// The largest weight of a channel.
const HEAVIEST: u32 = 1_000_000;
/// Each relay keeps every channel in memory.
const MOST_COST_PRICES: usize = 100;

impl ChannelBody {
    /// The channel, changed by all of this but the credential. The groups are those that there are.
    pub(super) fn apply(self, channel: &mut Channel, groups: &[Group]) -> Result<(), Failure> {
        if let Some(name) = self.name {
            channel.name = short_text("name", &name)?;
        }
        if let Some(provider) = self.provider {
            channel.provider = provider;
        }
        if let Some(base_url) = self.base_url {
            let read = base_url.map(|text| {
                base_url::read(&text).map_err(|problem| Failure::bad_field("base_url", problem))
            });
            channel.base_url = read.transpose()?;
        }
        if let Some(dialects) = self.dialects {
            channel.dialects = dialects.unwrap_or_default();
        }
        if let Some(tag) = self.tag {
            channel.tag = tag.map(|tag| short_text("tag", &tag)).transpose()?;
        }
        if let Some(timeouts) = self.timeouts {
            let read = timeouts.map(|timeouts| timeouts.apply(channel.timeouts));
            channel.timeouts = read.transpose()?.unwrap_or_default();
        }
        if let Some(limits) = self.limits {
            let read = limits
                .map(|limits| limits.apply(channel.limits))
                .transpose()?;
            channel.limits = read.unwrap_or_default();
        }
        if let Some(names) = self.groups {
            channel.groups = read_groups(names, groups)?;
        }
        if let Some(enabled) = self.enabled {
            channel.enabled = enabled;
            // Whoever switches it by hand overrules what Tollhouse found.
            channel.disabled_reason = None;
        }
        channel.models = self.models.unwrap_or(std::mem::take(&mut channel.models));
        let mapping = self.model_mapping.map(Option::unwrap_or_default);
        channel.model_mapping = mapping.unwrap_or(std::mem::take(&mut channel.model_mapping));
        channel.priority = self.priority.unwrap_or(channel.priority);
        channel.weight = self.weight.unwrap_or(channel.weight);
        if let Some(ratio) = self.cost_ratio {
            channel.cost.ratio = ratio.map(|Decimal(ratio)| ratio);
        }
        if let Some(prices) = self.cost_prices {
            channel.cost.prices = read_cost_prices(&prices.unwrap_or_default())?;
        }
        channel.rename_model = self.rename_model.unwrap_or(channel.rename_model);
        check(channel)
    }
}

fn read_cost_prices(bodies: &[PriceBody]) -> Result<Vec<Price>, Failure> {
    if bodies.len() > MOST_COST_PRICES {
        let text = format!("A channel has at most {MOST_COST_PRICES} cost prices.");
        return Err(Failure::bad_field("cost_prices", text));
    }
    let mut prices: Vec<Price> = Vec::with_capacity(bodies.len());
    for (at, body) in bodies.iter().enumerate() {
        let mut price = Price {
            model: body.model.clone().unwrap_or_default(),
            ..Price::default()
        };
        body.apply(&mut price)
            .map_err(|failure| failure.within(&format!("cost_prices[{at}]")))?;
        if prices.iter().any(|other| other.model == price.model) {
            let text = format!("{} stands twice.", price.model);
            return Err(Failure::bad_field(format!("cost_prices[{at}].model"), text));
        }
        prices.push(price);
    }
    Ok(prices)
}

/// The card that a channel names.
pub(super) fn require_card(name: &str) -> Result<&'static Provider, Failure> {
    provider::find(name).ok_or_else(|| {
        let known: Vec<&str> = provider::PROVIDERS.iter().map(|card| card.name).collect();
        let text = format!(
            "There is no provider {name:?}. Known are: {}.",
            known.join(", ")
        );
        Failure::bad_field("provider", text)
    })
}

fn check(channel: &Channel) -> Result<(), Failure> {
    let card = require_card(&channel.provider)?;
    // A card without a base URL wants one, unless its upstream is part of this process.
    let is_inside = matches!(card.auth, provider::card::Auth::None);
    if channel.base_url().is_none() && !is_inside {
        let text = format!("{} needs a base URL.", card.label);
        return Err(Failure::bad_field("base_url", text));
    }
    if let Some(dialect) = channel
        .dialects
        .iter()
        .find(|dialect| !card.dialects().contains(dialect))
    {
        let text = format!("{} does not speak {dialect}.", card.label);
        return Err(Failure::bad_field("dialects", text));
    }
    let blank = |name: &String| name.trim().is_empty();
    if channel.models.iter().any(blank) {
        return Err(Failure::bad_field(
            "models",
            "A pattern of models is not empty.",
        ));
    }
    if channel.models.is_empty() && channel.model_mapping.is_empty() {
        let text = "A channel carries at least one model; [\"*\"] is all of them.";
        return Err(Failure::bad_field("models", text));
    }
    if channel
        .model_mapping
        .iter()
        .any(|(alias, upstream)| blank(alias) || blank(upstream))
    {
        return Err(Failure::bad_field(
            "model_mapping",
            "Neither name of a model is empty.",
        ));
    }
    if channel.weight > HEAVIEST {
        let text = format!("A weight is at most {HEAVIEST}.");
        return Err(Failure::bad_field("weight", text));
    }
    Ok(())
}

fn read_groups(names: Vec<String>, groups: &[Group]) -> Result<Vec<String>, Failure> {
    if names.is_empty() {
        let text = "A channel serves at least one group. To switch it off, disable it.";
        return Err(Failure::bad_field("groups", text));
    }
    let exists = |name: &String| groups.iter().any(|group| group.name == *name);
    match names.iter().find(|name| !exists(name)) {
        Some(name) => Err(Failure::bad_field(
            "groups",
            format!("There is no group {name}."),
        )),
        None => Ok(names),
    }
}

fn short_text(field: &'static str, text: &str) -> Result<String, Failure> {
    let text = text.trim();
    if (1..=100).contains(&text.chars().count()) && !text.chars().any(char::is_control) {
        return Ok(text.to_owned());
    }
    Err(Failure::bad_field(
        field,
        "1 to 100 characters are expected.",
    ))
}
