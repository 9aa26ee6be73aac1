//! One finished call: who, what, where, tokens by component, cost, timing.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::dialect::{Dialect, Lane};
use super::hold::{HoldId, HoldName, WalletId};
use super::id::{ChannelId, InvalidId, KeyId, RequestId, UserId};
use super::money::{NanoUsd, Ratio};
use super::price::BillLine;
use super::usage::Usage;

fn is_nothing(used: &Usage) -> bool {
    *used == Usage::default()
}

const fn list_price() -> Ratio {
    Ratio::ONE
}

fn is_list_price(ratio: &Ratio) -> bool {
    *ratio == Ratio::ONE
}

fn is_no_money(amount: &NanoUsd) -> bool {
    *amount == NanoUsd::ZERO
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_never(times: &u8) -> bool {
    *times == 0
}

/// A usage record. When the call began is in its id.
///
/// It is kept under short names, because a table bills each kilobyte that is written: a typical record
/// is well below one. The store writes `holds` itself, in the few letters of [`UsageRecord::short_holds`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageRecord {
    /// The request's id.
    #[serde(rename = "sk")]
    pub id: RequestId,
    /// Who pays.
    #[serde(rename = "u")]
    pub user_id: UserId,
    /// The key that was used; none for an administrator's test of a channel.
    #[serde(rename = "k")]
    pub key_id: Option<KeyId>,
    /// What its user called the key then.
    #[serde(rename = "kn")]
    pub key_name: Option<String>,
    /// The group that applied.
    #[serde(rename = "g")]
    pub group: String,
    /// The channel that answered, or that was tried last.
    #[serde(rename = "c")]
    pub channel_id: Option<ChannelId>,
    /// Its provider.
    #[serde(rename = "p")]
    pub provider: Option<String>,
    /// The caller's name of the model; none when the call was lost.
    #[serde(rename = "m")]
    pub model: Option<String>,
    /// The upstream's name of the model.
    #[serde(rename = "um")]
    pub upstream_model: Option<String>,
    /// The caller's dialect; none when the call was lost.
    #[serde(rename = "d")]
    pub dialect: Option<Dialect>,
    /// How the call travelled; none when the call was lost.
    #[serde(rename = "l")]
    pub lane: Option<Lane>,
    /// Whether the answer was streamed.
    #[serde(rename = "st", default, skip_serializing_if = "std::ops::Not::not")]
    pub stream: bool,
    /// How it ended.
    #[serde(rename = "s")]
    pub status: Status,
    /// The status that the caller saw.
    #[serde(rename = "hs")]
    pub http_status: u16,
    /// The code of the error, if any.
    #[serde(rename = "e")]
    pub error_code: Option<String>,
    /// Every channel that was tried, in order.
    #[serde(rename = "a", default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    /// What was used.
    #[serde(rename = "t", default, skip_serializing_if = "is_nothing")]
    pub tokens: Usage,
    /// What it cost.
    #[serde(rename = "usd")]
    pub cost: NanoUsd,
    /// What the operator pays the provider for it, where the channel tells.
    #[serde(rename = "up", default, skip_serializing_if = "Option::is_none")]
    pub upstream_cost: Option<NanoUsd>,
    /// Why it cost that.
    #[serde(rename = "b", default, skip_serializing_if = "Vec::is_empty")]
    pub bill: Vec<BillLine>,
    /// The group's ratio that the bill was made with.
    #[serde(
        rename = "r",
        default = "list_price",
        skip_serializing_if = "is_list_price"
    )]
    pub ratio: Ratio,
    /// Whether the usage was estimated because the provider gave none.
    #[serde(rename = "es", default, skip_serializing_if = "std::ops::Not::not")]
    pub estimated: bool,
    /// From the call's arrival to the first byte of the answer's content, in milliseconds.
    #[serde(rename = "tf")]
    pub ttfb_ms: Option<u64>,
    /// From the call's arrival to the end of the answer, in milliseconds.
    #[serde(rename = "ms")]
    pub total_ms: u64,
    /// The version of the configuration that priced and routed the call.
    #[serde(rename = "v")]
    pub config_version: u64,
    /// Where the call came from.
    #[serde(rename = "ip")]
    pub source_ip: Option<IpAddr>,
    /// What it cost more than it was charged: more than its worst case, and than was left.
    #[serde(rename = "uc", default, skip_serializing_if = "is_no_money")]
    pub uncollected: NanoUsd,
    /// The holds that this record settles. Every other hold of the request is released.
    #[serde(skip)]
    pub holds: Vec<HoldName>,
    /// How often the reconciler has given back charges that were due: only for calls that it took for
    /// lost.
    #[serde(rename = "cl", default, skip_serializing_if = "is_never")]
    pub closed: u8,
}

impl UsageRecord {
    /// The record of the same call, charged so much of its cost, in those wallets.
    #[must_use]
    pub fn charged(&self, amount: NanoUsd, holds: Vec<HoldName>) -> Self {
        Self {
            cost: amount,
            uncollected: self.cost.saturating_sub(amount),
            holds,
            ..self.clone()
        }
    }

    /// What a hold of this call is charged; `None` when the record does not name it, so that all of it
    /// is given back.
    #[must_use]
    pub fn charge_of(&self, wallet: WalletId, id: HoldId) -> Option<NanoUsd> {
        let names = &mut self.holds.iter();
        let name = names.find(|name| (name.wallet, name.id) == (wallet, id))?;
        Some(self.cost.saturating_sub(name.before))
    }

    /// What is left of what was charged, after what the provider is paid; none where the channel does
    /// not tell that.
    #[must_use]
    pub fn margin(&self) -> Option<NanoUsd> {
        let paid = self.upstream_cost?;
        Some(self.cost.saturating_sub(paid))
    }
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The answer was complete.
    Ok,
    /// There was no answer.
    Error,
    /// The answer broke off.
    Cut,
    /// The call was lost; the reconciler found its hold.
    Unsettled,
}

/// One channel that was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Attempt {
    /// The channel.
    pub channel_id: ChannelId,
    /// `ok`, or the code of the failure.
    pub outcome: String,
    /// The upstream's status, if it gave one.
    pub http_status: Option<u16>,
    /// How long it took to know, in milliseconds.
    pub ms: u64,
}

/// An attempt is kept as one text: channel, status or `-`, milliseconds, outcome.
impl From<Attempt> for String {
    fn from(attempt: Attempt) -> Self {
        let status = attempt.http_status.map(|status| status.to_string());
        let status = status.as_deref().unwrap_or("-");
        format!(
            "{} {status} {} {}",
            attempt.channel_id, attempt.ms, attempt.outcome
        )
    }
}

/// A text that is no attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an attempt: channel, status, milliseconds and outcome are expected")]
pub struct InvalidAttempt;

impl TryFrom<String> for Attempt {
    type Error = InvalidAttempt;

    fn try_from(text: String) -> Result<Self, InvalidAttempt> {
        let mut parts = text.splitn(4, ' ');
        let mut part = || parts.next().ok_or(InvalidAttempt);
        Ok(Self {
            channel_id: part()?.parse().map_err(|_| InvalidAttempt)?,
            http_status: match part()? {
                "-" => None,
                status => Some(status.parse().map_err(|_| InvalidAttempt)?),
            },
            ms: part()?.parse().map_err(|_| InvalidAttempt)?,
            outcome: part()?.to_owned(),
        })
    }
}

impl UsageRecord {
    /// The holds that it names, each in a few letters: most are of the payer or of the key, and all of
    /// this request. `u` is the user's wallet, `k` the key's, `c` the key's calls; `.2` the attempt.
    #[must_use]
    pub fn short_holds(&self) -> Vec<String> {
        self.holds.iter().map(|hold| self.shorten(*hold)).collect()
    }

    fn shorten(&self, hold: HoldName) -> String {
        let wallet = match hold.wallet {
            WalletId::User(id) if id == self.user_id => "u".to_owned(),
            WalletId::Key(id) if Some(id) == self.key_id => "k".to_owned(),
            WalletId::Allowance(id) if id == self.user_id => "a".to_owned(),
            other => other.to_string(),
        };
        let name = match hold.id {
            id if id.request != self.id => format!("{wallet}/{id}"),
            HoldId { attempt: 1, .. } => wallet,
            HoldId { attempt, .. } => format!("{wallet}.{attempt}"),
        };
        match hold.before {
            NanoUsd::ZERO => name,
            before => format!("{name}@{}", before.get()),
        }
    }

    /// The hold that such a text names.
    ///
    /// # Errors
    /// When it names none.
    pub fn read_hold(&self, text: &str) -> Result<HoldName, InvalidId> {
        let (text, before) = match text.split_once('@') {
            Some((text, nano)) => (text, nano.parse().map_err(|_| InvalidId)?),
            None => (text, 0),
        };
        let (wallet, id) = if let Some((wallet, id)) = text.split_once('/') {
            (wallet, id.parse()?)
        } else {
            let (wallet, attempt) = text.split_once('.').unwrap_or((text, "1"));
            let id = HoldId {
                request: self.id,
                attempt: attempt.parse().map_err(|_| InvalidId)?,
            };
            (wallet, id)
        };
        let wallet = match wallet {
            "u" => WalletId::User(self.user_id),
            "k" => WalletId::Key(self.key_id.ok_or(InvalidId)?),
            "a" => WalletId::Allowance(self.user_id),
            other => other.parse()?,
        };
        let before = NanoUsd::new(before);
        Ok(HoldName { wallet, id, before })
    }

    /// Whether a hold of the payer's own balance paid for it. If none did, the user was unlimited, and
    /// no wallet has counted what it cost.
    #[must_use]
    pub fn is_held(&self) -> bool {
        let wallet = WalletId::User(self.user_id);
        self.holds.iter().any(|hold| hold.wallet == wallet)
    }
}
