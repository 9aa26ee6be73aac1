//! Where a call may go: one configured upstream.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::cost::Cost;
use super::dialect::Dialect;
use super::id::ChannelId;
use super::limit::Limits;
use super::pattern;
use super::provider::card::Tongue;
use super::provider::{self, Provider};
use super::sealed::Sealed;

/// One configured upstream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    /// The id.
    pub id: ChannelId,
    /// What people call it.
    pub name: String,
    /// The name of the provider's card.
    pub provider: String,
    /// Another base URL than the card's.
    pub base_url: Option<String>,
    /// The credential, sealed; none when the upstream wants none.
    pub credential: Option<Sealed>,
    /// Patterns of the models that it carries.
    pub models: Vec<String>,
    /// The caller's name of a model → the upstream's.
    #[serde(default)]
    pub model_mapping: BTreeMap<String, String>,
    /// The dialects to use, when not all that the card lists.
    #[serde(default)]
    pub dialects: Vec<Dialect>,
    /// The groups whose users reach it.
    pub groups: Vec<String>,
    /// Channels of higher priority are tried first.
    #[serde(default)]
    pub priority: i32,
    /// Among channels of one priority: how much of the traffic, in proportion.
    #[serde(default)]
    pub weight: u32,
    /// A channel that is not enabled gets no calls.
    pub enabled: bool,
    /// A word to find it by.
    #[serde(default)]
    pub tag: Option<String>,
    /// Why it is not enabled, when Tollhouse switched it off.
    #[serde(default)]
    pub disabled_reason: Option<String>,
    /// How long to wait for it.
    #[serde(default)]
    pub timeouts: Timeouts,
    /// How often and how much it may be called.
    #[serde(default)]
    pub limits: Limits,
    /// Whether answers carry the caller's name of the model instead of the upstream's.
    #[serde(default)]
    pub rename_model: bool,
    /// What its upstream costs the operator.
    #[serde(default)]
    pub cost: Cost,
    /// When it was made.
    pub created_at: Timestamp,
}

/// How long to wait for an upstream, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Timeouts {
    /// For a connection.
    pub connect_ms: u32,
    /// For the first byte of an answer.
    pub first_byte_ms: u32,
    /// Between two pieces of an answer.
    pub idle_ms: u32,
    /// For the whole answer. Lambda ends a call after 15 minutes.
    pub total_ms: u32,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect_ms: 10_000,
            first_byte_ms: 300_000,
            idle_ms: 120_000,
            total_ms: 840_000,
        }
    }
}

impl Channel {
    /// The provider's card; `None` when this version has no such card.
    #[must_use]
    pub fn card(&self) -> Option<&'static Provider> {
        provider::find(&self.provider)
    }

    /// The base URL: its own, or the card's.
    #[must_use]
    pub fn base_url(&self) -> Option<&str> {
        self.base_url.as_deref().or_else(|| self.card()?.base_url)
    }

    /// Whether it carries the model.
    #[must_use]
    pub fn carries(&self, model: &str) -> bool {
        self.model_mapping.contains_key(model) || pattern::fits_any(&self.models, model)
    }

    /// Whether a group's users reach it.
    #[must_use]
    pub fn serves(&self, group: &str) -> bool {
        self.groups.iter().any(|name| name == group)
    }

    /// The dialects that a model speaks here, in order of preference. `model` is the upstream's name.
    pub fn tongues<'a>(&'a self, model: &'a str) -> impl Iterator<Item = &'static Tongue> + 'a {
        let all = self.card().map_or(&[][..], |card| card.speaks).iter();
        all.filter(move |tongue| self.offers(tongue) && tongue.fits(model))
    }

    /// Whether it speaks one of its card's tongues: those it lists, or else all. What a provider
    /// speaks at an address of its own is not expected of another address.
    fn offers(&self, tongue: &Tongue) -> bool {
        if self.dialects.is_empty() {
            tongue.base_url.is_none() || self.base_url.is_none()
        } else {
            self.dialects.contains(&tongue.dialect)
        }
    }

    /// The base URL for one of its card's tongues: its own, the tongue's, or the card's.
    #[must_use]
    pub fn base_url_of(&self, tongue: &Tongue) -> Option<&str> {
        let own = self.base_url.as_deref();
        own.or(tongue.base_url).or_else(|| self.card()?.base_url)
    }

    /// The dialect in which a caller of `dialect` is best served: the same, or else the first that
    /// does the same work.
    #[must_use]
    pub fn tongue(&self, dialect: Dialect, model: &str) -> Option<&'static Tongue> {
        let same = self.tongues(model).find(|tongue| tongue.dialect == dialect);
        same.or_else(|| {
            let mut others = self.tongues(model);
            others.find(|tongue| tongue.dialect.embeds() == dialect.embeds())
        })
    }

    /// The upstream's name of the model: by the channel's mapping, then by the card's.
    #[must_use]
    pub fn upstream_model<'a>(&'a self, model: &'a str) -> &'a str {
        if let Some(mapped) = self.model_mapping.get(model) {
            return mapped;
        }
        let names = self.card().map_or(&[][..], |card| card.names).iter();
        let mut known = names.filter(|(name, _)| *name == model);
        known.next().map_or(model, |(_, name)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(provider: &str, base_url: Option<&str>, dialects: &[Dialect]) -> Channel {
        Channel {
            id: ChannelId::from_parts(1, 1),
            name: "c".to_owned(),
            provider: provider.to_owned(),
            base_url: base_url.map(str::to_owned),
            credential: None,
            models: vec!["*".to_owned()],
            model_mapping: BTreeMap::new(),
            dialects: dialects.to_vec(),
            groups: vec!["default".to_owned()],
            priority: 0,
            weight: 1,
            enabled: true,
            tag: None,
            disabled_reason: None,
            timeouts: Timeouts::default(),
            limits: Limits::default(),
            rename_model: false,
            cost: Cost::default(),
            created_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_dialect_spoken_elsewhere_is_not_expected_of_an_address_of_ones_own() {
        let (chat, anthropic) = (Dialect::OpenaiChat, Dialect::Anthropic);
        let proxy = Some("https://proxy.example/v1");
        for (base_url, dialects, spoken, address) in [
            (
                None,
                &[][..],
                anthropic,
                "https://api.deepseek.com/anthropic",
            ),
            (None, &[chat][..], chat, "https://api.deepseek.com"),
            (proxy, &[][..], chat, "https://proxy.example/v1"),
            (
                proxy,
                &[anthropic][..],
                anthropic,
                "https://proxy.example/v1",
            ),
        ] {
            let channel = channel("deepseek", base_url, dialects);
            let tongue = channel.tongue(anthropic, "deepseek-chat").unwrap();
            assert_eq!(tongue.dialect, spoken);
            assert_eq!(channel.base_url_of(tongue), Some(address));
        }
    }

    #[test]
    fn a_model_that_has_no_chat_is_served_in_responses() {
        let channel = channel("openai", None, &[]);
        let tongue = channel.tongue(Dialect::OpenaiChat, "o3-pro").unwrap();
        assert_eq!(tongue.dialect, Dialect::OpenaiResponses);
        let tongue = channel.tongue(Dialect::Anthropic, "gpt-4o").unwrap();
        assert_eq!(tongue.dialect, Dialect::OpenaiChat);
    }
}
