//! Models, as the outside sees them.

use serde::Serialize;
use utoipa::ToSchema;

use crate::json::price::PriceJson;

/// A model that an enabled channel names.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Model)]
pub(crate) struct ModelJson {
    /// The name that callers use.
    pub(crate) id: String,
    /// Whether there is a price for it.
    pub(crate) priced: bool,
    /// The price that applies; its `model` may be a pattern.
    pub(crate) price: Option<PriceJson>,
    /// How many enabled channels carry it.
    pub(crate) channels: usize,
    /// Their providers.
    pub(crate) providers: Vec<String>,
}
