//! What runs by itself: maintenance jobs, and the deletion of what has expired.

use std::time::Duration;

use maintenance::app::App;
use maintenance::jobs::{self, JOBS, Order};
use serde_json::{Map, json};
use tokio::time::{MissedTickBehavior, interval_at};
use tokio_util::task::TaskTracker;

use crate::engine::Engine;

/// How often expired items are deleted.
const EXPIRY: Duration = Duration::from_secs(3_600);

/// Ends what an earlier process left behind. Nothing else uses the embedded engine's file, so every
/// lease and every hold in it is a lost one.
pub(crate) async fn reconcile(app: &App) {
    for job in JOBS {
        if let Err(error) = app.store.jobs().end_lease(job.name()).await {
            let error = shared::trace::chain(&error);
            tracing::warn!(job = job.name(), error, "a lease was not ended");
        }
    }
    let arguments = Map::from_iter([("older_than_seconds".to_owned(), json!(0))]);
    // It has logged what went wrong.
    let _ = jobs::run(
        app,
        Order {
            job: "release_holds".to_owned(),
            arguments,
        },
    )
    .await;
}

/// Starts everything that runs by itself.
pub(crate) fn start(tasks: &TaskTracker, app: &App, engine: Option<Engine>) {
    for job in JOBS {
        let Some(every_s) = job.every_s() else {
            continue;
        };
        let app = app.clone();
        tasks.spawn(async move {
            let mut ticks = every(Duration::from_secs(every_s));
            loop {
                ticks.tick().await;
                let order = Order {
                    job: job.name().to_owned(),
                    arguments: Map::new(),
                };
                // It has logged what went wrong.
                let _ = jobs::run(&app, order).await;
            }
        });
    }
    if let Some(engine) = engine {
        tasks.spawn(async move {
            let mut ticks = every(EXPIRY);
            loop {
                ticks.tick().await;
                if let Err(error) = engine.delete_expired() {
                    tracing::warn!(%error, "expired items were not deleted");
                }
            }
        });
    }
}

fn every(period: Duration) -> tokio::time::Interval {
    let mut ticks = interval_at(tokio::time::Instant::now() + period, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use shared::clock::Clock;
    use shared::store::Store;

    use super::*;
    use crate::engine::TABLE_NAME;

    #[tokio::test]
    async fn a_process_that_died_in_a_job_keeps_nobody_from_it() {
        let engine = Engine::in_memory().unwrap();
        let store = Store::new(engine.client(), TABLE_NAME);
        store.create_table().await.unwrap();
        let app = App {
            store,
            clock: Clock::system(),
        };
        let (leases, now) = (app.store.jobs(), app.clock.now_ms());
        for job in JOBS {
            let dead = leases.lease(job.name(), "dead", now, now + 900_000).await;
            assert!(dead.unwrap());
        }
        reconcile(&app).await;
        let remembered: Option<Value> = leases.state("release_holds").await.unwrap();
        assert!(remembered.is_some(), "the reconciler has run");
        for job in JOBS {
            let taken = leases.lease(job.name(), "new", now, now + 1).await;
            assert!(taken.unwrap(), "{} is free", job.name());
        }
    }
}
