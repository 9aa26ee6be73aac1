//! Credits: booked once, the record and the wallet in one transaction; listed by user.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::TransactWriteItem;
use ring::digest::{SHA256, digest};

use super::patience::{TRIES, pause};
use super::schema;
use super::table::{Item, Marks, Range, Read, content, item, n, s};
use super::usage_log::Span;
use super::{Page, Store, StoreError};
use crate::domain::credit::{Credit, MOST};
use crate::domain::hold::WalletId;
use crate::domain::id::{CreditId, UserId};
use crate::domain::money::NanoUsd;
use crate::failure::{Failure, Kind};

/// The condition of an item that must be new.
pub(super) const NEW: &str = "attribute_not_exists(pk)";

/// What booking a credit found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Booked {
    /// It is booked.
    Now,
    /// It was there already: booked by somebody before, or by a send of ours whose answer was lost.
    Before,
}

/// Why a credit is not booked.
#[derive(Debug, thiserror::Error)]
pub enum BookError {
    /// The id, or the idempotency key, stands for another credit.
    #[error("another credit was booked under that name")]
    Taken,
    /// It takes out more than there is.
    #[error("the wallet holds less than is taken out")]
    Short {
        /// What there is.
        balance: NanoUsd,
    },
    /// More than [`MOST`] would have been put in.
    #[error("that is more than a wallet holds")]
    Full,
    /// There is no such wallet.
    #[error("there is no such wallet")]
    NoWallet,
    /// The table did not answer as it should.
    #[error("the table did not take the credit")]
    Store(#[from] StoreError),
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
    /// Books a credit. The same credit once more is not booked again.
    ///
    /// # Errors
    /// When it takes out more than there is, puts in more than fits, its id stands for another credit,
    /// there is no such wallet, or the table does not answer. It may be repeated without harm.
    pub async fn book(&self, credit: &Credit) -> Result<Booked, BookError> {
        self.send(credit, None).await
    }

    /// Books a credit under an idempotency key: what says the same under the same key is booked once,
    /// whatever the credit's id.
    ///
    /// # Errors
    /// As [`Self::book`].
    pub async fn book_once(&self, credit: &Credit, key: &str) -> Result<Booked, BookError> {
        self.send(credit, Some(key)).await
    }

    /// A user's credits, latest first; `cursor` is the last id of the page before.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn list(
        &self,
        user: UserId,
        span: Span,
        limit: usize,
        cursor: Option<CreditId>,
    ) -> Result<Page<Credit>, StoreError> {
        let end = CreditId::from_parts(u64::try_from(span.to.as_millisecond()).unwrap_or(0), 0);
        let range = Range {
            partition: schema::credits(user),
            beyond: Some(cursor.map_or(end, |cursor| cursor.min(end)).to_string()),
            backwards: true,
            limit: limit + 1,
            ..Range::default()
        };
        let found = self.0.table.query(&range).await?.into_iter().map(content);
        let mut found = found.collect::<Result<Vec<Credit>, _>>()?;
        found.retain(|credit| credit.id.at() >= span.from);
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more);
        let next = next.map(|last| last.id.to_string());
        Ok(Page { items: found, next })
    }

    async fn send(&self, credit: &Credit, key: Option<&str>) -> Result<Booked, BookError> {
        let mut tries = 1;
        loop {
            let mut writes = self.writes(credit)?;
            if let Some(key) = key {
                writes.push(self.claim(credit, key));
            }
            let error = match self.0.table.try_transact(writes).await {
                Ok(()) => return Ok(Booked::Now),
                Err(error) if error.is_final() => return Err(error.into()),
                Err(error) => error,
            };
            // Whatever the answer was, or whether there was none: the table knows.
            if let Some(found) = self.booked(credit, key).await? {
                return match found.says_the_same(credit) {
                    true => Ok(Booked::Before),
                    false => Err(BookError::Taken),
                };
            }
            if matches!(error, StoreError::Conflict)
                && let Some(obstacle) = self.obstacle(credit).await?
            {
                return Err(obstacle);
            }
            if tries == TRIES {
                return Err(error.or_busy().into());
            }
            pause(tries).await;
            tries += 1;
        }
    }

    /// The credit that was booked under the id, or under the key.
    async fn booked(
        &self,
        credit: &Credit,
        key: Option<&str>,
    ) -> Result<Option<Credit>, StoreError> {
        let (table, user) = (&self.0.table, credit.user_id);
        let id = match key {
            None => Some(credit.id),
            Some(key) => {
                let claim = table.get(claim_key(user, key), Read::Latest).await?;
                claim.and_then(|claim| claim.get("credit_id")?.as_s().ok()?.parse().ok())
            }
        };
        match id {
            Some(id) => table.load(schema::credit(user, id), Read::Latest).await,
            None => Ok(None),
        }
    }

    fn claim(&self, credit: &Credit, key: &str) -> TransactWriteItem {
        let mut claim = claim_key(credit.user_id, key).attributes();
        claim.insert("credit_id".to_owned(), s(credit.id.to_string()));
        self.0.table.put_action(claim, Some(NEW))
    }

    /// What books a credit, to be sent in one transaction: its record, and its money.
    pub(super) fn writes(&self, credit: &Credit) -> Result<Vec<TransactWriteItem>, StoreError> {
        let amount = credit.amount.get();
        let (condition, bound) = if amount < 0 {
            // What is taken out must be there.
            ("balance >= :bound", amount.saturating_neg())
        } else {
            // What is put in must fit. A balance below zero takes money, too.
            ("granted <= :bound", MOST.get().saturating_sub(amount))
        };
        let values = HashMap::from([
            (":amount".to_owned(), n(amount)),
            (":bound".to_owned(), n(bound)),
        ]);
        Ok(vec![
            self.record(credit)?,
            self.0.table.update_action(
                schema::wallet(WalletId::User(credit.user_id)),
                "SET balance = balance + :amount, granted = granted + :amount",
                Some(condition),
                values,
            ),
        ])
    }

    /// What writes the record of a credit.
    pub(super) fn record(&self, credit: &Credit) -> Result<TransactWriteItem, StoreError> {
        let key = schema::credit(credit.user_id, credit.id);
        let record: Item = item(key, credit, Marks::default())?;
        Ok(self.0.table.put_action(record, Some(NEW)))
    }

    /// Why the wallet refuses a credit; `None` when it does not, or not any more.
    pub(super) async fn obstacle(&self, credit: &Credit) -> Result<Option<BookError>, StoreError> {
        let wallet = WalletId::User(credit.user_id);
        let Some(wallet) = self.0.wallets().find(wallet).await? else {
            return Ok(Some(BookError::NoWallet));
        };
        if credit.amount < NanoUsd::ZERO {
            let after = wallet.balance.saturating_add(credit.amount);
            return Ok((after < NanoUsd::ZERO).then_some(BookError::Short {
                balance: wallet.balance,
            }));
        }
        let after = wallet.granted.saturating_add(credit.amount);
        Ok((after > MOST).then_some(BookError::Full))
    }
}

/// Where it stands what was booked under an idempotency key.
fn claim_key(user: UserId, key: &str) -> schema::ItemKey {
    let hash = digest(&SHA256, key.as_bytes());
    let hash: String = hash
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    schema::credit_key(user, &hash)
}

impl From<BookError> for Failure {
    fn from(error: BookError) -> Self {
        match error {
            BookError::Taken => {
                let text = "Another credit was booked under that name.";
                Self::new(Kind::Conflict, "credit_exists", text)
            }
            BookError::Short { balance } => {
                let text = format!("The wallet holds {balance} USD: no more can be taken out.");
                let mut failure = Self::new(Kind::Conflict, "insufficient_balance", text);
                failure.field = Some("amount_usd".into());
                failure
            }
            BookError::Full => Self::bad_field("amount_usd", "That is more than a wallet holds."),
            BookError::NoWallet => {
                Self::new(Kind::Missing, "not_found", "There is no such wallet.")
            }
            BookError::Store(error) => error.into(),
        }
    }
}
