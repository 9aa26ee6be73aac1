//! Every movement of a hold: set aside, settle, release; each one conditional write of one wallet.
//!
//! `granted = balance + held + spent` holds after each of them, in any order and repetition, because
//! a hold is written once under its id and ends once: whoever ends it removes it in the same write
//! that moves its money.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use jiff::Timestamp;

use super::schema;
use super::table::{Item, Marks, Range, item, n};
use super::{Store, StoreError, wallets};
use crate::domain::hold::{Hold, HoldId, HoldName, Wallet, WalletId};
use crate::domain::id::RequestId;
use crate::domain::money::NanoUsd;

/// How long it is remembered that a wallet took holds in an hour, in seconds: far longer than any
/// outage of the reconciler should last.
const HOLDERS_KEPT_S: i64 = 30 * 86_400;
/// How often a hold is tried under new ids when the outcome is unknown.
const HOLD_ATTEMPTS: u8 = 3;
/// How often a busy table is asked again for one id.
const BUSY_ATTEMPTS: u8 = 6;

/// What to set aside, and from what.
#[derive(Debug, Clone, Copy)]
pub struct HoldRequest {
    /// Whose money.
    pub wallet: WalletId,
    /// For which call.
    pub request: RequestId,
    /// How much.
    pub amount: NanoUsd,
    /// How many calls the wallet may have in flight, this one included.
    pub parallel: u32,
    /// The time, to know whether a budget's period is over.
    pub now: Timestamp,
}

/// Why nothing was set aside.
#[derive(Debug, thiserror::Error)]
pub enum HoldError {
    /// There is less than was asked for.
    #[error("the wallet holds less than is needed")]
    Short {
        /// What is left.
        balance: NanoUsd,
    },
    /// The wallet has as many calls in flight as it may.
    #[error("the wallet has {in_flight} calls in flight")]
    Crowded {
        /// How many.
        in_flight: usize,
    },
    /// The budget's period is over: reset it, and ask again.
    #[error("the budget's period is over")]
    PeriodOver,
    /// There is no such wallet.
    #[error("there is no such wallet")]
    NoWallet,
    /// The table did not answer as it should.
    #[error("the table did not take the hold")]
    Store(#[from] StoreError),
}

/// What ending a hold found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The hold was there and is no more.
    Now,
    /// Somebody ended it before.
    Before,
}

/// The handle.
#[derive(Debug, Clone, Copy)]
pub struct Ledger<'a>(&'a Store);

/// Which wallets this process has noted as holders in the current hour.
#[derive(Debug, Default)]
pub(super) struct NotedHolders(Mutex<(String, HashSet<WalletId>)>);

impl Store {
    /// Every movement of a hold.
    #[must_use]
    pub const fn ledger(&self) -> Ledger<'_> {
        Ledger(self)
    }
}

impl Ledger<'_> {
    /// Sets money aside.
    ///
    /// # Errors
    /// When the wallet has not enough, has too many calls in flight, or the table does not answer.
    pub async fn hold(&self, wanted: HoldRequest) -> Result<Hold, HoldError> {
        self.note_holder(wanted.wallet, wanted.now).await?;
        let mut id = HoldId::first(wanted.request);
        let mut busy = 0;
        loop {
            match self.send_hold(id, &wanted).await {
                Ok(()) => {
                    return Ok(Hold {
                        id,
                        wallet: wanted.wallet,
                        amount: wanted.amount,
                    });
                }
                Err(HoldError::Store(StoreError::Busy(_))) if busy < BUSY_ATTEMPTS => busy += 1,
                // Perhaps it was written, perhaps it will be: this id is burnt. What is there is given
                // back now; what comes later the reconciler releases, for no record will name it.
                Err(HoldError::Store(StoreError::Unknown(_))) if id.attempt < HOLD_ATTEMPTS => {
                    let burnt = HoldName {
                        wallet: wanted.wallet,
                        id,
                    };
                    let _ = self.end(burnt, wanted.amount, NanoUsd::ZERO).await;
                    id = id.next();
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn send_hold(&self, id: HoldId, wanted: &HoldRequest) -> Result<(), HoldError> {
        let table = &self.0.table;
        let sent = table
            .once
            .update_item()
            .table_name(&table.name)
            .set_key(Some(schema::wallet(wanted.wallet).attributes()))
            .update_expression("SET balance = balance - :amount, holds.#hold = :amount")
            .condition_expression(
                "balance >= :amount AND attribute_not_exists(holds.#hold) AND size(holds) < :parallel \
                 AND (attribute_not_exists(resets_at) OR resets_at > :now)",
            )
            .expression_attribute_names("#hold", id.to_string())
            .expression_attribute_values(":amount", n(wanted.amount.get()))
            .expression_attribute_values(":parallel", n(wanted.parallel))
            .expression_attribute_values(":now", n(wanted.now.as_millisecond()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match sent {
            Ok(_) => Ok(()),
            Err(error) => Err(refusal(error, wanted)),
        }
    }

    /// Sets aside what a call has cost already, whatever the balance: for a call whose hold was
    /// released while it still ran. The balance may fall below zero by it.
    ///
    /// # Errors
    /// When the table does not answer, or there is no such wallet.
    pub async fn hold_late(
        &self,
        wallet: WalletId,
        id: HoldId,
        cost: NanoUsd,
        now: Timestamp,
    ) -> Result<Hold, StoreError> {
        self.note_holder(wallet, now).await?;
        let table = &self.0.table;
        let sent = table
            .client
            .update_item()
            .table_name(&table.name)
            .set_key(Some(schema::wallet(wallet).attributes()))
            .update_expression("SET balance = balance - :cost, holds.#hold = :cost")
            .condition_expression("attribute_exists(pk) AND attribute_not_exists(holds.#hold)")
            .expression_attribute_names("#hold", id.to_string())
            .expression_attribute_values(":cost", n(cost.get()))
            .send()
            .await;
        match sent.map_err(StoreError::from) {
            // It is there: an earlier send arrived.
            Ok(_) | Err(StoreError::Conflict) => Ok(Hold {
                id,
                wallet,
                amount: cost,
            }),
            Err(error) => Err(error),
        }
    }

    /// Charges what the call cost and gives the rest back. More than was set aside is charged too.
    ///
    /// # Errors
    /// When the table does not answer. It may be repeated without harm.
    pub async fn settle(&self, hold: &Hold, cost: NanoUsd) -> Result<Ended, StoreError> {
        self.end(hold.name(), hold.amount.saturating_sub(cost), cost)
            .await
    }

    /// Gives everything back.
    ///
    /// # Errors
    /// When the table does not answer. It may be repeated without harm.
    pub async fn release(&self, hold: &Hold) -> Result<Ended, StoreError> {
        self.end(hold.name(), hold.amount, NanoUsd::ZERO).await
    }

    async fn end(&self, hold: HoldName, back: NanoUsd, cost: NanoUsd) -> Result<Ended, StoreError> {
        let table = &self.0.table;
        let sent = table
            .client
            .update_item()
            .table_name(&table.name)
            .set_key(Some(schema::wallet(hold.wallet).attributes()))
            .update_expression(
                "SET balance = balance + :back, spent = spent + :cost REMOVE holds.#hold",
            )
            .condition_expression("attribute_exists(holds.#hold)")
            .expression_attribute_names("#hold", hold.id.to_string())
            .expression_attribute_values(":back", n(back.get()))
            .expression_attribute_values(":cost", n(cost.get()))
            .send()
            .await;
        match sent.map_err(StoreError::from) {
            Ok(_) => Ok(Ended::Now),
            Err(StoreError::Conflict) => Ok(Ended::Before),
            Err(error) => Err(error),
        }
    }

    /// The wallets that took holds between two times, hours rounded outwards.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn holders(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<WalletId>, StoreError> {
        let mut found = HashSet::new();
        let last = to.as_second().div_euclid(3_600);
        for hour in from.as_second().div_euclid(3_600)..=last {
            let partition = schema::holders(&hour.to_string());
            let range = Range {
                partition,
                ..Range::default()
            };
            for item in self.0.table.query(&range).await? {
                let wallet: Option<WalletId> = item
                    .get(schema::SK)
                    .and_then(|sk| sk.as_s().ok()?.parse().ok());
                found.extend(wallet);
            }
        }
        Ok(found.into_iter().collect())
    }

    /// Notes, once an hour, that a wallet takes holds: how the reconciler knows where to look. It is
    /// written before the hold, so that no hold is unknown.
    async fn note_holder(&self, wallet: WalletId, now: Timestamp) -> Result<(), StoreError> {
        let hour = now.as_second().div_euclid(3_600).to_string();
        if self.0.noted_holders.knows(&hour, wallet) {
            return Ok(());
        }
        let expires_at_s = Some(now.as_second() + HOLDERS_KEPT_S);
        let key = schema::holder(&hour, wallet);
        let note = item(
            key,
            &Nothing {},
            Marks {
                expires_at_s,
                ..Marks::default()
            },
        )?;
        self.0.table.put(note, None).await?;
        self.0.noted_holders.remember(hour, wallet);
        Ok(())
    }
}

#[derive(serde::Serialize)]
struct Nothing {}

impl NotedHolders {
    fn knows(&self, hour: &str, wallet: WalletId) -> bool {
        let noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.0 == hour && noted.1.contains(&wallet)
    }

    fn remember(&self, hour: String, wallet: WalletId) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.0 != hour {
            *noted = (hour, HashSet::new());
        }
        noted.1.insert(wallet);
    }
}

/// Why a hold's condition did not hold, by the wallet as it was.
fn refusal<R>(error: SdkError<UpdateItemError, R>, wanted: &HoldRequest) -> HoldError
where
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let Some(UpdateItemError::ConditionalCheckFailedException(failed)) = error.as_service_error()
    else {
        return StoreError::from(error).into();
    };
    let seen: Option<Wallet> = failed
        .item
        .as_ref()
        .filter(|item: &&Item| !item.is_empty())
        .map(wallets::read);
    match seen {
        None => HoldError::NoWallet,
        Some(wallet)
            if wallet
                .resets_at_ms
                .is_some_and(|at| at <= wanted.now.as_millisecond()) =>
        {
            HoldError::PeriodOver
        }
        Some(wallet) if wallet.balance < wanted.amount => HoldError::Short {
            balance: wallet.balance,
        },
        Some(wallet) => HoldError::Crowded {
            in_flight: wallet.holds.len(),
        },
    }
}
