//! Windows: counters of one minute, for sign-ins that failed. What calls are limited by, wallets count.

use super::schema;
use super::table::{Read, n, number};
use super::{Store, StoreError};
use crate::domain::limit::Minute;

/// How long a window is kept after its minute, in seconds.
const KEPT_S: i64 = 3_600;

/// The handle.
#[derive(Debug, Clone, Copy)]
pub struct WindowStore<'a>(&'a Store);

impl Store {
    /// Counters of one minute.
    #[must_use]
    pub const fn windows(&self) -> WindowStore<'_> {
        WindowStore(self)
    }
}

impl WindowStore<'_> {
    /// Counts one of `what` in this minute.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn count(&self, what: &str, minute: Minute) -> Result<(), StoreError> {
        let table = &self.0.table;
        table
            .once
            .update_item()
            .table_name(&table.name)
            .set_key(Some(schema::window(what, minute).attributes()))
            .update_expression("ADD requests :one SET #ttl = :ttl")
            .expression_attribute_names("#ttl", schema::TTL)
            .expression_attribute_values(":one", n(1))
            .expression_attribute_values(":ttl", n((minute.0 + 1) * 60 + KEPT_S))
            .send()
            .await?;
        Ok(())
    }

    /// How often `what` was counted in this minute.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn counted(&self, what: &str, minute: Minute) -> Result<u64, StoreError> {
        let key = schema::window(what, minute);
        let item = self.0.table.get(key, Read::Latest).await?;
        Ok(item.and_then(|item| number(&item, "requests")).unwrap_or(0))
    }
}
