//! The books of a call that was taken for lost, but was only slow.
//!
//! The reconciler wrote an `unsettled` record and ended the call's holds. What the call cost more (or
//! less) than was charged then is set aside as a charge that is due, the true record takes the place of
//! the other and names those charges, and they are settled. The reconciler may come again in between,
//! and find charges that no record names: it closes the round in the record before it releases them, so
//! that the call, which cannot write its record any more, begins another round.

use shared::domain::hold::{Hold, HoldName};
use shared::domain::money::NanoUsd;
use shared::domain::record::{Status, UsageRecord};
use shared::store::StoreError;
use shared::store::ledger::Resized;

use crate::app::App;

/// How many rounds a call begins at most.
const ROUNDS: u8 = 8;

/// What is due in one wallet.
struct Due {
    charge: Hold,
    /// What the reconciler has charged there.
    before: NanoUsd,
}

/// Books a call whose holds were these, in the place of the `unsettled` record that was found; gives the
/// record as it is booked.
pub(super) async fn book(
    app: &App,
    holds: &[Hold],
    record: &UsageRecord,
    mut found: UsageRecord,
    kept_days: u32,
) -> Result<UsageRecord, StoreError> {
    for _ in 0..ROUNDS {
        let due = set_aside(app, holds, record, &found).await?;
        let payable = due
            .iter()
            .map(|due| due.before.saturating_add(due.charge.amount));
        let charged = payable.min().unwrap_or(record.cost);
        let names: Vec<HoldName> = due.iter().map(|due| due.charge.name()).collect();
        let due = resized(app, due, charged).await?;
        let booked = record.charged(charged, names);
        let log = app.store.usage_log();
        match log
            .replace_unsettled(&booked, found.closed, kept_days)
            .await
        {
            Ok(()) => {
                settle(app, &due, charged).await?;
                return Ok(booked);
            }
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error),
        }
        match log.find(record.user_id, record.id).await? {
            Some(closed) if closed.status == Status::Unsettled => found = closed,
            // An earlier send arrived.
            _ => {
                settle(app, &due, charged).await?;
                return Ok(booked);
            }
        }
    }
    Err(StoreError::Conflict)
}

/// Sets aside in each wallet what it was not charged yet.
async fn set_aside(
    app: &App,
    holds: &[Hold],
    record: &UsageRecord,
    found: &UsageRecord,
) -> Result<Vec<Due>, StoreError> {
    let (ledger, now) = (app.store.ledger(), app.clock.now());
    let mut due = Vec::new();
    for hold in holds.iter().filter(|hold| hold.pays) {
        // What the reconciler meant to do is done, should it have died before it could.
        let named = found.holds.contains(&hold.name());
        let before = if named { found.cost } else { NanoUsd::ZERO };
        ledger.settle(hold, before).await?;
        let more = record.cost.saturating_sub(before);
        let charge = ledger
            .hold_late((hold.wallet, record.id), found.closed, more, now)
            .await?;
        due.push(Due { charge, before });
    }
    Ok(due)
}

/// The same charges, where none is more than what is charged in all: another wallet had less.
async fn resized(app: &App, mut all: Vec<Due>, charged: NanoUsd) -> Result<Vec<Due>, StoreError> {
    for Due { charge, before } in &mut all {
        let more = charged.saturating_sub(*before);
        if charge.amount > more
            && let Resized::To(amount) = app.store.ledger().resize(charge, more).await?
        {
            charge.amount = amount;
        }
    }
    Ok(all)
}

async fn settle(app: &App, due: &[Due], charged: NanoUsd) -> Result<(), StoreError> {
    for Due { charge, before } in due {
        let more = charged.saturating_sub(*before);
        app.store.ledger().settle(charge, more).await?;
    }
    Ok(())
}
