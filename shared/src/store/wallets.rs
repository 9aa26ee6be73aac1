//! Wallets as they stand: reading them, and making a budget one.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use jiff::Timestamp;

use super::schema;
use super::table::{Item, Read, n, number};
use super::{Store, StoreError};
use crate::domain::budget::Budget;
use crate::domain::hold::{HoldId, Wallet, WalletId};
use crate::domain::limit::Minute;
use crate::domain::money::NanoUsd;

/// The handle.
#[derive(Debug, Clone, Copy)]
pub struct WalletStore<'a>(&'a Store);

impl Store {
    /// Wallets as they stand.
    #[must_use]
    pub const fn wallets(&self) -> WalletStore<'_> {
        WalletStore(self)
    }
}

impl WalletStore<'_> {
    /// A wallet as it stands; `None` when there is none.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn find(&self, id: WalletId) -> Result<Option<Wallet>, StoreError> {
        let item = self.0.table.get(schema::wallet(id), Read::Latest).await?;
        Ok(item.as_ref().map(read))
    }

    /// Wallets as they stand, for a list; those that do not exist are left out.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn find_all(
        &self,
        ids: &[WalletId],
    ) -> Result<HashMap<WalletId, Wallet>, StoreError> {
        let mut found = HashMap::new();
        for some in ids.chunks(100) {
            let keys = some
                .iter()
                .map(|id| schema::wallet(*id).attributes())
                .collect();
            self.find_some(keys, &mut found).await?;
        }
        Ok(found)
    }

    async fn find_some(
        &self,
        mut keys: Vec<Item>,
        found: &mut HashMap<WalletId, Wallet>,
    ) -> Result<(), StoreError> {
        let table = &self.0.table;
        while !keys.is_empty() {
            let wanted = KeysAndAttributes::builder()
                .set_keys(Some(keys))
                .consistent_read(true)
                .build();
            let wanted = wanted.expect("a batch has keys");
            let answer = table
                .client
                .batch_get_item()
                .request_items(&table.name, wanted)
                .send()
                .await?;
            for item in answer
                .responses
                .unwrap_or_default()
                .remove(&table.name)
                .unwrap_or_default()
            {
                if let Some(id) = wallet_id(&item) {
                    found.insert(id, read(&item));
                }
            }
            // What one answer has no room for is asked again.
            let rest = answer
                .unprocessed_keys
                .unwrap_or_default()
                .remove(&table.name);
            keys = rest.map(|rest| rest.keys).unwrap_or_default();
        }
        Ok(())
    }

    /// Makes an empty wallet, unless there is one.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn open(&self, id: WalletId) -> Result<(), StoreError> {
        match self.create(id, NanoUsd::ZERO, None).await {
            Ok(()) | Err(StoreError::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Gives a wallet a budget, or another one: what was spent and is held in the period counts on.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn set_budget(
        &self,
        id: WalletId,
        budget: &Budget,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let resets_at = budget
            .resets_at(now)
            .ok()
            .flatten()
            .map(Timestamp::as_millisecond);
        loop {
            let seen = self.find(id).await?;
            let written = match &seen {
                None => self.create(id, budget.limit, resets_at).await,
                // Many calls of a user may find the same change of a budget at once.
                Some(seen) if (seen.granted, seen.resets_at_ms) == (budget.limit, resets_at) => {
                    return Ok(());
                }
                Some(seen) => {
                    let grant = Grant {
                        spent: seen.spent,
                        limit: budget.limit,
                        resets_at,
                    };
                    self.regrant(id, seen, grant).await
                }
            };
            match written {
                Err(StoreError::Conflict) => {}
                other => return other,
            }
        }
    }

    /// Begins the period that `now` is in, if the one before is over. What is still held is held out
    /// of the new period, which its settlement then charges.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn reset_budget(
        &self,
        id: WalletId,
        budget: &Budget,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let resets_at = budget
            .resets_at(now)
            .ok()
            .flatten()
            .map(Timestamp::as_millisecond);
        loop {
            let Some(seen) = self.find(id).await? else {
                self.set_budget(id, budget, now).await?;
                return Ok(true);
            };
            if seen.resets_at_ms.is_none_or(|at| at > now.as_millisecond()) {
                return Ok(false);
            }
            let grant = Grant {
                spent: NanoUsd::ZERO,
                limit: budget.limit,
                resets_at,
            };
            match self.regrant(id, &seen, grant).await {
                Ok(()) => return Ok(true),
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
    }

    async fn create(
        &self,
        id: WalletId,
        limit: NanoUsd,
        resets_at_ms: Option<i64>,
    ) -> Result<(), StoreError> {
        let mut item = schema::wallet(id).attributes();
        item.extend(empty());
        item.insert("balance".to_owned(), n(limit.get()));
        item.insert("granted".to_owned(), n(limit.get()));
        if let Some(at) = resets_at_ms {
            item.insert("resets_at".to_owned(), n(at));
        }
        self.0
            .table
            .put(item, Some("attribute_not_exists(pk)"))
            .await
    }

    /// Another grant for a wallet that still is as it was seen; its holds stay.
    async fn regrant(&self, id: WalletId, seen: &Wallet, grant: Grant) -> Result<(), StoreError> {
        let Grant {
            spent,
            limit,
            resets_at,
        } = grant;
        let balance = limit.saturating_sub(spent).saturating_sub(seen.held());
        let mut set = "SET balance = :balance, spent = :spent, granted = :granted".to_owned();
        set.push_str(match resets_at {
            Some(_) => ", resets_at = :resets_at",
            None => " REMOVE resets_at",
        });
        let update = self
            .0
            .table
            .client
            .update_item()
            .table_name(&self.0.table.name);
        update
            .set_key(Some(schema::wallet(id).attributes()))
            .update_expression(set)
            .condition_expression(
                "balance = :seen_balance AND spent = :seen_spent AND granted = :seen_granted AND \
                 size(holds) = :seen_holds",
            )
            .expression_attribute_values(":balance", n(balance.get()))
            .expression_attribute_values(":spent", n(spent.get()))
            .expression_attribute_values(":granted", n(limit.get()))
            .expression_attribute_values(":seen_balance", n(seen.balance.get()))
            .expression_attribute_values(":seen_spent", n(seen.spent.get()))
            .expression_attribute_values(":seen_granted", n(seen.granted.get()))
            .expression_attribute_values(":seen_holds", n(seen.holds.len()))
            .set_expression_attribute_values_if(":resets_at", resets_at)
            .send()
            .await?;
        Ok(())
    }
}

/// What a budget's wallet becomes.
#[derive(Debug, Clone, Copy)]
struct Grant {
    spent: NanoUsd,
    limit: NanoUsd,
    /// In milliseconds since 1970.
    resets_at: Option<i64>,
}

/// Sets a value that an expression names only when it is there.
trait OptionalValue {
    fn set_expression_attribute_values_if(self, name: &str, value: Option<i64>) -> Self;
}

impl OptionalValue for aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder {
    fn set_expression_attribute_values_if(self, name: &str, value: Option<i64>) -> Self {
        match value {
            Some(value) => self.expression_attribute_values(name, n(value)),
            None => self,
        }
    }
}

/// The attributes of a wallet in which nothing is.
pub(super) fn empty() -> Item {
    HashMap::from([
        ("balance".to_owned(), n(0)),
        ("spent".to_owned(), n(0)),
        ("granted".to_owned(), n(0)),
        ("holds".to_owned(), AttributeValue::M(HashMap::new())),
    ])
}

/// The wallet in an item.
pub(super) fn read(item: &Item) -> Wallet {
    let amount = |name| NanoUsd::new(number(item, name).unwrap_or(0));
    let holds = item.get("holds").and_then(|holds| holds.as_m().ok());
    let holds = holds.into_iter().flatten().filter_map(|(id, amount)| {
        Some((
            id.parse::<HoldId>().ok()?,
            NanoUsd::new(amount.as_n().ok()?.parse().ok()?),
        ))
    });
    Wallet {
        balance: amount("balance"),
        spent: amount("spent"),
        granted: amount("granted"),
        holds: holds.collect(),
        resets_at_ms: number(item, "resets_at"),
        minute: number(item, "minute").map(Minute),
        requests: number(item, "requests").unwrap_or(0),
        tokens: number(item, "tokens").unwrap_or(0),
    }
}

fn wallet_id(item: &Item) -> Option<WalletId> {
    item.get(schema::PK)?
        .as_s()
        .ok()?
        .strip_prefix("WALLET#")?
        .parse()
        .ok()
}
