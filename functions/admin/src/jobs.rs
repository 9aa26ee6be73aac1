//! Maintenance jobs, as the admin sees them: somebody runs them.

use std::fmt::Debug;

use futures_util::future::BoxFuture;
use serde_json::Value;
use shared::failure::Failure;

/// Runs maintenance jobs: the maintenance function on AWS, the same process on one machine.
pub trait RunJob: Debug + Send + Sync {
    /// Runs the job of that name at once, with the members of `arguments` (an object), and answers its
    /// report. A failure of kind `Missing` says that there is no such job.
    fn run(&self, name: &str, arguments: Value) -> BoxFuture<'_, Result<Value, Failure>>;
}
