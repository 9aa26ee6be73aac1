//! The one secret: origin token, master key, first password; in Secrets Manager or in a file's text.

use std::sync::Arc;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::put_secret_value::PutSecretValueError;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;

use crate::random;

/// What everything that is sealed or signed hangs on: at least 32 random bytes as text.
#[derive(Clone)]
pub struct MasterKey(SecretString);

impl MasterKey {
    /// A master key of this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// A new one.
    #[must_use]
    pub fn random() -> Self {
        Self::new(random::text(64))
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey")
    }
}

/// The members of the secret.
#[derive(Debug, Clone)]
pub struct Secrets {
    /// What CloudFront sends with every request, so that nobody else can.
    pub origin_token: SecretString,
    /// What everything that is sealed or signed hangs on.
    pub master_key: MasterKey,
    /// The first administrator's one-time password.
    pub admin_password: SecretString,
}

/// Why the secret cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// Secrets Manager says no, or nothing.
    #[error("Secrets Manager did not give the secret")]
    Manager(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The secret is not the JSON object that the template makes.
    #[error("the secret is not a JSON object with the member origin_token")]
    Malformed,
}

/// Where the secret comes from. Cheap to clone; Secrets Manager is asked once a process.
#[derive(Debug, Clone)]
pub struct SecretSource(Arc<Source>);

#[derive(Debug)]
enum Source {
    Fixed(Secrets),
    Manager {
        client: Client,
        arn: String,
        loaded: OnceCell<Secrets>,
    },
}

impl SecretSource {
    /// A secret that is known already.
    #[must_use]
    pub fn fixed(secrets: Secrets) -> Self {
        Self(Arc::new(Source::Fixed(secrets)))
    }

    /// A secret that Secrets Manager keeps, read when it is first needed.
    #[must_use]
    pub fn manager(config: &aws_config::SdkConfig, arn: impl Into<String>) -> Self {
        let client = Client::new(config);
        Self(Arc::new(Source::Manager {
            client,
            arn: arn.into(),
            loaded: OnceCell::new(),
        }))
    }

    /// The secret.
    ///
    /// # Errors
    /// When Secrets Manager cannot be asked; the next call asks again.
    pub async fn get(&self) -> Result<&Secrets, SecretsError> {
        match &*self.0 {
            Source::Fixed(secrets) => Ok(secrets),
            Source::Manager {
                client,
                arn,
                loaded,
            } => loaded.get_or_try_init(|| load(client, arn)).await,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Members {
    origin_token: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    master_key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    admin_password: Option<String>,
}

/// The template's generator makes one random member only, so the first start adds the others. The fixed
/// token makes that happen once: Secrets Manager takes one value per token, and whoever comes second
/// is told so and reads the first one's. (At most 64 characters, at least 32.)
/// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html>
const FIRST_START: &str = "tollhouse-first-start-0000000000000001";

/// Loads the secret, and completes it at the first start of all.
///
/// # Errors
/// When Secrets Manager cannot be asked, or the secret is not what the template makes.
async fn load(client: &Client, arn: &str) -> Result<Secrets, SecretsError> {
    let members = read(client, arn).await?;
    match complete(&members) {
        Some(secrets) => Ok(secrets),
        None => complete_first_start(client, arn, members).await,
    }
}

async fn complete_first_start(
    client: &Client,
    arn: &str,
    mut members: Members,
) -> Result<Secrets, SecretsError> {
    members.master_key.get_or_insert_with(|| random::text(64));
    members
        .admin_password
        .get_or_insert_with(|| random::text(24));
    let text = serde_json::to_string(&members).map_err(|_| SecretsError::Malformed)?;
    let put = client
        .put_secret_value()
        .secret_id(arn)
        .client_request_token(FIRST_START)
        .secret_string(text)
        .send()
        .await;
    match put.map_err(aws_sdk_secretsmanager::error::SdkError::into_service_error) {
        Ok(_) | Err(PutSecretValueError::ResourceExistsException(_)) => {}
        Err(error) => return Err(SecretsError::Manager(Box::new(error))),
    }
    complete(&read(client, arn).await?).ok_or(SecretsError::Malformed)
}

async fn read(client: &Client, arn: &str) -> Result<Members, SecretsError> {
    let answer = client.get_secret_value().secret_id(arn).send().await;
    let value =
        answer.map_err(|error| SecretsError::Manager(Box::new(error.into_service_error())))?;
    let text = value.secret_string().ok_or(SecretsError::Malformed)?;
    // The parser's message could quote the secret: it is dropped on purpose.
    serde_json::from_str(text).map_err(|_| SecretsError::Malformed)
}

fn complete(members: &Members) -> Option<Secrets> {
    Some(Secrets {
        origin_token: SecretString::from(members.origin_token.as_str()),
        master_key: MasterKey::new(members.master_key.clone()?),
        admin_password: SecretString::from(members.admin_password.as_deref()?),
    })
}
