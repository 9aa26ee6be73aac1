//! Charges that are due: what a call cost whose hold was ended while it still ran.

use jiff::Timestamp;

use super::Ledger;
use super::end::unmet;
use crate::domain::hold::{Hold, HoldId, Wallet, WalletId};
use crate::domain::money::NanoUsd;
use crate::store::StoreError;
use crate::store::table::n;

/// How often a charge is tried, for less each time.
const ATTEMPTS: u8 = 16;

impl Ledger<'_> {
    /// Sets aside what a call has cost already, or as much of it as the wallet has: for a call whose
    /// hold was released while it still ran. Whoever repeats it in the same round finds the charge that
    /// is there.
    ///
    /// # Errors
    /// When the table does not answer, or there is no such wallet. After [`StoreError::Unknown`] the id
    /// is burnt: the next attempt takes the next one.
    pub async fn hold_late(
        &self,
        (wallet, id): (WalletId, HoldId),
        round: u8,
        cost: NanoUsd,
        now: Timestamp,
    ) -> Result<Hold, StoreError> {
        self.note_holder(wallet, now).await.map_err(unsent)?;
        let mut charge = Hold::found(id, wallet, cost);
        for _ in 0..ATTEMPTS {
            match self.send_late(&charge).await {
                Ok(None) => return Ok(charge),
                Ok(Some(seen)) => {
                    if let Some(found) = due(&seen, wallet, (id, round)) {
                        return Ok(found);
                    }
                    charge.amount = cost.min(seen.balance.max(NanoUsd::ZERO));
                }
                // As with any hold: what may still arrive under this id counts for nothing.
                Err(error @ StoreError::Unknown(_)) => {
                    let _ = self.release(&charge).await;
                    return Err(error);
                }
                Err(StoreError::Busy(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Conflict)
    }

    /// Makes a hold a charge that is due, of a round: whoever held it can neither settle nor release it
    /// any more. `None` when it was ended before.
    ///
    /// # Errors
    /// When the table does not answer. It may be repeated without harm.
    pub async fn make_due(&self, hold: &Hold, round: u8) -> Result<Option<Hold>, StoreError> {
        let mut charge = Hold {
            id: HoldId::late(hold.id.request, round),
            ..Hold::found(hold.id, hold.wallet, hold.amount)
        };
        for _ in 0..ATTEMPTS {
            let Some(seen) = self.send_due(hold.id, &charge).await? else {
                return Ok(Some(charge));
            };
            if let Some(found) = due(&seen, hold.wallet, (charge.id, round)) {
                return Ok(Some(found));
            }
            // Its call has resized it since it was looked at.
            match seen.holds.iter().find(|(id, _)| *id == hold.id) {
                Some((_, amount)) => charge.amount = *amount,
                None => return Ok(None),
            }
        }
        Err(StoreError::Conflict)
    }

    /// The wallet as it was, when the condition did not hold.
    async fn send_due(&self, held: HoldId, charge: &Hold) -> Result<Option<Wallet>, StoreError> {
        let sent = self
            .update(&self.0.table.client, charge.wallet)
            .update_expression("SET holds.#due = :amount REMOVE holds.#hold")
            .condition_expression("holds.#hold = :amount AND attribute_not_exists(holds.#due)")
            .expression_attribute_names("#hold", held.to_string())
            .expression_attribute_names("#due", charge.id.to_string())
            .expression_attribute_values(":amount", n(charge.amount.get()))
            .send()
            .await;
        match sent {
            Ok(_) => Ok(None),
            Err(error) => Ok(Some(unmet(error)?.unwrap_or_default())),
        }
    }

    /// The wallet as it was, when the condition did not hold.
    async fn send_late(&self, charge: &Hold) -> Result<Option<Wallet>, StoreError> {
        let sent = self
            .update(&self.0.table.once, charge.wallet)
            .update_expression("SET balance = balance - :cost, holds.#hold = :cost")
            .condition_expression("balance >= :cost AND attribute_not_exists(holds.#hold)")
            .expression_attribute_names("#hold", charge.id.to_string())
            .expression_attribute_values(":cost", n(charge.amount.get()))
            .send()
            .await;
        match sent {
            Ok(_) => Ok(None),
            Err(error) => unmet(error)?.map(Some).ok_or(StoreError::Conflict),
        }
    }
}

/// An error before the charge was sent: its id is as good as new.
fn unsent(error: StoreError) -> StoreError {
    match error {
        StoreError::Unknown(cause) => StoreError::Busy(cause),
        other => other,
    }
}

/// The first charge of a call and a round that is due in a wallet.
fn due(seen: &Wallet, wallet: WalletId, (charge, round): (HoldId, u8)) -> Option<Hold> {
    let late = |id: HoldId| id.request == charge.request && id.is_of_round(round);
    let found = seen.holds.iter().filter(|(id, _)| late(*id));
    let (id, amount) = found.min_by_key(|(id, _)| *id)?;
    Some(Hold::found(*id, wallet, *amount))
}
