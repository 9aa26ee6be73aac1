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

use super::Store;

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
