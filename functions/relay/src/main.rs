//! The relay as a Lambda function.

use relay::app::App;
use relay::config::RelayConfig;
use relay::router::router;
use relay::upstream::Upstream;
use shared::clock::Clock;
use shared::front::Front;
use shared::secrets::SecretSource;
use shared::store::Store;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let config = RelayConfig::from_env()?;
    shared::trace::start(config.log_level.as_deref());
    let sdk = shared::aws::configure().await;
    let app = App::new(
        Store::from_sdk(&sdk, &config.table_name),
        SecretSource::manager(&sdk, &config.secret_arn),
        Upstream::new()
            .with_sdk(sdk.clone())
            .with_bedrock_url(config.bedrock_url)
            .with_media_from(config.media_from),
        Clock::system(),
    )
    .behind(config.front);
    match config.front {
        Front::Alb => lambda_http::run(router(app)).await,
        Front::FunctionUrl | Front::Direct => {
            lambda_http::run_with_streaming_response(router(app)).await
        }
    }
}
