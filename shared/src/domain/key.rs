//! How they call: what is known of a key. Its text is in `key_text`.

use ipnet::IpNet;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::budget::Budget;
use super::id::{KeyId, UserId};
use super::limit::Limits;

/// A key of a user. Its text is shown once and never kept.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// The id: half of the hash of the text.
    pub id: KeyId,
    /// The SHA-256 of the text, in hex.
    pub hash: String,
    /// The first characters of the text, for people to tell keys apart.
    pub prefix: String,
    /// Whose key it is.
    pub user_id: UserId,
    /// What its user calls it.
    pub name: String,
    /// A key that is not enabled is refused.
    pub enabled: bool,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
    /// Patterns of the models it may call; empty for all.
    #[serde(default)]
    pub models: Vec<String>,
    /// Networks it may be used from; empty for all.
    #[serde(default)]
    pub cidrs: Vec<IpNet>,
    /// What it may spend in a period.
    pub budget: Option<Budget>,
    /// What happens to a call that can cost more than there is.
    #[serde(default)]
    pub when_short: WhenShort,
    /// How often and how much it may call.
    #[serde(default)]
    pub limits: Limits,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What happens to a call whose worst case costs more than the balance or a budget has left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenShort {
    /// It is refused.
    #[default]
    Refuse,
    /// Its output limit is lowered to what can be paid.
    LowerOutput,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key")
            .field("id", &self.id)
            .field("user_id", &self.user_id)
            .finish_non_exhaustive()
    }
}
