//! How often and how much one may call: limits, and the pure decision over a minute's window.

use serde::{Deserialize, Serialize};

/// Limits of a key or of a group. What is `None` is not limited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Requests per minute.
    pub rpm: Option<u32>,
    /// Tokens per minute.
    pub tpm: Option<u32>,
    /// Calls at the same time.
    pub parallel: Option<u32>,
}

impl Limits {
    /// The stricter of both, limit by limit.
    #[must_use]
    pub fn stricter(self, other: Self) -> Self {
        let least = |a: Option<u32>, b: Option<u32>| a.into_iter().chain(b).min();
        Self {
            rpm: least(self.rpm, other.rpm),
            tpm: least(self.tpm, other.tpm),
            parallel: least(self.parallel, other.parallel),
        }
    }
}

/// One minute, as windows count it: minutes since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Minute(pub i64);

impl Minute {
    /// The minute of a time in milliseconds since 1970.
    #[must_use]
    pub const fn of_ms(at_ms: i64) -> Self {
        Self(at_ms.div_euclid(60_000))
    }

    /// How many whole seconds are left of this minute at that time; at least one.
    #[must_use]
    pub fn seconds_left(self, at_ms: i64) -> u64 {
        let end = (self.0 + 1) * 60_000;
        u64::try_from((end - at_ms + 999) / 1_000)
            .unwrap_or(0)
            .max(1)
    }
}
