//! Maintenance jobs: a lease, so that one runs at a time, and what a job remembers.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::schema;
use super::table::{Read, n, s};
use super::{Store, StoreError};

/// The handle.
#[derive(Debug, Clone, Copy)]
pub struct JobStore<'a>(&'a Store);

impl Store {
    /// Leases and states of maintenance jobs.
    #[must_use]
    pub const fn jobs(&self) -> JobStore<'_> {
        JobStore(self)
    }
}

impl JobStore<'_> {
    /// Takes the lease of a job until `until_ms`; `false` when somebody else has it.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn lease(
        &self,
        name: &str,
        owner: &str,
        now_ms: i64,
        until_ms: i64,
    ) -> Result<bool, StoreError> {
        let table = &self.0.table;
        let sent = table
            .client
            .update_item()
            .table_name(&table.name)
            .set_key(Some(schema::job(name).attributes()))
            .update_expression("SET leased_until = :until, lease_owner = :owner")
            // The owner's own write, repeated, is no conflict.
            .condition_expression(
                "attribute_not_exists(leased_until) OR leased_until <= :now OR lease_owner = :owner",
            )
            .expression_attribute_values(":until", n(until_ms))
            .expression_attribute_values(":now", n(now_ms))
            .expression_attribute_values(":owner", s(owner))
            .send()
            .await;
        match sent.map_err(StoreError::from) {
            Ok(_) => Ok(true),
            Err(StoreError::Conflict) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Gives the lease back. One that has passed to somebody else stays theirs.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn finish(&self, name: &str, owner: &str) -> Result<(), StoreError> {
        let table = &self.0.table;
        let sent = table
            .client
            .update_item()
            .table_name(&table.name)
            .set_key(Some(schema::job(name).attributes()))
            .update_expression("REMOVE leased_until, lease_owner")
            .condition_expression("lease_owner = :owner")
            .expression_attribute_values(":owner", s(owner))
            .send()
            .await;
        match sent.map_err(StoreError::from) {
            Ok(_) | Err(StoreError::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Takes the lease of a job from whoever has it: for those who know that nobody runs it any more.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn free(&self, name: &str) -> Result<(), StoreError> {
        let table = &self.0.table;
        table
            .client
            .update_item()
            .table_name(&table.name)
            .set_key(Some(schema::job(name).attributes()))
            .update_expression("REMOVE leased_until, lease_owner")
            .send()
            .await?;
        Ok(())
    }

    /// What a job remembers from its last run.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn state<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, StoreError> {
        let item = self.0.table.get(schema::job(name), Read::Latest).await?;
        let Some(state) = item.and_then(|mut item| item.remove("state")) else {
            return Ok(None);
        };
        Ok(Some(
            serde_dynamo::aws_sdk_dynamodb_1::from_attribute_value(state)?,
        ))
    }

    /// Remembers something for the next run.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn remember(
        &self,
        name: &str,
        state: &(impl Serialize + Sync),
    ) -> Result<(), StoreError> {
        let table = &self.0.table;
        table
            .client
            .update_item()
            .table_name(&table.name)
            .set_key(Some(schema::job(name).attributes()))
            .update_expression("SET #state = :state")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(
                ":state",
                serde_dynamo::aws_sdk_dynamodb_1::to_attribute_value(state)?,
            )
            .send()
            .await?;
        Ok(())
    }
}
