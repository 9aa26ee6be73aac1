//! One finished call: who, what, where, tokens by component, cost, timing.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::dialect::{Dialect, Lane};
use super::hold::HoldName;
use super::id::{ChannelId, KeyId, RequestId, UserId};
use super::money::{NanoUsd, Ratio};
use super::price::BillLine;
use super::usage::Usage;

/// A usage record. When the call began is in its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageRecord {
    /// The request's id.
    pub id: RequestId,
    /// Who pays.
    pub user_id: UserId,
    /// The key that was used; none for an administrator's test of a channel.
    pub key_id: Option<KeyId>,
    /// What its user called the key then.
    pub key_name: Option<String>,
    /// The group that applied.
    pub group: String,
    /// The channel that answered, or that was tried last.
    pub channel_id: Option<ChannelId>,
    /// Its provider.
    pub provider: Option<String>,
    /// The caller's name of the model; none when the call was lost.
    pub model: Option<String>,
    /// The upstream's name of the model.
    pub upstream_model: Option<String>,
    /// The caller's dialect; none when the call was lost.
    pub dialect: Option<Dialect>,
    /// How the call travelled; none when the call was lost.
    pub lane: Option<Lane>,
    /// Whether the answer was streamed.
    pub stream: bool,
    /// How it ended.
    pub status: Status,
    /// The status that the caller saw.
    pub http_status: u16,
    /// The code of the error, if any.
    pub error_code: Option<String>,
    /// Every channel that was tried, in order.
    #[serde(default)]
    pub attempts: Vec<Attempt>,
    /// What was used.
    #[serde(default)]
    pub tokens: Usage,
    /// What it cost.
    pub cost: NanoUsd,
    /// Why it cost that.
    #[serde(default)]
    pub bill: Vec<BillLine>,
    /// The group's ratio that the bill was made with.
    pub ratio: Ratio,
    /// Whether the usage was estimated because the provider gave none.
    #[serde(default)]
    pub estimated: bool,
    /// From the call's arrival to the first byte of the answer's content, in milliseconds.
    pub ttfb_ms: Option<u64>,
    /// From the call's arrival to the end of the answer, in milliseconds.
    pub total_ms: u64,
    /// The version of the configuration that priced and routed the call.
    pub config_version: u64,
    /// Where the call came from.
    pub source_ip: Option<IpAddr>,
    /// What it cost more than it was charged: more than its worst case, and than was left.
    #[serde(default)]
    pub uncollected: NanoUsd,
    /// The holds that this record settles. Every other hold of the request is released.
    #[serde(default)]
    pub holds: Vec<HoldName>,
    /// How often the reconciler has given back charges that were due: only for calls that it took for
    /// lost.
    #[serde(default)]
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
