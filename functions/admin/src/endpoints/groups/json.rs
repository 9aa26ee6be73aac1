//! Groups, as the outside sees and changes them.

use serde::{Deserialize, Serialize};
use shared::domain::group::Group;
use shared::domain::money::Ratio;
use shared::failure::Failure;
use utoipa::ToSchema;

use crate::body::present;
use crate::json::decimal::Decimal;
use crate::json::limits::{LimitsBody, LimitsJson};

/// A class of users: which channels they reach, at what ratio of the price, with which limits.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Group)]
pub(crate) struct GroupJson {
    name: String,
    /// What its users pay of the price, as a decimal string.
    #[schema(example = "1")]
    ratio: String,
    /// Limits of each of its users' keys.
    limits: LimitsJson,
    /// Groups whose channels are tried when its own have none left.
    fallback: Vec<String>,
    enabled: bool,
}

impl From<&Group> for GroupJson {
    fn from(group: &Group) -> Self {
        Self {
            name: group.name.clone(),
            ratio: group.ratio.to_string(),
            limits: group.limits.into(),
            fallback: group.fallback.clone(),
            enabled: group.enabled,
        }
    }
}

/// A group to make, or what to change of one: what is left out stays. A new group needs a `name`.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = GroupChange)]
pub(crate) struct GroupBody {
    /// 1 to 64 letters, digits, dots, dashes or underscores. It never changes.
    #[serde(default, deserialize_with = "present")]
    pub(crate) name: Option<String>,
    /// A decimal string or a number; 1 unless given.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, example = "0.8")]
    ratio: Option<Decimal<Ratio>>,
    /// Limits of each of its users' keys; null for none.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<LimitsBody>)]
    limits: Option<Option<LimitsBody>>,
    /// Groups whose channels are tried when its own have none left.
    #[serde(default, deserialize_with = "present")]
    fallback: Option<Vec<String>>,
    #[serde(default, deserialize_with = "present")]
    enabled: Option<bool>,
}

impl GroupBody {
    /// The group, changed by this, among the groups that there are.
    pub(crate) fn apply(self, group: &mut Group, all: &[Group]) -> Result<(), Failure> {
        if let Some(Decimal(ratio)) = self.ratio {
            group.ratio = ratio;
        }
        if let Some(limits) = self.limits {
            let read = limits
                .map(|limits| limits.apply(group.limits))
                .transpose()?;
            group.limits = read.unwrap_or_default();
        }
        if let Some(fallback) = self.fallback {
            let exists = |name: &String| all.iter().any(|other| other.name == *name);
            if let Some(name) = fallback
                .iter()
                .find(|name| !exists(name) || **name == group.name)
            {
                let text = format!("{name} is not another group.");
                return Err(Failure::bad_field("fallback", text));
            }
            group.fallback = fallback;
        }
        group.enabled = self.enabled.unwrap_or(group.enabled);
        Ok(())
    }
}

/// The name of a new group, or why it is none.
pub(crate) fn read_name(text: &str) -> Result<String, Failure> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if (1..=64).contains(&text.len()) && text.chars().all(plain) {
        return Ok(text.to_owned());
    }
    let rule = "A group's name has 1 to 64 letters, digits, dots, dashes or underscores.";
    Err(Failure::bad_field("name", rule))
}
