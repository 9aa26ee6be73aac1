//! The AWS SDK's configuration, made once by each `main.rs`.

use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

/// The configuration from the environment: region, credentials, and the `AWS_ENDPOINT_URL_…`
/// variables. TLS by rustls with ring; certificates are read when the first connection needs them.
pub async fn configure() -> SdkConfig {
    loader(https()).load().await
}

/// The same for a region that is known: nothing is asked for it then.
pub async fn configure_in(region: String) -> SdkConfig {
    loader(https()).region(Region::new(region)).load().await
}

fn https() -> impl aws_sdk_dynamodb::config::HttpClient + 'static {
    aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https()
}

/// The same, over another HTTP client: one without TLS for an engine on loopback, or one that fails
/// on purpose.
pub fn loader(
    http: impl aws_sdk_dynamodb::config::HttpClient + 'static,
) -> aws_config::ConfigLoader {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(Duration::from_secs(5))
        .operation_timeout(Duration::from_secs(20))
        .build();
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that makes the configuration"
    )]
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .timeout_config(timeouts)
}
