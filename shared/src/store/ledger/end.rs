//! Ending a hold: settled with what the call cost, released, or undone as if it had never been; and
//! resizing one, when a call cost more than its worst case.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use jiff::Timestamp;

use super::Ledger;
use crate::domain::hold::{Hold, Wallet};
use crate::domain::limit::{Counted, Minute};
use crate::domain::money::NanoUsd;
use crate::store::table::n;
use crate::store::{StoreError, wallets};

/// How often a hold is resized while others take from the same balance.
const RESIZE_ATTEMPTS: u8 = 16;
/// How often a hold's end is tried in another way than it was thought to be there. Each other way comes
/// from the wallet itself.
const END_ATTEMPTS: u8 = 8;

/// What ending a hold found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The hold was there and is no more.
    Now,
    /// Somebody ended it before.
    Before,
}

/// What setting another amount aside found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resized {
    /// So much is held now: what was wanted, or all that there is.
    To(NanoUsd),
    /// Somebody ended the hold before.
    Gone,
}

/// What a call is charged at its end.
#[derive(Debug, Clone, Copy)]
pub struct Charge {
    /// Its cost.
    pub cost: NanoUsd,
    /// The tokens that it used, and when it ended, where the wallet counts.
    pub used: Option<(u64, Timestamp)>,
}

impl From<NanoUsd> for Charge {
    fn from(cost: NanoUsd) -> Self {
        Self { cost, used: None }
    }
}

/// What a wallet's minute counts differently after a hold has ended.
#[derive(Debug, Clone, Copy)]
struct Recount {
    minute: Minute,
    requests: i64,
    tokens: i64,
}

impl Ledger<'_> {
    /// Charges what the call cost and gives the rest back. More than was set aside is not charged: a
    /// hold that is too small is made larger first. A negative cost gives back what was charged before.
    ///
    /// # Errors
    /// When the table does not answer. It may be repeated without harm.
    pub async fn settle(
        &self,
        hold: &Hold,
        charge: impl Into<Charge>,
    ) -> Result<Ended, StoreError> {
        let Charge { cost, used } = charge.into();
        let recount = used.and_then(|(tokens, now)| settled(hold.counted?, tokens, now));
        self.end(hold, cost, recount).await
    }

    /// Gives everything back.
    ///
    /// # Errors
    /// When the table does not answer. It may be repeated without harm.
    pub async fn release(&self, hold: &Hold) -> Result<Ended, StoreError> {
        self.end(hold, NanoUsd::ZERO, None).await
    }

    /// Gives everything back, and counts the call no more: it was refused after all.
    ///
    /// # Errors
    /// When the table does not answer. It may be repeated without harm.
    pub async fn undo(&self, hold: &Hold, now: Timestamp) -> Result<Ended, StoreError> {
        let recount = hold.counted.and_then(|counted| {
            Recount {
                minute: counted.minute,
                requests: -1,
                tokens: claimed(counted).saturating_neg(),
            }
            .current(now)
        });
        self.end(hold, NanoUsd::ZERO, recount).await
    }

    async fn end(
        &self,
        hold: &Hold,
        cost: NanoUsd,
        mut recount: Option<Recount>,
    ) -> Result<Ended, StoreError> {
        let mut amount = hold.amount;
        for _ in 0..END_ATTEMPTS {
            let Some(seen) = self.send_end((hold, amount), cost, recount).await? else {
                return Ok(Ended::Now);
            };
            match holds(&seen, hold) {
                None => return Ok(Ended::Before),
                // Its call has resized it since it was looked at.
                Some(held) if held != amount => amount = held,
                // Its minute is over: nothing is counted there any more.
                Some(_) => recount = None,
            }
        }
        Err(StoreError::Conflict)
    }

    /// The wallet as it was, when the hold is not there with that amount, or its minute is over.
    async fn send_end(
        &self,
        (hold, amount): (&Hold, NanoUsd),
        cost: NanoUsd,
        recount: Option<Recount>,
    ) -> Result<Option<Wallet>, StoreError> {
        let cost = cost.min(amount);
        let (mut set, mut condition) = (
            "SET balance = balance + :back, spent = spent + :cost".to_owned(),
            "holds.#hold = :amount".to_owned(),
        );
        let mut update = self
            .update(&self.0.table.client, hold.wallet)
            .expression_attribute_names("#hold", hold.id.to_string())
            .expression_attribute_values(":amount", n(amount.get()))
            .expression_attribute_values(":back", n(amount.saturating_sub(cost).get()))
            .expression_attribute_values(":cost", n(cost.get()));
        if let Some(Recount {
            minute,
            requests,
            tokens,
        }) = recount
        {
            set.push_str(", requests = requests + :requests, tokens = tokens + :tokens");
            condition.push_str(" AND #minute = :minute");
            update = update
                .expression_attribute_names("#minute", "minute")
                .expression_attribute_values(":minute", n(minute.0))
                .expression_attribute_values(":requests", n(requests))
                .expression_attribute_values(":tokens", n(tokens));
        }
        let sent = update
            .update_expression(set + " REMOVE holds.#hold")
            .condition_expression(condition)
            .send()
            .await;
        match sent {
            Ok(_) => Ok(None),
            Err(error) => Ok(Some(unmet(error)?.unwrap_or_default())),
        }
    }

    /// Sets another amount aside: more for a call that cost more than its worst case, `whole` in all or
    /// as much as the wallet has; or less. The balance does not fall below zero.
    ///
    /// # Errors
    /// When the table does not answer. It may be repeated without harm.
    pub async fn resize(&self, hold: &Hold, whole: NanoUsd) -> Result<Resized, StoreError> {
        let mut wanted = whole;
        for _ in 0..RESIZE_ATTEMPTS {
            let Some(wallet) = self.send_resize(hold, wanted).await? else {
                return Ok(Resized::To(wanted));
            };
            match holds(&wallet, hold) {
                None => return Ok(Resized::Gone),
                // An earlier send arrived.
                Some(amount) if amount != hold.amount => return Ok(Resized::To(amount)),
                Some(amount) => {
                    let most = amount.saturating_add(wallet.balance.max(NanoUsd::ZERO));
                    wanted = most.min(whole);
                    if wanted == amount {
                        return Ok(Resized::To(amount));
                    }
                }
            }
        }
        Ok(Resized::To(hold.amount))
    }

    /// The wallet as it was, when the condition did not hold.
    async fn send_resize(
        &self,
        hold: &Hold,
        wanted: NanoUsd,
    ) -> Result<Option<Wallet>, StoreError> {
        let sent = self
            .update(&self.0.table.client, hold.wallet)
            .update_expression("SET balance = balance - :more, holds.#hold = :wanted")
            .condition_expression("holds.#hold = :amount AND balance >= :more")
            .expression_attribute_names("#hold", hold.id.to_string())
            .expression_attribute_values(":amount", n(hold.amount.get()))
            .expression_attribute_values(":wanted", n(wanted.get()))
            .expression_attribute_values(":more", n(wanted.saturating_sub(hold.amount).get()))
            .send()
            .await;
        match sent {
            Ok(_) => Ok(None),
            Err(error) => Ok(Some(unmet(error)?.unwrap_or_default())),
        }
    }
}

impl Recount {
    /// The same, if its minute may still be the wallet's.
    fn current(self, now: Timestamp) -> Option<Self> {
        (Minute::of_ms(now.as_millisecond()) <= self.minute).then_some(self)
    }
}

/// What the minute of a call counts differently once its tokens are known.
fn settled(counted: Counted, used: u64, now: Timestamp) -> Option<Recount> {
    let tokens = i64::try_from(used)
        .unwrap_or(i64::MAX)
        .saturating_sub(claimed(counted));
    let recount = Recount {
        minute: counted.minute,
        requests: 0,
        tokens,
    };
    recount.current(now)
}

fn claimed(counted: Counted) -> i64 {
    i64::try_from(counted.claimed).unwrap_or(i64::MAX)
}

/// What a wallet holds under the id of a hold.
fn holds(wallet: &Wallet, hold: &Hold) -> Option<NanoUsd> {
    let found = wallet.holds.iter().find(|(id, _)| *id == hold.id);
    found.map(|(_, amount)| *amount)
}

/// The wallet for which a condition did not hold; `None` when there is no such wallet.
pub(super) fn unmet<R>(error: SdkError<UpdateItemError, R>) -> Result<Option<Wallet>, StoreError>
where
    R: std::fmt::Debug + Send + Sync + 'static,
{
    match error.as_service_error() {
        Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
            let item = failed.item.as_ref().filter(|item| !item.is_empty());
            Ok(item.map(wallets::read))
        }
        _ => Err(error.into()),
    }
}
