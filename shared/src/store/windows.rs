//! Windows: counters of one minute, for rate limits and for sign-ins that failed.

use super::schema;
use super::table::{Read, n, number};
use super::{Store, StoreError};
use crate::domain::limit::{Limits, Minute};

/// How long a window is kept after its minute, in seconds.
const KEPT_S: i64 = 3_600;

/// The handle.
#[derive(Debug, Clone, Copy)]
pub struct WindowStore<'a>(&'a Store);

/// Which of a window's limits is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// Requests per minute.
    Requests,
    /// Tokens per minute.
    Tokens,
}

impl Store {
    /// Counters of one minute.
    #[must_use]
    pub const fn windows(&self) -> WindowStore<'_> {
        WindowStore(self)
    }
}

impl WindowStore<'_> {
    /// Counts one request of `what` in this minute, unless a limit is reached.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn count(
        &self,
        what: &str,
        minute: Minute,
        limits: Limits,
    ) -> Result<Result<(), Reached>, StoreError> {
        let most = |limit: Option<u32>| n(limit.map_or(i64::MAX, i64::from));
        let table = &self.0.table;
        let sent = table
            .once
            .update_item()
            .table_name(&table.name)
            .set_key(Some(schema::window(what, minute).attributes()))
            .update_expression("ADD requests :one SET #ttl = :ttl")
            .condition_expression(
                "(attribute_not_exists(requests) OR requests < :rpm) AND \
                 (attribute_not_exists(tokens) OR tokens < :tpm)",
            )
            .expression_attribute_names("#ttl", schema::TTL)
            .expression_attribute_values(":one", n(1))
            .expression_attribute_values(":rpm", most(limits.rpm))
            .expression_attribute_values(":tpm", most(limits.tpm))
            .expression_attribute_values(":ttl", n((minute.0 + 1) * 60 + KEPT_S))
            .send()
            .await;
        match sent.map_err(StoreError::from) {
            Ok(_) => Ok(Ok(())),
            Err(StoreError::Conflict) => Ok(Err(self.which(what, minute, limits).await?)),
            Err(error) => Err(error),
        }
    }

    /// Adds what a call used to this minute.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn add_tokens(
        &self,
        what: &str,
        minute: Minute,
        tokens: u64,
    ) -> Result<(), StoreError> {
        let table = &self.0.table;
        table
            .once
            .update_item()
            .table_name(&table.name)
            .set_key(Some(schema::window(what, minute).attributes()))
            .update_expression("ADD tokens :tokens SET #ttl = :ttl")
            .expression_attribute_names("#ttl", schema::TTL)
            .expression_attribute_values(":tokens", n(tokens))
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
        let item = self
            .0
            .table
            .get(schema::window(what, minute), Read::Latest)
            .await?;
        Ok(item.and_then(|item| number(&item, "requests")).unwrap_or(0))
    }

    async fn which(
        &self,
        what: &str,
        minute: Minute,
        limits: Limits,
    ) -> Result<Reached, StoreError> {
        let requests = self.counted(what, minute).await?;
        let full = limits.rpm.is_some_and(|rpm| requests >= u64::from(rpm));
        Ok(if full {
            Reached::Requests
        } else {
            Reached::Tokens
        })
    }
}
