//! Maintenance as a Lambda function: an event `{"job": name, …arguments}` runs one job.

use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use maintenance::app::App;
use maintenance::config::MaintenanceConfig;
use maintenance::jobs::{self, Order};
use shared::clock::Clock;
use shared::store::Store;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let config = MaintenanceConfig::from_env()?;
    shared::trace::start(config.log_level.as_deref());
    let sdk = shared::aws::configure().await;
    let store = Store::from_sdk(&sdk, &config.table_name);
    let app = App {
        store,
        clock: Clock::system(),
    };
    let run = service_fn(move |event: LambdaEvent<Order>| {
        let app = app.clone();
        async move {
            // The type of the error tells the admin function what to answer.
            let ran = jobs::run(&app, event.payload).await;
            ran.map_err(|failure| Diagnostic {
                error_type: failure.tag(),
                error_message: failure.public,
            })
        }
    });
    lambda_runtime::run(run).await
}
