//! The correction of one user: what is missing, as far as the balance allows, in one credit a run.

use std::collections::BTreeMap;

use shared::domain::credit::{Cause, Credit, MOST};
use shared::domain::hold::{Wallet, WalletId};
use shared::domain::id::{CreditId, UserId};
use shared::domain::money::NanoUsd;
use shared::domain::record::UsageRecord;
use shared::failure::{Failure, Kind};
use shared::random;
use shared::store::StoreError;
use shared::store::corrections::{Calls, Change, Correction, MOST_CHANGES};

use super::Sums;
use super::wanted::Wanted;
use crate::app::App;

/// How often a correction is tried while others book, or the balance changes.
const TRIES: usize = 8;

/// What calls cost, and would have cost.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Rated {
    pub(super) records: u64,
    pub(super) before: NanoUsd,
    pub(super) after: NanoUsd,
    /// What the balance is to get back for them, or to pay if it is negative.
    pub(super) due: NanoUsd,
}

impl Rated {
    /// Counts a call that would have cost so much.
    pub(super) fn count(&mut self, record: &UsageRecord, after: NanoUsd) {
        self.records += 1;
        self.before = self.before.saturating_add(record.cost);
        self.after = self.after.saturating_add(after);
        // No balance has paid for what an unlimited user called, so none is put right.
        if record.is_held() {
            let due = record.cost.saturating_sub(after);
            self.due = self.due.saturating_add(due);
        }
    }
}

/// A user's, each day's and model's by itself.
pub(super) type Bills = BTreeMap<Calls, Rated>;

/// What a user's calls come to.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) sums: Sums,
    /// Calls that are left out, because others of their day and model, which were corrected, have expired.
    pub(super) expired: u64,
}

/// What is to be done about it.
#[derive(Debug, Default)]
struct Plan {
    outcome: Outcome,
    missing: Vec<Change>,
    /// Whether more is missing than one write takes.
    more: bool,
}

/// Corrects a user's calls, or tells what that would be.
pub(super) async fn correct(
    app: &App,
    wanted: &Wanted,
    user: UserId,
    (bills, bookable): (&Bills, bool),
) -> Result<Outcome, Failure> {
    let corrections = app.store.corrections();
    let mut tries = 0;
    loop {
        let known = corrections.of(user, (wanted.first, wanted.last)).await?;
        let mut plan = Plan::of(bills, &known);
        if wanted.dry_run || !bookable {
            return Ok(plan.outcome);
        }
        let wallet = app.store.wallets().find(WalletId::User(user)).await?;
        let Some(wallet) = wallet else {
            return Ok(plan.outcome);
        };
        let amount = plan.limit_to(&wallet);
        if plan.missing.is_empty() || wallet.granted.saturating_add(amount) > MOST {
            return Ok(plan.outcome);
        }
        let credit = credit(app, wanted, user, amount);
        match corrections.book(&credit, &plan.missing).await {
            Ok(()) if plan.more => {}
            Ok(()) => {
                let sums = &mut plan.outcome.sums;
                sums.booked = sums.booked.saturating_add(amount);
                sums.rest = sums.rest.saturating_sub(amount);
                return Ok(plan.outcome);
            }
            // Another run was first, a call has taken from the balance, or nobody knows: look again. What
            // is on its way still is refused by the table, or counts then.
            Err(StoreError::Conflict | StoreError::Unknown(_)) if tries < TRIES => tries += 1,
            Err(StoreError::Conflict) => {
                let text = format!("The balance of user {user} keeps changing. Apply again.");
                return Err(Failure::new(Kind::Conflict, "conflict", text));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn credit(app: &App, wanted: &Wanted, user: UserId, amount: NanoUsd) -> Credit {
    let at_ms = u64::try_from(app.clock.now_ms()).unwrap_or(0);
    Credit {
        id: CreditId::from_parts(at_ms, random::bits()),
        user_id: user,
        cause: Cause::Correction,
        amount,
        note: wanted.note(),
        by: None,
        reference: Some(wanted.reference()),
    }
}

impl Plan {
    /// What is missing, beside what is known to be booked.
    fn of(bills: &Bills, known: &BTreeMap<Calls, Correction>) -> Self {
        let mut plan = Self::default();
        let Outcome { sums, expired } = &mut plan.outcome;
        for (calls, rated) in bills {
            let seen = known.get(calls).copied();
            let booked = seen.unwrap_or_default();
            if rated.records < booked.records {
                *expired = expired.saturating_add(rated.records);
                continue;
            }
            sums.add(&Sums {
                records: rated.records,
                before: rated.before,
                after: rated.after,
                booked: booked.amount,
                rest: rated.due.saturating_sub(booked.amount),
            });
            let then = Correction {
                amount: rated.due,
                records: rated.records,
            };
            // What was never corrected, and need not be, is not noted.
            if then != booked && (seen.is_some() || rated.due != NanoUsd::ZERO) {
                let calls = calls.clone();
                plan.missing.push(Change { calls, seen, then });
            }
        }
        plan
    }

    /// Leaves what one write takes, and what the wallet can pay: nobody's balance falls below zero by a
    /// correction. What is given back comes first. The amount of it all.
    fn limit_to(&mut self, wallet: &Wallet) -> NanoUsd {
        self.missing
            .sort_by_key(|change| std::cmp::Reverse(change.difference()));
        let mut left = wallet.balance;
        for change in &mut self.missing {
            let most = NanoUsd::ZERO.saturating_sub(left.max(NanoUsd::ZERO));
            let difference = change.difference().max(most);
            let seen = change.seen.unwrap_or_default();
            change.then.amount = seen.amount.saturating_add(difference);
            left = left.saturating_add(difference);
        }
        self.missing
            .retain(|change| change.then != change.seen.unwrap_or_default());
        self.more = self.missing.len() > MOST_CHANGES;
        self.missing.truncate(MOST_CHANGES);
        self.missing.iter().map(Change::difference).sum()
    }
}
