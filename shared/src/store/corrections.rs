//! Corrections: what was put right of calls' costs, so that nothing is put right twice.
//!
//! A user's calls of one day and model are corrected together. What was booked for them is remembered
//! beside them, and written in one transaction with the credit, on the condition that nobody wrote it
//! meanwhile. So the credits and what is remembered add up to the same at any moment, whatever periods
//! overlap, whoever runs at once, and wherever a run dies.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::TransactWriteItem;
use jiff::civil::Date;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use super::schema::{self, ItemKey, SK};
use super::table::{Item, Marks, Range, content, item, n};
use super::{Store, StoreError};
use crate::domain::credit::Credit;
use crate::domain::id::UserId;
use crate::domain::money::NanoUsd;

/// How many corrections one write takes: a transaction has a hundred actions at most, of which a credit
/// is two.
///
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>
pub const MOST_CHANGES: usize = 98;

/// Longer names of models are known by their hash, in bytes: a sort key holds 1,024.
const LONGEST_NAME: usize = 512;

/// The calls that are corrected together: a user's of one day (UTC), of one model.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Calls {
    date: Date,
    model: String,
}

/// What was put right of some calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    /// What was given back for them, all credits together; charged, if negative.
    #[serde(rename = "usd")]
    pub amount: NanoUsd,
    /// How many calls they were when that was last looked at: where there are fewer, records have expired.
    #[serde(rename = "n")]
    pub records: u64,
}

/// A correction that changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Of which calls.
    pub calls: Calls,
    /// What it was; none before the first.
    pub seen: Option<Correction>,
    /// What it becomes.
    pub then: Correction,
}

/// The handle.
#[derive(Debug, Clone, Copy)]
pub struct Corrections<'a>(&'a Store);

impl Store {
    /// What was put right of calls' costs.
    #[must_use]
    pub const fn corrections(&self) -> Corrections<'_> {
        Corrections(self)
    }
}

impl Calls {
    /// Those of a day (UTC) and of a model, by the caller's name of it.
    #[must_use]
    pub fn of(date: Date, model: &str) -> Self {
        let model = if model.len() > LONGEST_NAME {
            let hash = digest(&SHA256, model.as_bytes());
            let hash = hash.as_ref().iter().map(|byte| format!("{byte:02x}"));
            hash.collect()
        } else {
            model.to_owned()
        };
        Self { date, model }
    }

    fn key(&self, user: UserId) -> ItemKey {
        schema::correction(user, self.date, &self.model)
    }

    fn read(item: &Item) -> Option<Self> {
        let (date, model) = item.get(SK)?.as_s().ok()?.split_once('#')?;
        Some(Self {
            date: date.parse().ok()?,
            model: model.to_owned(),
        })
    }
}

impl Change {
    /// By how much the correction changes.
    #[must_use]
    pub fn difference(&self) -> NanoUsd {
        let seen = self.seen.unwrap_or_default();
        self.then.amount.saturating_sub(seen.amount)
    }
}

impl Corrections<'_> {
    /// What was put right of a user's calls from one day to another, both of them too.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn of(
        &self,
        user: UserId,
        (first, last): (Date, Date),
    ) -> Result<BTreeMap<Calls, Correction>, StoreError> {
        let range = Range {
            partition: schema::corrected(user),
            // The sign after `#`, so that every model of the last day is within.
            between: Some((format!("{first}#"), format!("{last}$"))),
            ..Range::default()
        };
        let items = self.0.table.query(&range).await?.into_iter();
        let known = items.filter_map(|item| Some((Calls::read(&item)?, item)));
        known
            .map(|(calls, item)| Ok((calls, content(item)?)))
            .collect()
    }

    /// Books a credit and what it corrects, at most [`MOST_CHANGES`], as one. The credit's amount is that
    /// by which the changes differ, together; where it is zero, there is no credit.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when a correction is not as it was seen, or the wallet does not take the
    /// credit; or when the table does not answer. Who looks again, and books what is still missing then,
    /// does no harm.
    pub async fn book(&self, credit: &Credit, changes: &[Change]) -> Result<(), StoreError> {
        let mut writes = match credit.amount {
            NanoUsd::ZERO => Vec::new(),
            _ => self.0.credits().writes(credit)?,
        };
        for change in changes {
            writes.push(self.write(credit.user_id, change)?);
        }
        self.0.table.transact(writes).await
    }

    fn write(&self, user: UserId, change: &Change) -> Result<TransactWriteItem, StoreError> {
        let item = item(change.calls.key(user), &change.then, Marks::default())?;
        let (condition, values) = match change.seen {
            None => (super::credits::NEW, Item::new()),
            Some(seen) => (
                "usd = :usd AND n = :n",
                Item::from([
                    (":usd".to_owned(), n(seen.amount.get())),
                    (":n".to_owned(), n(seen.records)),
                ]),
            ),
        };
        let table = &self.0.table;
        Ok(table.put_action_if(item, Some(condition), values))
    }
}
