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
/// hold in it is a lost one.
pub(crate) async fn reconcile(app: &App) {
    let arguments = Map::from_iter([("older_than_seconds".to_owned(), json!(0))]);
    // A process that died may have left the lease; its time ends by itself.
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
