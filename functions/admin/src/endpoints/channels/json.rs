//! Channels, as the outside sees them: never their credential.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use shared::domain::channel::Channel;
use shared::domain::dialect::Dialect;
use utoipa::ToSchema;

use super::timeouts::TimeoutsJson;
use crate::json::limits::LimitsJson;
use crate::json::price::PriceJson;

/// A configured upstream.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Channel)]
pub(crate) struct ChannelJson {
    id: String,
    name: String,
    /// The name of the provider's card.
    provider: String,
    /// Null when the card's own is used.
    base_url: Option<String>,
    /// Whether a credential is kept. It is never shown.
    has_credential: bool,
    /// Patterns of the models that it carries.
    models: Vec<String>,
    /// The caller's name of a model → the upstream's.
    model_mapping: BTreeMap<String, String>,
    /// The dialects to use, when not all that the card lists.
    #[schema(value_type = Vec<String>)]
    dialects: Vec<Dialect>,
    groups: Vec<String>,
    priority: i32,
    weight: u32,
    enabled: bool,
    tag: Option<String>,
    /// Why it is not enabled, when Tollhouse switched it off.
    disabled_reason: Option<String>,
    timeouts: TimeoutsJson,
    limits: LimitsJson,
    /// Whether answers carry the caller's name of the model instead of the upstream's.
    rename_model: bool,
    /// What part of the price the operator pays its provider.
    cost_ratio: Option<String>,
    /// What the operator pays for models instead, by the upstream's names of them.
    cost_prices: Vec<PriceJson>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<&Channel> for ChannelJson {
    fn from(channel: &Channel) -> Self {
        Self {
            id: channel.id.to_string(),
            name: channel.name.clone(),
            provider: channel.provider.clone(),
            base_url: channel.base_url.clone(),
            has_credential: channel.credential.is_some(),
            models: channel.models.clone(),
            model_mapping: channel.model_mapping.clone(),
            dialects: channel.dialects.clone(),
            groups: channel.groups.clone(),
            priority: channel.priority,
            weight: channel.weight,
            enabled: channel.enabled,
            tag: channel.tag.clone(),
            disabled_reason: channel.disabled_reason.clone(),
            timeouts: channel.timeouts.into(),
            limits: channel.limits.into(),
            rename_model: channel.rename_model,
            cost_ratio: channel.cost.ratio.map(|ratio| ratio.to_string()),
            cost_prices: channel.cost.prices.iter().map(Into::into).collect(),
            created_at: channel.created_at,
        }
    }
}

/// How a test of a channel ended.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChannelTest)]
pub(crate) struct TestJson {
    /// Whether the channel gave a whole answer.
    pub(crate) ok: bool,
    /// The relay's status; null when it did not answer.
    pub(crate) http_status: Option<u16>,
    pub(crate) ms: u64,
    pub(crate) model: String,
    /// What went wrong.
    pub(crate) message: Option<String>,
}
