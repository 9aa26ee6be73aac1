//! Money set aside for a call in flight, and what became of it.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::id::{InvalidId, KeyId, RequestId, UserId};
use super::limit::{Counted, Minute};
use super::money::NanoUsd;

/// Whose money it is: a user's balance, or a budget. It also counts calls, by the minute and in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum WalletId {
    /// A user's balance, and the calls of all of the user's keys.
    User(UserId),
    /// What a user's group lets each of its users spend in a period.
    Allowance(UserId),
    /// A key's budget, if it has one, and its calls.
    Key(KeyId),
}

impl fmt::Display for WalletId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user:{id}"),
            Self::Allowance(id) => write!(f, "allowance:{id}"),
            Self::Key(id) => write!(f, "key:{id}"),
        }
    }
}

impl FromStr for WalletId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        match text.split_once(':') {
            Some(("user", id)) => id.parse().map(Self::User),
            Some(("allowance", id)) => id.parse().map(Self::Allowance),
            Some(("key", id)) => id.parse().map(Self::Key),
            _ => Err(InvalidId),
        }
    }
}

impl TryFrom<String> for WalletId {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<WalletId> for String {
    fn from(id: WalletId) -> Self {
        id.to_string()
    }
}

/// The id under which a hold is written: the request's, and which attempt it was.
///
/// A hold is sent once under one id. When the outcome of a send is unknown, the next attempt takes
/// the next id, and the usage record names the one that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HoldId {
    /// The call that the money is set aside for.
    pub request: RequestId,
    /// 1 for the first attempt.
    pub attempt: u8,
}

/// The first attempt under which a cost is held that is known already, for a call whose hold was
/// released while it still ran: beyond those that admission takes. Such a hold is a charge that is due.
const LATE_ATTEMPT: u8 = 32;
/// How many attempts a round of such charges has.
const LATE_ATTEMPTS: u8 = 8;

impl HoldId {
    /// The id of a charge that is due, at the first attempt of a round.
    #[must_use]
    pub const fn late(request: RequestId, round: u8) -> Self {
        let before = round.saturating_mul(LATE_ATTEMPTS);
        Self {
            request,
            attempt: LATE_ATTEMPT.saturating_add(before),
        }
    }

    /// Whether it is the id of a charge that is due, of that round.
    #[must_use]
    pub fn is_of_round(self, round: u8) -> bool {
        let first = Self::late(self.request, round).attempt;
        (first..first.saturating_add(LATE_ATTEMPTS)).contains(&self.attempt)
    }

    /// Whether it is the id of a charge that is due.
    #[must_use]
    pub const fn is_late(self) -> bool {
        self.attempt >= LATE_ATTEMPT
    }

    /// The first attempt's id.
    #[must_use]
    pub const fn first(request: RequestId) -> Self {
        Self {
            request,
            attempt: 1,
        }
    }

    /// The id of so many attempts after this one.
    #[must_use]
    pub const fn after(self, attempts: u8) -> Self {
        Self {
            request: self.request,
            attempt: self.attempt.saturating_add(attempts),
        }
    }
}

impl fmt::Display for HoldId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.attempt {
            1 => self.request.fmt(f),
            n => write!(f, "{}.{n}", self.request),
        }
    }
}

impl FromStr for HoldId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let (request, attempt) = match text.split_once('.') {
            Some((request, n)) => (request, n.parse().map_err(|_| InvalidId)?),
            None => (text, 1),
        };
        Ok(Self {
            request: request.parse()?,
            attempt,
        })
    }
}

impl TryFrom<String> for HoldId {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<HoldId> for String {
    fn from(id: HoldId) -> Self {
        id.to_string()
    }
}

/// Money set aside: must be settled or released. Whoever drops it leaves it to the reconciler.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a hold that is neither settled nor released keeps somebody's money until it expires"]
pub struct Hold {
    /// The id that it is written under.
    pub id: HoldId,
    /// Whose money it is.
    pub wallet: WalletId,
    /// How much was set aside.
    pub amount: NanoUsd,
    /// Whether the call is charged here. A hold that does not pay only counts the call.
    pub pays: bool,
    /// What the wallet counted in the call's minute, if it counts.
    pub counted: Option<Counted>,
}

/// A hold as a usage record names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldName {
    /// Whose money it is.
    #[serde(rename = "w")]
    pub wallet: WalletId,
    /// The id that it is written under.
    #[serde(rename = "h")]
    pub id: HoldId,
    /// What of the record's cost was charged there before, under another id.
    #[serde(rename = "b", default, skip_serializing_if = "is_nothing")]
    pub before: NanoUsd,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_nothing(amount: &NanoUsd) -> bool {
    *amount == NanoUsd::ZERO
}

impl Hold {
    /// A hold as it is found in a wallet.
    pub const fn found(id: HoldId, wallet: WalletId, amount: NanoUsd) -> Self {
        Self {
            id,
            wallet,
            amount,
            pays: true,
            counted: None,
        }
    }

    /// How a usage record names it.
    #[must_use]
    pub const fn name(&self) -> HoldName {
        HoldName {
            wallet: self.wallet,
            id: self.id,
            before: NanoUsd::ZERO,
        }
    }
}

/// What a wallet holds at one moment. `granted = balance + held + spent`, always.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wallet {
    /// What can still be set aside.
    pub balance: NanoUsd,
    /// What settled calls cost.
    pub spent: NanoUsd,
    /// All that was ever put in.
    pub granted: NanoUsd,
    /// What is set aside, by hold.
    pub holds: Vec<(HoldId, NanoUsd)>,
    /// When a budget's period ends, in milliseconds since 1970.
    pub resets_at_ms: Option<i64>,
    /// The minute that is counted, if calls were ever counted.
    pub minute: Option<Minute>,
    /// Requests in that minute.
    pub requests: u64,
    /// Tokens in that minute: those that were used, and those that calls in flight claim.
    pub tokens: u64,
}

impl Wallet {
    /// What is set aside altogether.
    #[must_use]
    pub fn held(&self) -> NanoUsd {
        self.holds.iter().map(|(_, amount)| *amount).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_survive_their_text() {
        let request = RequestId::from_parts(1, 2);
        for id in [HoldId::first(request), HoldId::first(request).after(1)] {
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        assert_eq!(
            HoldId::first(request).after(1).to_string(),
            format!("{request}.2")
        );
        let wallet = WalletId::Key(KeyId::from_bits(7));
        assert_eq!(wallet.to_string().parse(), Ok(wallet));
    }
}
