//! Credits: money put into a user's wallet, each time with a cause.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::schema;
use super::table::{Marks, Read, item, n};
use super::{Store, StoreError};
use crate::domain::hold::WalletId;
use crate::domain::id::{RequestId, UserId};
use crate::domain::money::NanoUsd;

/// Money put into a wallet, or taken out when the amount is negative.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credit {
    /// The id; it tells when. The same credit is booked once.
    pub id: RequestId,
    /// Whose wallet.
    pub user_id: UserId,
    /// How much.
    pub amount: NanoUsd,
    /// Why.
    pub note: String,
    /// Who booked it.
    pub by: UserId,
}

/// The handle.
#[derive(Debug, Clone, Copy)]
pub struct CreditStore<'a>(&'a Store);

impl Store {
    /// Credits.
    #[must_use]
    pub const fn credits(&self) -> CreditStore<'_> {
        CreditStore(self)
    }
}

impl CreditStore<'_> {
    /// Books a credit: the record and the wallet in one transaction.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it takes out more than there is, or there is no such wallet.
    pub async fn book(&self, credit: &Credit) -> Result<(), StoreError> {
        match self.send(credit).await {
            // Perhaps it is booked: the same credit once more is booked once, or found.
            Err(StoreError::Unknown(_)) => match self.send(credit).await {
                Err(StoreError::Conflict) if self.is_booked(credit).await? => Ok(()),
                other => other,
            },
            other => other,
        }
    }

    async fn is_booked(&self, credit: &Credit) -> Result<bool, StoreError> {
        let key = schema::credit(credit.user_id, credit.id);
        Ok(self.0.table.get(key, Read::Latest).await?.is_some())
    }

    async fn send(&self, credit: &Credit) -> Result<(), StoreError> {
        let table = &self.0.table;
        let record = item(
            schema::credit(credit.user_id, credit.id),
            credit,
            Marks::default(),
        )?;
        let needed = credit.amount.get().min(0).saturating_neg();
        let values = HashMap::from([
            (":amount".to_owned(), n(credit.amount.get())),
            (
                ":needed".to_owned(),
                n(if credit.amount.get() < 0 {
                    needed
                } else {
                    i64::MIN
                }),
            ),
        ]);
        table
            .transact(vec![
                table.put_action(record, Some("attribute_not_exists(pk)")),
                table.update_action(
                    schema::wallet(WalletId::User(credit.user_id)),
                    "SET balance = balance + :amount, granted = granted + :amount",
                    Some("balance >= :needed"),
                    values,
                ),
            ])
            .await
    }
}
