//! Maintenance jobs on AWS: the maintenance function is invoked, and its report awaited.

use std::time::Duration;

use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::retry::RetryConfig;
use aws_sdk_lambda::config::timeout::TimeoutConfig;
use aws_sdk_lambda::error::SdkError;
use aws_sdk_lambda::primitives::Blob;
use futures_util::future::BoxFuture;
use serde_json::Value;
use shared::failure::{Failure, Kind};

use crate::jobs::RunJob;

/// A little less than the admin function itself may take.
const PATIENCE: Duration = Duration::from_secs(26);

/// Runs jobs in the maintenance function.
#[derive(Debug)]
pub struct LambdaJobs {
    client: Client,
    function: Option<String>,
}

impl LambdaJobs {
    /// Jobs that run in the function of that name. Without one, every job is refused.
    #[must_use]
    pub fn new(sdk: &aws_config::SdkConfig, function: Option<String>) -> Self {
        // A job may take longer than the SDK's usual patience, and asking twice would run it twice.
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(PATIENCE)
            .operation_timeout(PATIENCE)
            .build();
        let config = aws_sdk_lambda::config::Builder::from(sdk)
            .timeout_config(timeouts)
            .retry_config(RetryConfig::disabled())
            .build();
        Self {
            client: Client::from_conf(config),
            function,
        }
    }

    async fn invoke(&self, name: &str, mut payload: Value) -> Result<Value, Failure> {
        let Some(function) = &self.function else {
            let text = "This installation names no maintenance function.";
            return Err(Failure::new(Kind::Unavailable, "jobs_unavailable", text));
        };
        if let Some(members) = payload.as_object_mut() {
            members.insert("job".to_owned(), Value::from(name));
        }
        let payload = serde_json::to_vec(&payload).map_err(Failure::internal)?;
        let invoke = self.client.invoke().function_name(function);
        let answer = invoke.payload(Blob::new(payload)).send().await;
        let answer = answer.map_err(|error| match error {
            SdkError::TimeoutError(_) => still_running(name),
            error => Failure::internal(error),
        })?;
        let report = answer.payload().map_or(&[][..], |blob| blob.as_ref());
        let report: Value = serde_json::from_slice(report).map_err(Failure::internal)?;
        match answer.function_error() {
            None => Ok(report),
            Some(_) => Err(failed(name, &report)),
        }
    }
}

impl RunJob for LambdaJobs {
    fn run(&self, name: &str, arguments: Value) -> BoxFuture<'_, Result<Value, Failure>> {
        let name = name.to_owned();
        Box::pin(async move { self.invoke(&name, arguments).await })
    }
}

fn still_running(name: &str) -> Failure {
    let text = format!("The job {name} is still running. Its report will be in the logs.");
    Failure::new(Kind::Timeout, "job_running", text)
}

/// A function that fails answers `{"errorType","errorMessage"}`. Ours puts into the type what is wrong: a
/// job that is not there, or an argument that makes no sense, is the fault of whoever asked.
/// <https://docs.aws.amazon.com/lambda/latest/dg/rust-handler.html>
fn failed(name: &str, report: &Value) -> Failure {
    let text = |member| report.get(member).and_then(Value::as_str);
    let message = text("errorMessage").unwrap_or_default();
    let told = text("errorType").and_then(|tag| Failure::from_tag(tag, message));
    if let Some(told) = told.filter(|told| told.kind != Kind::Internal) {
        return told;
    }
    let text = format!("The job {name} failed. Its logs say why.");
    Failure::new(Kind::Internal, "job_failed", text).because(message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_wrong_with_an_argument_is_told() {
        let failure = Failure::bad_field("from", "The time ends before it begins.");
        let report = json!({ "errorType": failure.tag(), "errorMessage": failure.public });
        let told = failed("re_rate", &report);
        assert_eq!(
            (told.kind, told.code.as_ref()),
            (Kind::BadRequest, "invalid_value")
        );
        assert_eq!(told.field.as_deref(), Some("from"));
        assert_eq!(told.public, "The time ends before it begins.");
    }

    #[test]
    fn a_fault_says_no_more_than_that_it_is_one() {
        let of_ours = Failure::internal("secret").tag();
        for kind in [of_ours.as_str(), "Runtime.ExitError", "Sandbox.Timedout"] {
            let report = json!({ "errorType": kind, "errorMessage": "RequestId: 7" });
            let told = failed("re_rate", &report);
            assert_eq!(
                (told.kind, told.code.as_ref()),
                (Kind::Internal, "job_failed")
            );
            assert!(!told.public.contains('7'));
        }
    }
}
