//! A class of users: which channels they reach, at what ratio of the price, with which limits.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::budget::Budget;
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
    /// Patterns of the models that its users may call; empty for all.
    #[serde(default)]
    pub models: Vec<String>,
    /// Networks that its users may call from; empty for all.
    #[serde(default)]
    pub cidrs: Vec<IpNet>,
    /// Limits of each of its users, over all of their keys.
    #[serde(default)]
    pub limits: Limits,
    /// What each of its users may spend in a period, over all of their keys.
    #[serde(default)]
    pub budget: Option<Budget>,
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
            models: Vec::new(),
            cidrs: Vec::new(),
            limits: Limits::default(),
            budget: None,
            fallback: Vec::new(),
            enabled: true,
        }
    }
}
