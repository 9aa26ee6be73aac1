//! Codes that do not exist, counted by who tries them. A code that exists is no guess.

use shared::domain::id::UserId;

use crate::throttle::Throttle;

/// Failures a minute of one user.
const OF_ONE_USER: u64 = 10;

/// The counter of a user.
pub(super) fn of(user: UserId) -> Throttle {
    let counters = vec![(format!("redemption:{user}"), OF_ONE_USER)];
    Throttle::new(counters, "Too many codes were wrong. Wait a minute.")
}
