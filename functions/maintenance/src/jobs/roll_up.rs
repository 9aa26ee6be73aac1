//! Adds up usage: each user's calls by day, once they have surely ended.
//!
//! Only the days of users who were active since the last run are looked at, and those with records
//! that came late. A day that is over is counted once more from its first call. What is written, and why
//! neither a repeated nor a broken run can count anything twice, is told in `shared/src/store/rollups.rs`.

use std::collections::BTreeSet;
use std::future::{Ready, ready};

use futures_util::stream::{self, StreamExt, TryStreamExt};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use serde_json::{Map, Value, json};
use shared::domain::id::UserId;
use shared::domain::rollup::{begin_of, day_of};
use shared::failure::Failure;
use shared::store::rollups::{ENDED_AFTER_MS, JOB, Reach};
use shared::store::usage_log::has_expired;

use super::{Job, Report};
use crate::app::App;

/// How far back the first run of all looks, in milliseconds.
const FIRST_LOOK_MS: i64 = 400 * 86_400 * 1_000;
/// How many days are added up at once.
const AT_ONCE: usize = 8;

/// The job.
#[derive(Debug)]
pub(super) struct RollUp;

/// What a run did.
#[derive(Debug, Default, Serialize)]
struct Done {
    /// Users' days that were looked at.
    days: usize,
    /// Those that were counted anew because records came late.
    late: usize,
    /// Those that were written.
    written: usize,
    /// Calls that began before this time are added up.
    through: Timestamp,
}

impl Job for RollUp {
    fn name(&self) -> &'static str {
        JOB
    }

    fn every_s(&self) -> Option<u64> {
        Some(900)
    }

    fn run<'a>(&'a self, app: &'a App, _: &'a Map<String, Value>) -> Report<'a> {
        Box::pin(async move { Ok(json!(roll_up(app).await?)) })
    }
}

async fn roll_up(app: &App) -> Result<Done, Failure> {
    let rollups = app.store.rollups();
    let now = app.clock.now();
    let settings = app.store.configuration().load().await?.settings;
    let through_ms = now.as_millisecond() - ENDED_AFTER_MS;
    let reached_ms = rollups.through().await?;
    let through_ms = reached_ms.map_or(through_ms, |reached| reached.max(through_ms));
    let reach = |date, anew| Reach {
        through_ms,
        anew,
        expired: has_expired(date, settings.usage_retention_days, now),
    };

    let stale = rollups.stale().await?;
    let late = stale.len();
    let anew = stream::iter(stale)
        .map(|stale| async move {
            let reach = reach(stale.date, true);
            let written = rollups.add_up(stale.user_id, stale.date, reach).await?;
            // Only what was counted before this run is forgotten: until then readers count the day
            // themselves, for the index may tell a moment late what is written now.
            if !written {
                rollups.counted(&stale).await?;
            }
            Ok::<_, Failure>(written)
        })
        .buffer_unordered(AT_ONCE)
        .try_fold(0, count)
        .await?;

    let active = active(app, reached_ms, through_ms).await?;
    let days = active.len();
    let more = stream::iter(active)
        .map(|(user, date)| async move {
            let written = rollups.add_up(user, date, reach(date, false)).await;
            written.map_err(Failure::from)
        })
        .buffer_unordered(AT_ONCE)
        .try_fold(0, count)
        .await?;

    // Only a run that added up everything moves the mark.
    if reached_ms != Some(through_ms) {
        rollups.reached(through_ms).await?;
    }
    Ok(Done {
        days,
        late,
        written: anew + more,
        through: Timestamp::from_millisecond(through_ms).map_err(Failure::internal)?,
    })
}

fn count(sum: usize, written: bool) -> Ready<Result<usize, Failure>> {
    ready(Ok(sum + usize::from(written)))
}

/// Whose calls began since the last run, by day; of days that are over since, everybody's.
async fn active(
    app: &App,
    reached_ms: Option<i64>,
    through_ms: i64,
) -> Result<BTreeSet<(UserId, Date)>, Failure> {
    let from_ms = match reached_ms {
        None => through_ms - FIRST_LOOK_MS,
        Some(reached) if day_of(reached) < day_of(through_ms) => begin_of(day_of(reached)),
        Some(reached) => reached,
    };
    Ok(app.store.rollups().active(from_ms, through_ms).await?)
}
