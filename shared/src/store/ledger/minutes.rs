//! The last minute in which this process saw a wallet count: how it guesses what the wallet knows.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::domain::hold::WalletId;
use crate::domain::limit::{Counted, Minute};

/// How many wallets' minutes are remembered; more, and all are forgotten.
const REMEMBERED: usize = 10_000;

/// The minutes, by wallet.
#[derive(Debug, Default)]
pub(in crate::store) struct SeenMinutes(Mutex<HashMap<WalletId, Minute>>);

impl SeenMinutes {
    pub(super) fn of(&self, wallet: WalletId) -> Option<Minute> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(&wallet).copied()
    }

    pub(super) fn remember(&self, wallet: WalletId, counted: Option<Counted>) {
        let Some(Counted { minute, .. }) = counted else {
            return;
        };
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= REMEMBERED {
            seen.clear();
        }
        seen.insert(wallet, minute);
    }
}
