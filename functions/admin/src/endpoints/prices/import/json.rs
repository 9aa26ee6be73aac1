//! What an import changed, or would change.

use serde::Serialize;
use utoipa::ToSchema;

use crate::json::price::PriceJson;

/// The difference that an import makes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PriceDifference)]
pub(crate) struct DifferenceJson {
    /// Whether nothing was written.
    pub(super) dry_run: bool,
    /// Prices of models that had none of their own.
    pub(super) added: Vec<PriceJson>,
    /// Prices that differ from those that were there.
    pub(super) changed: Vec<ChangedJson>,
    /// How many rows cost what is there already.
    pub(super) unchanged: usize,
    /// How many rows differ, but are left out by the mode.
    pub(super) left_out: usize,
    /// Models whose price differs, but is locked.
    pub(super) locked: Vec<String>,
    /// Rows that cannot be kept exactly.
    pub(super) skipped: Vec<SkippedJson>,
    /// Members of added and changed rows that price what is never billed here.
    pub(super) ignored: Vec<IgnoredJson>,
}

/// A price, before and after.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PriceChanged)]
pub(crate) struct ChangedJson {
    pub(super) model: String,
    pub(super) before: PriceJson,
    pub(super) after: PriceJson,
}

/// A row that is not imported.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PriceSkipped)]
pub(crate) struct SkippedJson {
    /// Its name in the map.
    pub(super) model: String,
    pub(super) reason: String,
}

/// What is not taken of a row.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PriceIgnored)]
pub(crate) struct IgnoredJson {
    pub(super) model: String,
    pub(super) members: Vec<String>,
}
