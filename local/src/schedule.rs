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
/// lease in it is a dead one's, and every hold a lost one.
pub(crate) async fn reconcile(app: &App) {
    for job in JOBS {
        // The job itself tells if the table does not answer.
        let _ = app.store.jobs().free(job.name()).await;
    }
    let arguments = Map::from_iter([("older_than_seconds".to_owned(), json!(0))]);
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
    async fn a_process_that_died_in_a_job_keeps_no_start_from_reconciling() {
        let engine = Engine::in_memory().unwrap();
        let app = App {
            store: Store::new(engine.client(), TABLE_NAME),
            clock: Clock::system(),
        };
        app.store.create_table().await.unwrap();
        let (jobs, now_ms) = (app.store.jobs(), app.clock.now_ms());
        let taken = jobs.lease("release_holds", "the dead", now_ms, now_ms + 900_000);
        assert!(taken.await.unwrap());
        reconcile(&app).await;
        // It has run, and remembers how far it came.
        let memory: Option<Value> = jobs.state("release_holds").await.unwrap();
        assert!(memory.is_some());
    }
}
