//! The admin as a Lambda function.

use std::sync::Arc;

use admin::app::App;
use admin::config::AdminConfig;
use admin::lambda_jobs::LambdaJobs;
use admin::relay_probe::RelayProbe;
use admin::router::{router, with_health};
use shared::clock::Clock;
use shared::front::Front;
use shared::secrets::SecretSource;
use shared::store::Store;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let config = AdminConfig::from_env()?;
    shared::trace::start(config.log_level.as_deref());
    let sdk = shared::aws::configure().await;
    let secrets = SecretSource::manager(&sdk, &config.secret_arn);
    let app = App::new(
        Store::from_sdk(&sdk, &config.table_name),
        secrets.clone(),
        Clock::system(),
        Arc::new(LambdaJobs::new(&sdk, config.maintenance_function)),
        Arc::new(RelayProbe::new(config.relay_url, secrets)),
    )
    .behind(config.front);
    let service = with_health(router(app));
    match config.front {
        Front::Alb => lambda_http::run(service).await,
        Front::FunctionUrl | Front::Direct => {
            lambda_http::run_with_streaming_response(service).await
        }
    }
}
