//! Redemptions, as the outside sees them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A code to redeem.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RedemptionCreate)]
pub(crate) struct RedemptionBody {
    /// As it was typed: in capitals or not, with or without hyphens.
    #[schema(example = "7ZD2K-M1Q0T-XXXXX-XXXXX-XXXXX")]
    pub(crate) code: String,
}

/// A code that was redeemed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Redemption)]
pub(crate) struct RedemptionJson {
    /// The id of the credit that it became.
    pub(crate) id: String,
    #[schema(example = "5")]
    pub(crate) amount_usd: String,
    /// What can be spent now; null when that could not be read.
    #[schema(example = "7.5")]
    pub(crate) balance_usd: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    pub(crate) at: Timestamp,
}
