//! The books of a call that was taken for lost, but was only slow.
//!
//! The reconciler wrote an `unsettled` record and ended the call's holds. What the call cost more than
//! was charged then is set aside as a charge that is due, the true record takes the place of the other
//! and names those charges, and they are settled; what it cost less is given back by the same
//! settlement. The reconciler may come again in between, and find charges that no record names: it
//! closes the round in the record before it releases them, so that the call, which cannot write its
//! record any more, begins another round.

use shared::domain::hold::{Hold, HoldId, HoldName, WalletId};
use shared::domain::money::NanoUsd;
use shared::domain::record::{Status, UsageRecord};
use shared::store::StoreError;
use shared::store::ledger::Resized;

use super::send::Delivery;
use crate::app::App;

/// How many rounds a call begins at most.
const ROUNDS: u8 = 8;

/// What is due in one wallet.
struct Due {
    charge: Hold,
    /// What the reconciler has charged there.
    before: NanoUsd,
}

impl Due {
    /// How the record names it.
    fn name(&self) -> HoldName {
        HoldName {
            before: self.before,
            ..self.charge.name()
        }
    }

    /// How much of a cost can be charged in all.
    fn payable(&self, cost: NanoUsd) -> NanoUsd {
        cost.min(self.before.saturating_add(self.charge.amount))
    }
}

/// Books a call in the place of the `unsettled` record that was found; gives the record as it is booked.
pub(super) async fn book(
    app: &App,
    delivery: &mut Delivery,
    record: &UsageRecord,
    mut found: UsageRecord,
) -> Result<UsageRecord, StoreError> {
    let kept_days = delivery.admitted.kept_days();
    for _ in 0..ROUNDS {
        let due = set_aside(app, delivery, record, &found).await?;
        let payable = due.iter().map(|due| due.payable(record.cost));
        let charged = payable.min().unwrap_or(record.cost);
        let booked = record.charged(charged, due.iter().map(Due::name).collect());
        let log = app.store.usage_log();
        match log
            .replace_unsettled(&booked, found.closed, kept_days)
            .await
        {
            Ok(()) => {
                settle(app, &booked).await?;
                return Ok(booked);
            }
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error),
        }
        match log.find(record.user_id, record.id).await? {
            Some(closed) if closed.status == Status::Unsettled => found = closed,
            // An earlier send arrived: what it says counts.
            Some(booked) => {
                settle(app, &booked).await?;
                return Ok(booked);
            }
            None => return Err(StoreError::Conflict),
        }
    }
    Err(StoreError::Conflict)
}

/// Settles the charges that a record names; any may have been before.
pub(super) async fn settle(app: &App, booked: &UsageRecord) -> Result<(), StoreError> {
    for name in booked.holds.iter().filter(|name| name.id.is_late()) {
        settle_in(app, booked, name.wallet).await?;
    }
    Ok(())
}

/// Settles the charge that a record names in a wallet, if it names one; gives what is charged there.
async fn settle_in(
    app: &App,
    booked: &UsageRecord,
    wallet: WalletId,
) -> Result<NanoUsd, StoreError> {
    let name = booked.holds.iter().find(|name| name.wallet == wallet);
    let Some(name) = name else {
        return Ok(NanoUsd::ZERO);
    };
    let cost = booked.cost.saturating_sub(name.before);
    let charge = Hold::found(name.id, wallet, cost.max(NanoUsd::ZERO));
    app.store.ledger().settle(&charge, cost).await?;
    Ok(booked.cost)
}

/// Sets aside in each wallet what it was not charged yet.
async fn set_aside(
    app: &App,
    delivery: &mut Delivery,
    record: &UsageRecord,
    found: &UsageRecord,
) -> Result<Vec<Due>, StoreError> {
    let mut due = Vec::new();
    let burnt = &mut delivery.burnt;
    for hold in delivery.admitted.holds.iter().filter(|hold| hold.pays) {
        // What the reconciler meant to do is done, should it have died before it could.
        let before = settle_in(app, found, hold.wallet).await?;
        app.store.ledger().release(hold).await?;
        let more = record.cost.saturating_sub(before).max(NanoUsd::ZERO);
        let mut charge = charge(app, (hold.wallet, found), more, burnt).await?;
        // The reconciler was about to charge what was held.
        if charge.amount < more
            && let Resized::To(amount) = app.store.ledger().resize(&charge, more).await?
        {
            charge.amount = amount;
        }
        due.push(Due { charge, before });
    }
    Ok(due)
}

/// Sets one charge aside, under an id that was never sent.
async fn charge(
    app: &App,
    (wallet, found): (WalletId, &UsageRecord),
    more: NanoUsd,
    burnt: &mut u8,
) -> Result<Hold, StoreError> {
    loop {
        let id = HoldId::late(found.id, found.closed).after(*burnt);
        if !id.is_of_round(found.closed) {
            return Err(StoreError::Conflict);
        }
        let ledger = app.store.ledger();
        match ledger
            .hold_late((wallet, id), found.closed, more, app.clock.now())
            .await
        {
            Err(StoreError::Unknown(_)) => *burnt = burnt.saturating_add(1),
            other => return other,
        }
    }
}
