//! What maintenance reads from its environment.

use shared::env::{self, BadVariable};

/// Maintenance's variables.
#[derive(Debug, Clone)]
pub struct MaintenanceConfig {
    /// `TABLE_NAME`: the table.
    pub table_name: String,
    /// `LOG_LEVEL`: `error`, `warn`, `info`, `debug` or `trace`.
    pub log_level: Option<String>,
}

impl MaintenanceConfig {
    /// Reads them.
    ///
    /// # Errors
    /// When one that must be there is missing.
    pub fn from_env() -> Result<Self, BadVariable> {
        Ok(Self {
            table_name: env::required("TABLE_NAME")?,
            log_level: env::optional("LOG_LEVEL"),
        })
    }
}
