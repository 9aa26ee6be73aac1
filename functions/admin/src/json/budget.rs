//! What may be spent in a period, as the outside sees and sets it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::domain::budget::{Budget, Period};
use shared::domain::money::NanoUsd;
use shared::failure::Failure;
use utoipa::ToSchema;

use super::decimal::Decimal;
use crate::body::present;

/// What may be spent in a period.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Budget)]
pub(crate) struct BudgetJson {
    #[schema(example = "10")]
    limit_usd: String,
    /// `day`, `week`, `month` or `total`.
    #[schema(value_type = String)]
    period: Period,
    timezone: String,
}

/// A budget, or what to change of one. A new one needs `limit_usd` and `period`.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BudgetChange)]
pub(crate) struct BudgetBody {
    /// A decimal string or a number.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, example = "10")]
    limit_usd: Option<Decimal<NanoUsd>>,
    /// `day`, `week`, `month` or `total`.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, example = "month")]
    period: Option<Period>,
    /// The IANA name of the zone in which days begin; UTC unless given.
    #[serde(default, deserialize_with = "present")]
    timezone: Option<String>,
}

impl From<&Budget> for BudgetJson {
    fn from(budget: &Budget) -> Self {
        Self {
            limit_usd: budget.limit.to_string(),
            period: budget.period,
            timezone: budget.timezone.clone(),
        }
    }
}

impl BudgetBody {
    /// The budget, changed by this; `seen` is the one that there is.
    pub(crate) fn apply(self, seen: Option<&Budget>, now: Timestamp) -> Result<Budget, Failure> {
        let missing = |name: &'static str| {
            Failure::bad_field(
                name,
                "A budget needs limit_usd and period (day, week, month, total).",
            )
        };
        let limit = self
            .limit_usd
            .map(|Decimal(limit)| limit)
            .or(seen.map(|seen| seen.limit));
        let period = self.period.or(seen.map(|seen| seen.period));
        let timezone = self.timezone.or(seen.map(|seen| seen.timezone.clone()));
        let budget = Budget {
            limit: limit.ok_or_else(|| missing("budget.limit_usd"))?,
            period: period.ok_or_else(|| missing("budget.period"))?,
            timezone: timezone.unwrap_or_else(|| "UTC".to_owned()),
        };
        if budget.limit < NanoUsd::ZERO {
            let text = "A budget is not negative.";
            return Err(Failure::bad_field("budget.limit_usd", text));
        }
        match budget.resets_at(now) {
            Ok(_) => Ok(budget),
            Err(unknown) => Err(Failure::bad_field(
                "budget.timezone",
                format!("Not valid: {unknown}."),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_changed_by_its_members() {
        let body = |text: &str| serde_json::from_str::<BudgetBody>(text).unwrap();
        let now = Timestamp::UNIX_EPOCH;
        let seen = body(r#"{"limit_usd":"10","period":"month"}"#)
            .apply(None, now)
            .unwrap();
        assert_eq!(seen.timezone, "UTC");
        let more = body(r#"{"limit_usd":20}"#).apply(Some(&seen), now).unwrap();
        assert_eq!(
            (more.limit.to_string().as_str(), more.period),
            ("20", Period::Month)
        );
        for (text, field) in [
            (r#"{"period":"day"}"#, "budget.limit_usd"),
            (r#"{"limit_usd":1}"#, "budget.period"),
            (r#"{"limit_usd":-1,"period":"day"}"#, "budget.limit_usd"),
            (
                r#"{"limit_usd":1,"period":"day","timezone":"Mars/One"}"#,
                "budget.timezone",
            ),
        ] {
            let failure = body(text).apply(None, now).unwrap_err();
            assert_eq!(failure.field.as_deref(), Some(field), "{text}");
        }
    }
}
