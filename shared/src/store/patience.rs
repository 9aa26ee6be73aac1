//! How long to bear a busy table: how many tries, and the pause between two of them.

use std::time::Duration;

use crate::random;

/// How often a transaction is sent whose outcome is unknown, or which met another one.
pub(super) const TRIES: u32 = 8;

/// Lets others go first: after each try for longer, and by chance, so that those who met do not meet
/// again.
pub(super) async fn pause(tries: u32) {
    let most_ms = 5_u64 << tries.min(5);
    tokio::time::sleep(Duration::from_millis(random::below(most_ms))).await;
}
