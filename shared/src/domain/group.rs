//! A class of users: which channels they reach, at what ratio of the price, with which limits.

use serde::{Deserialize, Serialize};

use super::limit::Limits;
use super::money::Ratio;

/// The group that users are in when nobody says otherwise. It always exists.
pub const DEFAULT_GROUP: &str = "default";

/// A class of users.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// What its users pay of the price.
    pub ratio: Ratio,
    /// Limits of each of its users' keys.
    #[serde(default)]
    pub limits: Limits,
    /// Groups whose channels are tried when its own have none left.
    #[serde(default)]
    pub fallback: Vec<String>,
    /// Users of a group that is not enabled are refused.
    pub enabled: bool,
}

impl Group {
    /// The default group, as it is before anybody changes it.
    #[must_use]
    pub fn fallback_default() -> Self {
        Self {
            name: DEFAULT_GROUP.to_owned(),
            ratio: Ratio::ONE,
            limits: Limits::default(),
            fallback: Vec::new(),
            enabled: true,
        }
    }
}
