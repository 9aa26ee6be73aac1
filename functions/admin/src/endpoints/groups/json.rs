//! Groups, as the outside sees and changes them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::domain::group::Group;
use shared::domain::money::Ratio;
use shared::failure::Failure;
use utoipa::ToSchema;

use crate::body::present;
use crate::json::budget::{BudgetBody, BudgetJson};
use crate::json::decimal::Decimal;
use crate::json::limits::{LimitsBody, LimitsJson};
use crate::json::{networks, patterns};

/// A class of users: which channels they reach, at what ratio of the price, with which limits.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Group)]
pub(crate) struct GroupJson {
    name: String,
    /// What its users pay of the price, as a decimal string.
    #[schema(example = "1")]
    ratio: String,
    /// Patterns of the models that its users may call; empty for all.
    models: Vec<String>,
    /// Networks that its users may call from; empty for all.
    cidrs: Vec<String>,
    /// Limits of each of its users, over all of their keys.
    limits: LimitsJson,
    /// What each of its users may spend in a period, over all of their keys.
    budget: Option<BudgetJson>,
    /// Groups whose channels are tried when its own have none left.
    fallback: Vec<String>,
    enabled: bool,
}

impl From<&Group> for GroupJson {
    fn from(group: &Group) -> Self {
        Self {
            name: group.name.clone(),
            ratio: group.ratio.to_string(),
            models: group.models.clone(),
            cidrs: group.cidrs.iter().map(ToString::to_string).collect(),
            limits: group.limits.into(),
            budget: group.budget.as_ref().map(BudgetJson::from),
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
    /// Patterns of the models that its users may call; empty or null for all.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Vec<String>>)]
    models: Option<Option<Vec<String>>>,
    /// Networks or addresses that its users may call from; empty or null for all.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Vec<String>>)]
    cidrs: Option<Option<Vec<String>>>,
    /// Limits of each of its users, over all of their keys; null for none.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<LimitsBody>)]
    limits: Option<Option<LimitsBody>>,
    /// What each of its users may spend in a period, over all of their keys; null for no budget.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<BudgetBody>)]
    budget: Option<Option<BudgetBody>>,
    /// Groups whose channels are tried when its own have none left.
    #[serde(default, deserialize_with = "present")]
    fallback: Option<Vec<String>>,
    #[serde(default, deserialize_with = "present")]
    enabled: Option<bool>,
}

impl GroupBody {
    /// The group, changed by this, among the groups that there are.
    pub(crate) fn apply(
        self,
        group: &mut Group,
        all: &[Group],
        now: Timestamp,
    ) -> Result<(), Failure> {
        if let Some(Decimal(ratio)) = self.ratio {
            group.ratio = ratio;
        }
        if let Some(limits) = self.limits {
            let read = limits
                .map(|limits| limits.apply(group.limits))
                .transpose()?;
            group.limits = read.unwrap_or_default();
        }
        if let Some(models) = self.models {
            group.models = patterns::read(models.unwrap_or_default())?;
        }
        if let Some(cidrs) = self.cidrs {
            group.cidrs = networks::read(&cidrs.unwrap_or_default())?;
        }
        if let Some(budget) = self.budget {
            let read = budget.map(|budget| budget.apply(group.budget.as_ref(), now));
            group.budget = read.transpose()?;
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
