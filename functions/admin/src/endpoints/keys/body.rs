//! Keys, as the outside changes them.

use std::net::IpAddr;

use ipnet::IpNet;
use jiff::Timestamp;
use serde::Deserialize;
use shared::domain::budget::{Budget, Period};
use shared::domain::id::UserId;
use shared::domain::key::Key;
use shared::domain::money::NanoUsd;
use shared::failure::Failure;
use utoipa::ToSchema;

use crate::body::present;
use crate::json::decimal::Decimal;
use crate::json::limits::LimitsBody;

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
    /// How often and how much it may call; null for no limits.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<LimitsBody>)]
    pub(crate) limits: Option<Option<LimitsBody>>,
}

/// A budget, or what to change of one. A new one needs `limit_usd` and `period`.
#[derive(Deserialize, ToSchema)]
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

impl KeyBody {
    /// The key, changed by this.
    pub(crate) fn apply(self, key: &mut Key, now: Timestamp) -> Result<(), Failure> {
        if let Some(name) = self.name {
            key.name = read_name(&name)?;
        }
        if let Some(models) = self.models {
            key.models = read_models(models.unwrap_or_default())?;
        }
        if let Some(cidrs) = self.cidrs {
            key.cidrs = read_cidrs(&cidrs.unwrap_or_default())?;
        }
        if let Some(budget) = self.budget {
            let read = budget.map(|budget| budget.apply(key.budget.as_ref(), now));
            key.budget = read.transpose()?;
        }
        if let Some(limits) = self.limits {
            let read = limits.map(|limits| limits.apply(key.limits)).transpose()?;
            key.limits = read.unwrap_or_default();
        }
        key.enabled = self.enabled.unwrap_or(key.enabled);
        key.expires_at = self.expires_at.unwrap_or(key.expires_at);
        Ok(())
    }
}

impl BudgetBody {
    fn apply(self, seen: Option<&Budget>, now: Timestamp) -> Result<Budget, Failure> {
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

fn read_models(models: Vec<String>) -> Result<Vec<String>, Failure> {
    if models.iter().all(|model| !model.trim().is_empty()) {
        return Ok(models);
    }
    Err(Failure::bad_field(
        "models",
        "A pattern of models is not empty.",
    ))
}

fn read_cidrs(texts: &[String]) -> Result<Vec<IpNet>, Failure> {
    let read = |text: &String| {
        let net = read_cidr(text.trim());
        net.ok_or_else(|| {
            let text = format!("{text} is neither a network such as 10.0.0.0/8 nor an address.");
            Failure::bad_field("cidrs", text)
        })
    };
    texts.iter().map(read).collect()
}

/// A network without bits behind its mask; a plain address is a network of one.
fn read_cidr(text: &str) -> Option<IpNet> {
    let address = text.parse::<IpAddr>().ok();
    let one = address.map(|address| IpNet::from(address.to_canonical()));
    one.or_else(|| text.parse::<IpNet>().ok().map(|net| net.trunc()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_addresses_are_networks_of_one() {
        for (text, net) in [
            ("10.1.2.3", Some("10.1.2.3/32")),
            ("10.1.2.3/8", Some("10.0.0.0/8")),
            ("::1", Some("::1/128")),
            ("::ffff:10.1.2.3", Some("10.1.2.3/32")),
            ("10.1.2.3/33", None),
            ("example.org", None),
            ("", None),
        ] {
            assert_eq!(
                read_cidr(text).map(|net| net.to_string()).as_deref(),
                net,
                "{text}"
            );
        }
    }

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
