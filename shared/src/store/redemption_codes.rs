//! Redemption codes: found by the id that their text gives, listed latest first, redeemed once.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::TransactWriteItem;
use jiff::Timestamp;

use super::credits::{BookError, NEW};
use super::patience::{TRIES, pause};
use super::schema;
use super::table::{Marks, Range, Read, content, item, n, s};
use super::{Page, Store, StoreError};
use crate::domain::credit::{Cause, Credit};
use crate::domain::id::{BatchId, RedemptionCodeId};
use crate::domain::redemption_code::{NotRedeemable, Place, Redemption, RedemptionCode};

/// How many codes are written at once: as many as one transaction takes.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>
const WRITTEN_AT_ONCE: usize = 100;
/// How many codes one page may look at before it answers with what it has and a cursor.
const LOOKED_AT: usize = 5_000;
/// How many are read at a time.
const READ_AT_ONCE: usize = 500;

/// Which codes.
#[derive(Debug, Clone, Copy, Default)]
pub struct CodeFilter {
    /// Only those that were redeemed, or only those that were not.
    pub redeemed: Option<bool>,
    /// Only those whose time is over, or only those whose time is not, at that time.
    pub expired: Option<(bool, Timestamp)>,
    /// Only those that were made together.
    pub batch: Option<BatchId>,
}

/// What to change of a code; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct CodeChange {
    /// Whether it may be redeemed.
    pub enabled: Option<bool>,
    /// What it is for.
    pub note: Option<String>,
    /// When it stops being worth anything; `Some(None)` for never.
    pub expires_at: Option<Option<Timestamp>>,
}

/// Not all of the codes were made.
#[derive(Debug, thiserror::Error)]
#[error("only the first {made} codes were surely made")]
pub struct Partly {
    /// How many surely were, from the first on. Perhaps more: the list knows.
    pub made: usize,
    /// Why not the others.
    pub source: StoreError,
}

/// Why a code did not become a credit.
#[derive(Debug, thiserror::Error)]
pub enum RedeemError {
    /// There is no such code.
    #[error("there is no such code")]
    Unknown,
    /// The code is not good any more.
    #[error(transparent)]
    NotRedeemable(#[from] NotRedeemable),
    /// The wallet does not take the money.
    #[error(transparent)]
    NotBooked(#[from] BookError),
}

impl From<StoreError> for RedeemError {
    fn from(error: StoreError) -> Self {
        Self::NotBooked(error.into())
    }
}

/// The handle.
#[derive(Debug, Clone, Copy)]
pub struct RedemptionCodeStore<'a>(&'a Store);

impl Store {
    /// Redemption codes.
    #[must_use]
    pub const fn redemption_codes(&self) -> RedemptionCodeStore<'_> {
        RedemptionCodeStore(self)
    }
}

impl RedemptionCodeStore<'_> {
    /// The code of that id.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn find(&self, id: RedemptionCodeId) -> Result<Option<RedemptionCode>, StoreError> {
        let key = schema::redemption_code(id);
        self.0.table.load(key, Read::Latest).await
    }

    /// Adds codes, a hundred at a time: each hundred wholly or not at all, in order.
    ///
    /// # Errors
    /// When the table does not answer: what was written until then stays.
    pub async fn create(&self, codes: &[RedemptionCode]) -> Result<(), Partly> {
        let mut made = 0;
        for some in codes.chunks(WRITTEN_AT_ONCE) {
            let written = self.create_some(some).await;
            written.map_err(|source| Partly { made, source })?;
            made += some.len();
        }
        Ok(())
    }

    async fn create_some(&self, codes: &[RedemptionCode]) -> Result<(), StoreError> {
        let mut tries = 1;
        loop {
            let writes = codes.iter().map(|code| self.creation(code));
            let writes = writes.collect::<Result<Vec<_>, _>>()?;
            let error = match self.0.table.try_transact(writes).await {
                Ok(()) => return Ok(()),
                Err(error) if error.is_final() => return Err(error),
                Err(error) => error,
            };
            // The answer to the first send may have been lost. One of them is all of them.
            if let Some(first) = codes.first()
                && self.find(first.id).await?.is_some()
            {
                return Ok(());
            }
            if tries == TRIES {
                return Err(error);
            }
            pause(tries).await;
            tries += 1;
        }
    }

    fn creation(&self, code: &RedemptionCode) -> Result<TransactWriteItem, StoreError> {
        let listing = Some((schema::CODES.to_owned(), code.place.to_string()));
        let marks = Marks {
            listing,
            ..Marks::default()
        };
        let code = item(schema::redemption_code(code.id), code, marks)?;
        Ok(self.0.table.put_action(code, Some(NEW)))
    }

    /// Changes a code. Its redemption, if any, stays.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it is gone.
    pub async fn update(
        &self,
        id: RedemptionCodeId,
        change: &CodeChange,
    ) -> Result<(), StoreError> {
        let mut sets = Vec::new();
        let mut values = HashMap::new();
        if let Some(enabled) = change.enabled {
            sets.push("enabled = :enabled");
            let enabled = aws_sdk_dynamodb::types::AttributeValue::Bool(enabled);
            values.insert(":enabled".to_owned(), enabled);
        }
        if let Some(note) = &change.note {
            sets.push("note = :note");
            values.insert(":note".to_owned(), s(note));
        }
        if let Some(Some(at)) = change.expires_at {
            sets.push("expires_at = :expires_at");
            values.insert(":expires_at".to_owned(), n(at.as_millisecond()));
        }
        let mut expression = String::new();
        if !sets.is_empty() {
            expression = format!("SET {}", sets.join(", "));
        }
        if change.expires_at == Some(None) {
            expression.push_str(" REMOVE expires_at");
        }
        if expression.is_empty() {
            return Ok(());
        }
        let table = &self.0.table;
        let update = table.client.update_item().table_name(&table.name);
        update
            .set_key(Some(schema::redemption_code(id).attributes()))
            .update_expression(expression)
            .condition_expression("attribute_exists(pk)")
            .set_expression_attribute_values((!values.is_empty()).then_some(values))
            .send()
            .await?;
        Ok(())
    }

    /// Removes a code that nobody redeemed. One that is gone already is no error.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it was redeemed.
    pub async fn delete(&self, id: RedemptionCodeId) -> Result<(), StoreError> {
        let table = &self.0.table;
        let delete = table.client.delete_item().table_name(&table.name);
        delete
            .set_key(Some(schema::redemption_code(id).attributes()))
            .condition_expression("attribute_not_exists(redemption)")
            .send()
            .await?;
        Ok(())
    }

    /// Codes, latest first; `cursor` is the place of the last one of the page before.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn list(
        &self,
        filter: &CodeFilter,
        limit: usize,
        cursor: Option<Place>,
    ) -> Result<Page<RedemptionCode>, StoreError> {
        let after_batch = filter.batch.map(|batch| Place {
            batch,
            number: u16::MAX,
        });
        let mut beyond = cursor.into_iter().chain(after_batch).min();
        let (mut found, mut looked_at) = (Vec::new(), 0);
        let wanted = READ_AT_ONCE.min(limit + 1);
        loop {
            let range = Range {
                partition: schema::CODES.to_owned(),
                beyond: beyond.map(|place| place.to_string()),
                listing: true,
                backwards: true,
                limit: wanted,
                ..Range::default()
            };
            let read = self.0.table.query(&range).await?;
            let is_last = read.len() < wanted;
            looked_at += read.len();
            for item in read {
                let code: RedemptionCode = content(item)?;
                if filter.batch.is_some_and(|batch| code.place.batch < batch) {
                    return Ok(page(found, None));
                }
                let fits = filter.fits(&code);
                if fits && found.len() == limit {
                    return Ok(page(found, beyond));
                }
                beyond = Some(code.place);
                if fits {
                    found.push(code);
                }
            }
            if is_last {
                return Ok(page(found, None));
            }
            if looked_at >= LOOKED_AT {
                return Ok(page(found, beyond));
            }
        }
    }

    /// Redeems a code as it was found: the claim, the credit of that id and the wallet in one
    /// transaction, so that a code is money once, whoever asks at the same time.
    ///
    /// # Errors
    /// When the code is gone or not good any more, the wallet does not take the money, or the table
    /// does not answer.
    pub async fn redeem(
        &self,
        mut code: RedemptionCode,
        redemption: Redemption,
    ) -> Result<Credit, RedeemError> {
        let credit = credit_of(&code, &redemption);
        let mut tries = 1;
        loop {
            match code.redemption {
                // The answer to an earlier send of ours was lost.
                Some(theirs) if theirs.credit_id == redemption.credit_id => return Ok(credit),
                _ => code.require_redeemable(redemption.at)?,
            }
            let mut writes = self.0.credits().writes(&credit)?;
            writes.push(self.claim(&code, &redemption)?);
            let error = match self.0.table.try_transact(writes).await {
                Ok(()) => return Ok(credit),
                Err(error) if error.is_final() => return Err(error.into()),
                Err(error) => error,
            };
            // A condition did not hold, others came in between, or nobody knows: the code does.
            code = self.find(code.id).await?.ok_or(RedeemError::Unknown)?;
            if code.redemption.is_none()
                && matches!(error, StoreError::Conflict)
                && let Some(obstacle) = self.0.credits().obstacle(&credit).await?
            {
                return Err(obstacle.into());
            }
            let is_open = code.redemption.is_none();
            if is_open && tries == TRIES {
                return Err(error.or_busy().into());
            }
            if is_open {
                pause(tries).await;
            }
            tries += 1;
        }
    }

    fn claim(
        &self,
        code: &RedemptionCode,
        redemption: &Redemption,
    ) -> Result<TransactWriteItem, StoreError> {
        let redeemed = serde_dynamo::aws_sdk_dynamodb_1::to_attribute_value(redemption)?;
        let values = HashMap::from([
            (":redemption".to_owned(), redeemed),
            (
                ":yes".to_owned(),
                aws_sdk_dynamodb::types::AttributeValue::Bool(true),
            ),
            (":now".to_owned(), n(redemption.at.as_millisecond())),
        ]);
        Ok(self.0.table.update_action(
            schema::redemption_code(code.id),
            "SET redemption = :redemption",
            Some(
                "attribute_not_exists(redemption) AND enabled = :yes AND \
                 (attribute_not_exists(expires_at) OR expires_at > :now)",
            ),
            values,
        ))
    }
}

impl CodeFilter {
    fn fits(&self, code: &RedemptionCode) -> bool {
        let is_redeemed = code.redemption.is_some();
        self.redeemed.is_none_or(|wanted| wanted == is_redeemed)
            && self
                .expired
                .is_none_or(|(wanted, now)| wanted == code.is_expired(now))
            && self.batch.is_none_or(|batch| batch == code.place.batch)
    }
}

fn page(items: Vec<RedemptionCode>, next: Option<Place>) -> Page<RedemptionCode> {
    let next = next.map(|place| place.to_string());
    Page { items, next }
}

/// The credit that a code becomes. What administrators noted on the code stays with them.
fn credit_of(code: &RedemptionCode, redemption: &Redemption) -> Credit {
    Credit {
        id: redemption.credit_id,
        user_id: redemption.by,
        cause: Cause::Redemption,
        amount: code.amount,
        note: String::new(),
        by: Some(redemption.by),
        reference: Some(code.id.to_string()),
    }
}
