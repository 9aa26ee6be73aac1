//! The jobs: one file each, one line here.

mod re_rate;
mod release_holds;
mod reset_budgets;
mod roll_up;

use std::future::Future;
use std::pin::Pin;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use shared::failure::{Failure, Kind};
use shared::random;

use crate::app::App;

/// Every job.
pub const JOBS: &[&dyn Job] = &[
    &release_holds::ReleaseHolds,
    &reset_budgets::ResetBudgets,
    &roll_up::RollUp,
    &re_rate::ReRate,
];

/// For how long a run may keep others from running, in milliseconds: as long as Lambda lets it live.
const LEASE_MS: i64 = 15 * 60 * 1_000;

/// What a run says of itself: a JSON object.
pub type Report<'a> = Pin<Box<dyn Future<Output = Result<Value, Failure>> + Send + 'a>>;

/// Something that must be done once.
pub trait Job: Send + Sync + std::fmt::Debug {
    /// Its name, as schedules and administrators call it.
    fn name(&self) -> &'static str;

    /// How often it runs by itself, in seconds. The template says the same. `None` for a job that runs
    /// only when somebody asks for it.
    fn every_s(&self) -> Option<u64>;

    /// Does it. A second run right after the first changes nothing.
    fn run<'a>(&'a self, app: &'a App, arguments: &'a Map<String, Value>) -> Report<'a>;
}

/// An order to run a job.
#[derive(Debug, Clone, Deserialize)]
pub struct Order {
    /// Which.
    pub job: String,
    /// With which arguments.
    #[serde(flatten)]
    pub arguments: Map<String, Value>,
}

/// Runs a job, unless another run of it is under way.
///
/// # Errors
/// When there is no such job, its arguments make no sense, or the table does not answer.
pub async fn run(app: &App, order: Order) -> Result<Value, Failure> {
    let job = JOBS.iter().find(|job| job.name() == order.job);
    let job = job.ok_or_else(|| Failure::missing("job", &order.job))?;
    let owner = random::text(20);
    let now_ms = app.clock.now_ms();
    if !app
        .store
        .jobs()
        .lease(job.name(), &owner, now_ms, now_ms + LEASE_MS)
        .await?
    {
        let text = format!("The job {} is running already.", job.name());
        return Err(Failure::new(Kind::Conflict, "job_running", text).retry_after(10));
    }
    let report = job.run(app, &order.arguments).await;
    app.store.jobs().finish(job.name(), &owner).await?;
    match &report {
        Ok(report) => tracing::info!(job = job.name(), %report, "job ended"),
        // Whoever asked for it is told, and can ask better.
        Err(failure) if failure.kind == Kind::BadRequest => {
            let error = shared::trace::chain(failure);
            tracing::info!(job = job.name(), error, "job refused");
        }
        Err(failure) => {
            let error = shared::trace::chain(failure);
            tracing::error!(job = job.name(), error, "job failed");
        }
    }
    report.map(|report| json!({ "job": job.name(), "report": report }))
}
