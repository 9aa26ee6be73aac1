//! What every request may touch.

use std::sync::Arc;

use shared::clock::Clock;
use shared::domain::id::RequestId;
use shared::failure::Failure;
use shared::front::Front;
use shared::random;
use shared::secrets::{SecretSource, Secrets};
use shared::store::Store;
use tokio_util::task::TaskTracker;

use crate::dice::Dice;
use crate::snapshot::{Callers, Snapshots};
use crate::upstream::Upstream;

/// The relay's state. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App {
    /// What is kept.
    pub store: Store,
    /// The secret.
    pub secrets: SecretSource,
    /// The way to providers.
    pub upstream: Upstream,
    /// The time.
    pub clock: Clock,
    /// Chance.
    pub dice: Dice,
    /// What stands in front of this process.
    pub front: Front,
    /// Calls in flight: whoever shuts down waits for them.
    pub calls: TaskTracker,
    pub(crate) snapshots: Arc<Snapshots>,
    pub(crate) callers: Arc<Callers>,
}

impl App {
    /// A relay to which callers connect directly.
    #[must_use]
    pub fn new(store: Store, secrets: SecretSource, upstream: Upstream, clock: Clock) -> Self {
        Self {
            store,
            secrets,
            upstream,
            clock,
            dice: Dice::random(),
            front: Front::Direct,
            calls: TaskTracker::new(),
            snapshots: Arc::default(),
            callers: Arc::default(),
        }
    }

    /// The same relay behind something.
    #[must_use]
    pub fn behind(mut self, front: Front) -> Self {
        self.front = front;
        self
    }

    /// The same relay with another source of chance.
    #[must_use]
    pub fn with_dice(mut self, dice: Dice) -> Self {
        self.dice = dice;
        self
    }

    /// The id of a request that arrives now.
    pub(crate) fn new_request_id(&self) -> RequestId {
        let at_ms = u64::try_from(self.clock.now_ms()).unwrap_or(0);
        RequestId::from_parts(at_ms, random::bits())
    }

    /// The secret, or why the call cannot be served.
    pub(crate) async fn secrets(&self) -> Result<&Secrets, Failure> {
        self.secrets.get().await.map_err(Failure::internal)
    }
}
