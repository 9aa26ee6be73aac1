//! How often and how much one may call: limits, the minute that they count in, and what is left of it.

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
    /// Whether requests or tokens are limited, and so must be counted by the minute.
    #[must_use]
    pub const fn counts(&self) -> bool {
        self.rpm.is_some() || self.tpm.is_some()
    }

    /// Whether anything is limited.
    #[must_use]
    pub fn any(&self) -> bool {
        *self != Self::default()
    }

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
    /// When it ends, in seconds since 1970.
    #[must_use]
    pub const fn ends_at_s(self) -> i64 {
        (self.0 + 1) * 60
    }

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

/// How many tokens a call is taken to use in its minute, until it is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Claim {
    /// Input and output together.
    pub tokens: u64,
    /// Whether the caller has set a limit of the output, so that the call cannot use more. Such a call
    /// must fit into what is left of the minute. Any other is admitted while anything is left.
    pub bounded: bool,
}

impl Claim {
    /// How many tokens a minute may have counted at most for the call to be admitted. A call that would
    /// not even fit into an empty minute is admitted while anything is left, like an unbounded one.
    #[must_use]
    pub fn most_counted(self, tpm: u32) -> i64 {
        let tpm = i64::from(tpm);
        let claimed = i64::try_from(self.tokens).unwrap_or(i64::MAX);
        if self.bounded && claimed <= tpm {
            tpm - claimed
        } else {
            tpm - 1
        }
    }
}

/// What was counted in a minute, a call's own request and claim included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// The minute.
    pub minute: Minute,
    /// What the call claimed of its tokens.
    pub claimed: u64,
    /// Requests so far.
    pub requests: u64,
    /// Tokens so far.
    pub tokens: u64,
}

/// What is left of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// The limit.
    pub limit: u64,
    /// What is left of it.
    pub left: u64,
}

/// What is left of a minute's limits, for whoever calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Of requests, where they are limited.
    pub requests: Option<Left>,
    /// Of tokens, where they are limited.
    pub tokens: Option<Left>,
    /// The minute.
    pub minute: Minute,
    /// How many seconds are left of it.
    pub resets_in_s: u64,
}

impl Room {
    /// What `limits` leave after what was counted.
    #[must_use]
    pub fn of(limits: Limits, counted: Counted, at_ms: i64) -> Self {
        let left = |limit: Option<u32>, counted: u64| {
            limit.map(u64::from).map(|limit| Left {
                limit,
                left: limit.saturating_sub(counted),
            })
        };
        Self {
            requests: left(limits.rpm, counted.requests),
            tokens: left(limits.tpm, counted.tokens),
            minute: counted.minute,
            resets_in_s: counted.minute.seconds_left(at_ms),
        }
    }

    /// The smaller room of two, limit by limit.
    #[must_use]
    pub fn smaller(self, other: Self) -> Self {
        let least =
            |a: Option<Left>, b: Option<Left>| a.into_iter().chain(b).min_by_key(|left| left.left);
        Self {
            requests: least(self.requests, other.requests),
            tokens: least(self.tokens, other.tokens),
            minute: self.minute.max(other.minute),
            resets_in_s: self.resets_in_s.max(other.resets_in_s),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bounded_call_must_fit_and_any_other_needs_something_left() {
        let claim = |tokens, bounded| Claim { tokens, bounded };
        assert_eq!(claim(40, true).most_counted(100), 60);
        assert_eq!(claim(100, true).most_counted(100), 0);
        // It would never fit.
        assert_eq!(claim(101, true).most_counted(100), 99);
        assert_eq!(claim(40, false).most_counted(100), 99);
    }

    #[test]
    fn the_smaller_room_counts() {
        let left = |limit, left| Some(Left { limit, left });
        let room = |requests, tokens| Room {
            requests,
            tokens,
            minute: Minute(1),
            resets_in_s: 5,
        };
        let (user, key) = (room(left(60, 3), None), room(left(10, 9), left(100, 0)));
        let room = user.smaller(key);
        assert_eq!((room.requests, room.tokens), (left(60, 3), left(100, 0)));
    }
}
