//! What the relay reads from its environment.

use shared::env::{self, BadVariable};
use shared::front::Front;

use crate::upstream::fetch::Reach;

/// The relay's variables.
#[derive(Debug, Clone)]
pub struct RelayConfig {
    /// `TABLE_NAME`: the table.
    pub table_name: String,
    /// `SECRET_ARN`: the secret.
    pub secret_arn: String,
    /// `FRONT`: `function-url` or `alb`.
    pub front: Front,
    /// `MEDIA_FROM`: `public`, or `private` for an installation whose users keep images in its network.
    pub media_from: Reach,
    /// `AWS_ENDPOINT_URL_BEDROCK_RUNTIME`: where Bedrock is, when not at its regions' own addresses.
    pub bedrock_url: Option<String>,
    /// `LOG_LEVEL`: `error`, `warn`, `info`, `debug` or `trace`.
    pub log_level: Option<String>,
}

impl RelayConfig {
    /// Reads them.
    ///
    /// # Errors
    /// When one that must be there is missing.
    pub fn from_env() -> Result<Self, BadVariable> {
        Ok(Self {
            table_name: env::required("TABLE_NAME")?,
            secret_arn: env::required("SECRET_ARN")?,
            front: Front::from_variable(env::optional("FRONT").as_deref()),
            media_from: match env::optional("MEDIA_FROM").as_deref() {
                Some("private") => Reach::Private,
                _ => Reach::Public,
            },
            bedrock_url: bedrock_url(),
            log_level: env::optional("LOG_LEVEL"),
        })
    }
}

/// Where Bedrock is, when not at its regions' own addresses. The AWS SDKs call it so.
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>
#[must_use]
pub fn bedrock_url() -> Option<String> {
    env::optional("AWS_ENDPOINT_URL_BEDROCK_RUNTIME")
}
