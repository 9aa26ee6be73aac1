//! Credits: money put into a user's wallet or taken out, each time with a cause.

use serde::{Deserialize, Serialize};

use super::id::{CreditId, UserId};
use super::money::NanoUsd;

/// The most that is ever put into one wallet, all credits together: a thousand million USD. It is far
/// from what a wallet can count, and from what anybody means.
pub const MOST: NanoUsd = NanoUsd::new(1_000_000_000 * 1_000_000_000);

/// Money put into a wallet, or taken out when the amount is negative.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credit {
    /// The id; it tells when. The same credit is booked once.
    pub id: CreditId,
    /// Whose wallet.
    pub user_id: UserId,
    /// Why, for programs.
    #[serde(default)]
    pub cause: Cause,
    /// How much.
    pub amount: NanoUsd,
    /// Why, for people.
    pub note: String,
    /// Who booked it; none when a job did.
    pub by: Option<UserId>,
    /// What it is about: the id of a redemption code, or what a job calls its work.
    pub reference: Option<String>,
}

impl Credit {
    /// Whether the other one books the same, whatever its id.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        let renamed = Self {
            id: self.id,
            ..other.clone()
        };
        *self == renamed
    }
}

/// Why money is put in or taken out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// An administrator put it in.
    #[default]
    TopUp,
    /// A redemption code was redeemed.
    Redemption,
    /// A present, such as for signing up.
    Gift,
    /// What was charged was wrong, or what was put in.
    Correction,
}

impl Cause {
    /// The name, as the API and the table have it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TopUp => "top_up",
            Self::Redemption => "redemption",
            Self::Gift => "gift",
            Self::Correction => "correction",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_has_one_name() {
        for cause in [
            Cause::TopUp,
            Cause::Redemption,
            Cause::Gift,
            Cause::Correction,
        ] {
            let written = serde_json::to_value(cause).unwrap();
            assert_eq!(written, cause.name());
        }
    }
}
