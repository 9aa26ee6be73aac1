//! What every job may touch.

use shared::clock::Clock;
use shared::store::Store;

/// The jobs' state. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App {
    /// What is kept.
    pub store: Store,
    /// The time.
    pub clock: Clock,
}
