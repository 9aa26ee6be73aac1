//! Redemption codes, as administrators see them.

use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde::Serialize;
use shared::domain::redemption_code::RedemptionCode;
use shared::seal;
use shared::secrets::MasterKey;
use utoipa::ToSchema;

/// A redemption code, with its text.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RedemptionCode)]
pub(crate) struct CodeJson {
    pub(crate) id: String,
    /// The text to hand out; null when it was sealed with another master key.
    #[schema(example = "7ZD2K-M1Q0T-XXXXX-XXXXX-XXXXX")]
    pub(crate) code: Option<String>,
    #[schema(example = "5")]
    pub(crate) amount_usd: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) enabled: bool,
    pub(crate) note: String,
    /// What codes that were made together have in common.
    pub(crate) batch: String,
    #[schema(value_type = String, format = DateTime)]
    pub(crate) created_at: Timestamp,
    /// The administrator.
    pub(crate) created_by: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) redeemed_at: Option<Timestamp>,
    /// The user.
    pub(crate) redeemed_by: Option<String>,
    /// The credit that it became.
    pub(crate) credit_id: Option<String>,
}

/// Codes that were made together.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RedemptionCodes)]
pub(crate) struct CodesJson {
    pub(crate) data: Vec<CodeJson>,
    /// What they have in common; the list takes it as a parameter.
    pub(crate) batch: String,
}

impl CodeJson {
    /// The code, opened with the master key.
    pub(super) fn new(code: &RedemptionCode, key: &MasterKey) -> Self {
        let redemption = code.redemption.as_ref();
        let text = seal::open(key, code.id, &code.sealed).ok();
        Self {
            id: code.id.to_string(),
            code: text.map(|text| text.expose_secret().to_owned()),
            amount_usd: code.amount.to_string(),
            expires_at: code.expires_at,
            enabled: code.enabled,
            note: code.note.clone(),
            batch: code.place.batch.to_string(),
            created_at: code.place.batch.at(),
            created_by: code.created_by.to_string(),
            redeemed_at: redemption.map(|redemption| redemption.at),
            redeemed_by: redemption.map(|redemption| redemption.by.to_string()),
            credit_id: redemption.map(|redemption| redemption.credit_id.to_string()),
        }
    }
}
