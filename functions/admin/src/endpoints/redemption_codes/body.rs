//! Redemption codes, as the outside makes and changes them.

use jiff::Timestamp;
use serde::Deserialize;
use shared::domain::money::NanoUsd;
use shared::failure::Failure;
use shared::store::redemption_codes::CodeChange;
use utoipa::ToSchema;

use crate::body::present;
use crate::json::decimal::Decimal;

const NOTE_CHARS: usize = 500;

/// Codes to make, all alike.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RedemptionCodesCreate)]
pub(crate) struct CreateBody {
    /// What each is worth: a decimal string or a number, more than 0.
    #[schema(value_type = String, example = "5")]
    pub(crate) amount_usd: Decimal<NanoUsd>,
    /// How many: 1 to 1000.
    #[schema(minimum = 1, maximum = 1000)]
    pub(crate) count: u16,
    /// When they stop being worth anything (RFC 3339), to the millisecond; never unless given.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) expires_at: Option<Timestamp>,
    /// What they are for, for administrators only.
    pub(crate) note: Option<String>,
}

/// What to change; what is left out stays.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RedemptionCodeChange)]
pub(crate) struct UpdateBody {
    #[serde(default, deserialize_with = "present")]
    enabled: Option<bool>,
    /// What it is for, for administrators only.
    #[serde(default, deserialize_with = "present")]
    note: Option<String>,
    /// Null for never.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Option<Timestamp>>,
}

impl UpdateBody {
    /// What it says, if it makes sense.
    pub(super) fn read(self) -> Result<CodeChange, Failure> {
        Ok(CodeChange {
            enabled: self.enabled,
            note: self.note.map(|text| note(Some(text))).transpose()?,
            expires_at: self.expires_at,
        })
    }
}

/// A note that is not too long.
pub(super) fn note(text: Option<String>) -> Result<String, Failure> {
    let note = text.unwrap_or_default();
    if note.chars().count() > NOTE_CHARS {
        let text = format!("A note has at most {NOTE_CHARS} characters.");
        return Err(Failure::bad_field("note", text));
    }
    Ok(note)
}
