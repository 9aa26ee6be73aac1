//! What every request may touch.

use std::sync::Arc;

use jiff::Timestamp;
use shared::clock::Clock;
use shared::failure::{Failure, Kind};
use shared::front::Front;
use shared::secrets::{SecretSource, Secrets};
use shared::store::Store;
use tokio::sync::OnceCell;

use crate::first_start;
use crate::jobs::RunJob;
use crate::price_source::PriceSource;
use crate::probe::ProbeChannel;

/// The admin's state. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App {
    /// What is kept.
    pub store: Store,
    /// The secret.
    pub secrets: SecretSource,
    /// The time.
    pub clock: Clock,
    /// Who runs maintenance jobs.
    pub jobs: Arc<dyn RunJob>,
    /// Who asks the relay about a channel.
    pub prober: Arc<dyn ProbeChannel>,
    /// Where price maps are fetched from.
    pub price_source: PriceSource,
    /// What stands in front of this process.
    pub front: Front,
    started: Arc<OnceCell<()>>,
}

impl App {
    /// An admin to which callers connect directly.
    #[must_use]
    pub fn new(
        store: Store,
        secrets: SecretSource,
        clock: Clock,
        jobs: Arc<dyn RunJob>,
        prober: Arc<dyn ProbeChannel>,
    ) -> Self {
        Self {
            store,
            secrets,
            clock,
            jobs,
            prober,
            price_source: PriceSource::default(),
            front: Front::Direct,
            started: Arc::default(),
        }
    }

    /// The same admin behind something. Its first request makes the first administrator, who signs in
    /// with the secret's one-time password; a process without a front does that by itself.
    #[must_use]
    pub fn behind(mut self, front: Front) -> Self {
        self.front = front;
        self
    }

    /// The same admin, which fetches price maps from there.
    #[must_use]
    pub fn with_price_source(mut self, source: PriceSource) -> Self {
        self.price_source = source;
        self
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The time for a new id.
    pub(crate) fn at_ms(&self) -> u64 {
        u64::try_from(self.clock.now_ms()).unwrap_or(0)
    }

    /// The secret, or why the request cannot be served.
    pub(crate) async fn secrets(&self) -> Result<&Secrets, Failure> {
        self.secrets.get().await.map_err(|error| {
            let text = "The secret cannot be read. Try again in a moment.";
            let failure = Failure::new(Kind::Unavailable, "secret_unavailable", text);
            failure.retry_after(1).because(error)
        })
    }

    /// Makes the first administrator, once a process; does nothing when there is one.
    pub(crate) async fn start(&self) -> Result<(), Failure> {
        if self.front == Front::Direct {
            return Ok(());
        }
        let start = || async {
            let password = &self.secrets().await?.admin_password;
            first_start::ensure_root(&self.store, &self.clock, password, true).await?;
            Ok(())
        };
        self.started.get_or_try_init(start).await.copied()
    }
}
