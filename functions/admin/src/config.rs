//! What the admin function reads from its environment.

use shared::env::{self, BadVariable};
use shared::front::Front;

/// The admin function's variables.
#[derive(Debug, Clone)]
pub struct AdminConfig {
    /// `TABLE_NAME`: the table.
    pub table_name: String,
    /// `SECRET_ARN`: the secret.
    pub secret_arn: String,
    /// `FRONT`: `function-url` or `alb`.
    pub front: Front,
    /// `LOG_LEVEL`: `error`, `warn`, `info`, `debug` or `trace`.
    pub log_level: Option<String>,
    /// `MAINTENANCE_FUNCTION`: the function that runs jobs; without it no job can be run by hand.
    pub maintenance_function: Option<String>,
    /// `RELAY_URL`: where the relay answers; without it no channel can be tested.
    pub relay_url: Option<String>,
}

impl AdminConfig {
    /// Reads them.
    ///
    /// # Errors
    /// When one that must be there is missing.
    pub fn from_env() -> Result<Self, BadVariable> {
        Ok(Self {
            table_name: env::required("TABLE_NAME")?,
            secret_arn: env::required("SECRET_ARN")?,
            front: Front::from_variable(env::optional("FRONT").as_deref()),
            log_level: env::optional("LOG_LEVEL"),
            maintenance_function: env::optional("MAINTENANCE_FUNCTION"),
            relay_url: env::optional("RELAY_URL"),
        })
    }
}
