//! What is kept: the only room that knows DynamoDB. One handle a noun, on one table.

mod activity;
pub mod configuration;
pub mod corrections;
mod creation;
pub mod credits;
pub mod error;
pub mod history;
pub mod jobs;
pub mod keys;
pub mod ledger;
mod patience;
pub mod price_history;
pub mod redemption_codes;
pub mod rollups;
mod schema;
mod table;
mod usage_list;
pub mod usage_log;
pub mod usage_sums;
pub mod users;
pub mod wallets;
pub mod windows;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub use error::StoreError;
use table::Table;

/// Everything that Tollhouse keeps. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    table: Table,
    changes: Arc<AtomicU64>,
    noted_active: Arc<activity::NotedActive>,
    noted_holders: Arc<ledger::holders::NotedHolders>,
    seen_minutes: Arc<ledger::SeenMinutes>,
}

/// One page of a list, and where the next begins.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The things, in the list's order.
    pub items: Vec<T>,
    /// What to ask for the next page with; `None` on the last one.
    pub next: Option<String>,
}

impl Store {
    /// The store on the table of that name.
    #[must_use]
    pub fn new(client: aws_sdk_dynamodb::Client, table_name: impl Into<String>) -> Self {
        Self {
            table: Table::new(client, table_name.into()),
            changes: Arc::default(),
            noted_active: Arc::default(),
            noted_holders: Arc::default(),
            seen_minutes: Arc::default(),
        }
    }

    /// The store on the table of that name, by the configuration of the AWS SDK.
    #[must_use]
    pub fn from_sdk(config: &aws_config::SdkConfig, table_name: impl Into<String>) -> Self {
        Self::new(aws_sdk_dynamodb::Client::new(config), table_name)
    }

    /// Creates the table if it is not there: for an engine that no template sets up.
    ///
    /// # Errors
    /// When the engine refuses.
    pub async fn create_table(&self) -> Result<(), StoreError> {
        self.table.create().await
    }

    /// How often users, keys or configuration were changed through this very process.
    ///
    /// What is cached from them is stale when this number moves, so that on one machine a change is
    /// visible at once. Other processes learn of it by the age of their cache.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    fn changed(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
    }
}
