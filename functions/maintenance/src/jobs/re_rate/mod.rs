//! Re-rating: what the calls of a period would have cost under other prices, by user; and the credits
//! that put it right.
//!
//! Records stay as they were: history is not rewritten. What was booked for the same period, model and
//! user before counts, so that whoever applies twice books once, and prices that have changed again
//! only book what is still missing.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value, json};
use shared::domain::credit::{Cause, Credit};
use shared::domain::hold::WalletId;
use shared::domain::id::{CreditId, UserId};
use shared::domain::money::NanoUsd;
use shared::domain::pattern;
use shared::domain::record::{Status, UsageRecord};
use shared::failure::{Failure, Kind};
use shared::random;
use shared::store::credits::BookError;
use shared::store::price_history::PricesAt;
use shared::store::usage_log::Span;

use self::wanted::Wanted;
use super::{Job, Report};
use crate::app::App;

mod wanted;

/// How often a credit is tried while balance or earlier credits change.
const TRIES: usize = 8;
/// How many credits are read at once.
const CREDITS_A_PAGE: usize = 500;

/// The job.
#[derive(Debug)]
pub(super) struct ReRate;

/// What a run found.
#[derive(Debug, Default, Serialize)]
struct Done {
    dry_run: bool,
    /// The version of the configuration whose prices were taken; none for the present ones.
    price_version: Option<u64>,
    users: Vec<UserDone>,
    total: Sums,
    skipped: Skipped,
}

#[derive(Debug, Serialize)]
struct UserDone {
    user_id: UserId,
    /// None when the user is gone.
    username: Option<String>,
    /// Whether the user has no balance to correct.
    unlimited: bool,
    #[serde(flatten)]
    sums: Sums,
}

/// Amounts of one user, or of all. `difference = after - before`.
#[derive(Debug, Default, Clone, Copy)]
struct Sums {
    records: u64,
    before: NanoUsd,
    after: NanoUsd,
    /// What was put into wallets for it (taken out, if negative): by this run and before it.
    booked: NanoUsd,
    /// What is still to be put in, or taken out.
    rest: NanoUsd,
}

/// Records that have no other price.
#[derive(Debug, Default, Serialize)]
struct Skipped {
    /// Their model had no price.
    unpriced: u64,
    /// Their call was lost, and what was used is not known.
    unsettled: u64,
}

impl Serialize for Sums {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        json!({
            "records": self.records,
            "before_usd": self.before.to_string(),
            "after_usd": self.after.to_string(),
            "difference_usd": self.after.saturating_sub(self.before).to_string(),
            "booked_usd": self.booked.to_string(),
            "rest_usd": self.rest.to_string(),
        })
        .serialize(serializer)
    }
}

impl Job for ReRate {
    fn name(&self) -> &'static str {
        "re_rate"
    }

    fn every_s(&self) -> Option<u64> {
        None
    }

    fn run<'a>(&'a self, app: &'a App, arguments: &'a Map<String, Value>) -> Report<'a> {
        Box::pin(async move {
            let wanted = Wanted::read(arguments)?;
            Ok(json!(re_rate(app, &wanted).await?))
        })
    }
}

async fn re_rate(app: &App, wanted: &Wanted) -> Result<Done, Failure> {
    let configuration = app.store.configuration();
    if let Some(version) = wanted.price_version
        && version > configuration.version().await?
    {
        let text = "There is no such version of the configuration yet.";
        return Err(Failure::bad_field("price_version", text));
    }
    let version = wanted.price_version.unwrap_or(u64::MAX);
    let prices = configuration.prices_at(version).await?;
    let mut done = Done {
        dry_run: wanted.dry_run,
        price_version: wanted.price_version,
        ..Done::default()
    };
    for user in users(app, wanted).await? {
        let mut sums = rate(app, wanted, user, (&prices, &mut done.skipped)).await?;
        if sums.records == 0 {
            continue;
        }
        let found = app.store.users().find(user).await?;
        let unlimited = found.as_ref().is_some_and(|user| user.unlimited);
        let due = sums.before.saturating_sub(sums.after);
        let correction = Correction { wanted, user, due };
        (sums.booked, sums.rest) = correction.make(app, found.is_some() && !unlimited).await?;
        done.total.add(&sums);
        done.users.push(UserDone {
            user_id: user,
            username: found.map(|user| user.username),
            unlimited,
            sums,
        });
    }
    Ok(done)
}

async fn users(app: &App, wanted: &Wanted) -> Result<BTreeSet<UserId>, Failure> {
    if let Some(user) = wanted.user_id {
        return Ok(BTreeSet::from([user]));
    }
    let rollups = app.store.rollups();
    let active = rollups.active(wanted.from_ms, wanted.to_ms - 1).await?;
    Ok(active.into_iter().map(|(user, _)| user).collect())
}

/// What a user's records cost, and would have cost.
async fn rate(
    app: &App,
    wanted: &Wanted,
    user: UserId,
    (prices, skipped): (&PricesAt, &mut Skipped),
) -> Result<Sums, Failure> {
    let mut sums = Sums::default();
    let mut see = |record: UsageRecord| {
        let model = record.model.as_deref();
        let pattern = wanted.model.as_deref();
        let meant =
            pattern.is_none_or(|pattern| model.is_some_and(|model| pattern::fits(pattern, model)));
        match record.status {
            _ if !meant => {}
            Status::Unsettled => skipped.unsettled += 1,
            // What was refused was free, and stays so.
            Status::Error => {}
            Status::Ok | Status::Cut => {
                let Some(price) = model.and_then(|model| prices.price_of(model)) else {
                    skipped.unpriced += 1;
                    return;
                };
                let after = price.bill(&record.tokens, record.ratio).total;
                sums.records += 1;
                sums.before = sums.before.saturating_add(record.cost);
                sums.after = sums.after.saturating_add(after);
            }
        }
    };
    let log = app.store.usage_log();
    log.walk(user, wanted.from_ms, wanted.to_ms, &mut see)
        .await?;
    Ok(sums)
}

impl Sums {
    fn add(&mut self, other: &Self) {
        self.records = self.records.saturating_add(other.records);
        for (sum, more) in [
            (&mut self.before, other.before),
            (&mut self.after, other.after),
            (&mut self.booked, other.booked),
            (&mut self.rest, other.rest),
        ] {
            *sum = sum.saturating_add(more);
        }
    }
}

/// What a user is to get back, or still to pay if it is negative.
#[derive(Debug)]
struct Correction<'a> {
    wanted: &'a Wanted,
    user: UserId,
    due: NanoUsd,
}

impl Correction<'_> {
    /// Books what is missing, as far as the balance allows; says what is booked now, and what is not.
    async fn make(&self, app: &App, bookable: bool) -> Result<(NanoUsd, NanoUsd), Failure> {
        let reference = self.wanted.reference();
        for _ in 0..TRIES {
            let (booked, times) = self.booked(app, &reference).await?;
            let rest = self.due.saturating_sub(booked);
            if self.wanted.dry_run || !bookable || rest == NanoUsd::ZERO {
                return Ok((booked, rest));
            }
            let amount = self.payable(app, rest).await?;
            if amount == NanoUsd::ZERO {
                return Ok((booked, rest));
            }
            let at_ms = u64::try_from(app.clock.now_ms()).unwrap_or(0);
            let credit = Credit {
                id: CreditId::from_parts(at_ms, random::bits()),
                user_id: self.user,
                cause: Cause::Correction,
                amount,
                note: self.wanted.note(),
                by: None,
                reference: Some(reference.clone()),
            };
            // The nth correction of this kind is booked by one run, should there be two.
            let key = format!("{reference}.{times}");
            match app.store.credits().book_once(&credit, &key).await {
                Ok(_) => {
                    let booked = booked.saturating_add(amount);
                    return Ok((booked, self.due.saturating_sub(booked)));
                }
                // Another run was first, or a call has taken from the balance: look again.
                Err(BookError::Taken | BookError::Short { .. }) => {}
                Err(BookError::NoWallet | BookError::Full) => return Ok((booked, rest)),
                Err(BookError::Store(error)) => return Err(error.into()),
            }
        }
        let text = format!(
            "The balance of user {} keeps changing. Apply again.",
            self.user
        );
        Err(Failure::new(Kind::Conflict, "conflict", text))
    }

    /// As much of it as the wallet can take: nobody's balance falls below zero by a correction.
    async fn payable(&self, app: &App, rest: NanoUsd) -> Result<NanoUsd, Failure> {
        if rest >= NanoUsd::ZERO {
            return Ok(rest);
        }
        let wallet = app.store.wallets().find(WalletId::User(self.user)).await?;
        let balance = wallet.map_or(NanoUsd::ZERO, |wallet| wallet.balance);
        let most = NanoUsd::ZERO.saturating_sub(balance.max(NanoUsd::ZERO));
        Ok(rest.max(most))
    }

    /// What was booked before for the same, and how often.
    async fn booked(&self, app: &App, reference: &str) -> Result<(NanoUsd, usize), Failure> {
        let span = Span {
            from: jiff::Timestamp::UNIX_EPOCH,
            to: jiff::Timestamp::MAX,
        };
        let (mut sum, mut times, mut cursor) = (NanoUsd::ZERO, 0, None);
        loop {
            let credits = app.store.credits();
            let page = credits
                .list(self.user, span, CREDITS_A_PAGE, cursor)
                .await?;
            let ours = page.items.iter();
            for credit in ours.filter(|credit| credit.reference.as_deref() == Some(reference)) {
                sum = sum.saturating_add(credit.amount);
                times += 1;
            }
            cursor = page.next.and_then(|next| next.parse().ok());
            if cursor.is_none() {
                return Ok((sum, times));
            }
        }
    }
}
