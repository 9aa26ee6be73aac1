//! Keys, as the outside changes them.

use jiff::Timestamp;
use serde::Deserialize;
use shared::domain::id::UserId;
use shared::domain::key::{Key, WhenShort};
use shared::failure::Failure;
use utoipa::ToSchema;

use crate::body::present;
use crate::json::budget::BudgetBody;
use crate::json::limits::LimitsBody;
use crate::json::{networks, patterns};

/// A key to make, or what to change of one: what is left out stays. A new key needs a `name`.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = KeyChange)]
pub(crate) struct KeyBody {
    /// Whose key: one's own unless an administrator says otherwise. Only when it is made.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub(crate) user_id: Option<UserId>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) name: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) enabled: Option<bool>,
    /// When it stops working; null for never.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) expires_at: Option<Option<Timestamp>>,
    /// Patterns of the models it may call; empty or null for all.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Vec<String>>)]
    pub(crate) models: Option<Option<Vec<String>>>,
    /// Networks or addresses it may be used from; empty or null for all.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Vec<String>>, example = json!(["10.0.0.0/8"]))]
    pub(crate) cidrs: Option<Option<Vec<String>>>,
    /// What it may spend; null for no budget.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<BudgetBody>)]
    pub(crate) budget: Option<Option<BudgetBody>>,
    /// What happens to a call that can cost more than there is: `refuse`, or `lower_output` to what can
    /// be paid.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, example = "lower_output")]
    pub(crate) when_short: Option<WhenShort>,
    /// How often and how much it may call; null for no limits.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<LimitsBody>)]
    pub(crate) limits: Option<Option<LimitsBody>>,
}

impl KeyBody {
    /// The key, changed by this.
    pub(crate) fn apply(self, key: &mut Key, now: Timestamp) -> Result<(), Failure> {
        if let Some(name) = self.name {
            key.name = read_name(&name)?;
        }
        if let Some(models) = self.models {
            key.models = patterns::read(models.unwrap_or_default())?;
        }
        if let Some(cidrs) = self.cidrs {
            key.cidrs = networks::read(&cidrs.unwrap_or_default())?;
        }
        if let Some(budget) = self.budget {
            let read = budget.map(|budget| budget.apply(key.budget.as_ref(), now));
            key.budget = read.transpose()?;
        }
        if let Some(limits) = self.limits {
            let read = limits.map(|limits| limits.apply(key.limits)).transpose()?;
            key.limits = read.unwrap_or_default();
        }
        key.when_short = self.when_short.unwrap_or(key.when_short);
        key.enabled = self.enabled.unwrap_or(key.enabled);
        key.expires_at = self.expires_at.unwrap_or(key.expires_at);
        Ok(())
    }
}

fn read_name(text: &str) -> Result<String, Failure> {
    let name = text.trim();
    if (1..=100).contains(&name.chars().count()) && !name.chars().any(char::is_control) {
        return Ok(name.to_owned());
    }
    Err(Failure::bad_field(
        "name",
        "A name has 1 to 100 characters.",
    ))
}
