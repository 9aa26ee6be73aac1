//! Every movement of a hold: set aside, resized, settled, released; each one conditional write of
//! one wallet.
//!
//! `granted = balance + held + spent` holds after each of them, in any order and repetition, because
//! a hold is written once under its id and ends once: whoever ends it removes it in the same write
//! that moves its money. No write takes a balance below zero.

mod end;
mod hold;
pub(super) mod holders;
mod late;
mod minutes;

pub use end::{Charge, Ended, Resized};
pub use hold::{HOLD_ATTEMPTS, HoldError, HoldRequest, MOST_PARALLEL};

pub(super) use minutes::SeenMinutes;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;

use super::{Store, schema};
use crate::domain::hold::WalletId;

/// The handle.
#[derive(Debug, Clone, Copy)]
pub struct Ledger<'a>(&'a Store);

impl Store {
    /// Every movement of a hold.
    #[must_use]
    pub const fn ledger(&self) -> Ledger<'_> {
        Ledger(self)
    }
}

impl Ledger<'_> {
    /// A write of a wallet. Where its condition does not hold, it gives the wallet back as it was: that
    /// says why, without another read.
    fn update(&self, client: &Client, wallet: WalletId) -> UpdateItemFluentBuilder {
        client
            .update_item()
            .table_name(&self.0.table.name)
            .set_key(Some(schema::wallet(wallet).attributes()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }
}
