//! Re-rating: what the calls of a period would have cost under other prices, by user; and the credits
//! that put it right.
//!
//! Records stay as they were: history is not rewritten. What was booked for a user's calls of a day and
//! model before counts, whoever booked it for whichever days. So whoever applies twice books once, days
//! that overlap are corrected once, and prices that have changed again only book what is still missing.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::Serialize;
use serde_json::{Map, Value, json};
use shared::domain::id::UserId;
use shared::domain::money::NanoUsd;
use shared::domain::record::{Status, UsageRecord};
use shared::domain::rollup::{begin_of, day_of_request, end_of};
use shared::failure::Failure;
use shared::store::corrections::Calls;
use shared::store::price_history::PricesAt;

use self::correct::{Bills, Outcome, correct};
use self::wanted::Wanted;
use super::{Job, Report};
use crate::app::App;

mod correct;
mod wanted;

/// The job.
#[derive(Debug)]
pub(super) struct ReRate;

/// What a run found.
#[derive(Debug, Default, Serialize)]
struct Done {
    dry_run: bool,
    /// The version of the configuration whose prices were taken; none for the present ones.
    price_version: Option<u64>,
    /// The days that were looked at: those that were asked for, as far as there are records.
    first_day: Date,
    last_day: Date,
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
    /// Others of their day and model, which were corrected, have expired since.
    expired: u64,
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

    fn arguments(&self) -> &'static [&'static str] {
        wanted::NAMES
    }

    fn run<'a>(&'a self, app: &'a App, arguments: &'a Map<String, Value>) -> Report<'a> {
        Box::pin(async move {
            let wanted = Wanted::read(arguments, app.clock.now())?;
            Ok(json!(re_rate(app, wanted).await?))
        })
    }
}

async fn re_rate(app: &App, wanted: Wanted) -> Result<Done, Failure> {
    let configuration = app.store.configuration();
    if let Some(version) = wanted.price_version
        && version > configuration.version().await?
    {
        let text = "There is no such version of the configuration yet.";
        return Err(Failure::bad_field("price_version", text));
    }
    let version = wanted.price_version.unwrap_or(u64::MAX);
    let prices = configuration.prices_at(version).await?;
    let kept_days = configuration.settings().await?.usage_retention_days;
    let wanted = &wanted.within(kept_days, app.clock.now());
    let mut done = Done {
        first_day: wanted.first,
        last_day: wanted.last,
        dry_run: wanted.dry_run,
        price_version: wanted.price_version,
        ..Done::default()
    };
    for user in users(app, wanted).await? {
        let bills = rate(app, wanted, user, (&prices, &mut done.skipped)).await?;
        if bills.is_empty() {
            continue;
        }
        let found = app.store.users().find(user).await?;
        let unlimited = found.as_ref().is_some_and(|user| user.unlimited);
        let bookable = found.is_some() && !unlimited;
        let outcome = correct(app, wanted, user, (&bills, bookable)).await?;
        let Outcome { sums, expired } = outcome;
        done.skipped.expired = done.skipped.expired.saturating_add(expired);
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
    if wanted.first > wanted.last {
        return Ok(BTreeSet::new());
    }
    let (from_ms, to_ms) = (begin_of(wanted.first), end_of(wanted.last));
    let active = rollups.active(from_ms, to_ms - 1).await?;
    Ok(active.into_iter().map(|(user, _)| user).collect())
}

/// What a user's records cost, and would have cost.
async fn rate(
    app: &App,
    wanted: &Wanted,
    user: UserId,
    (prices, skipped): (&PricesAt, &mut Skipped),
) -> Result<Bills, Failure> {
    let mut bills = Bills::new();
    let mut see = |record: UsageRecord| match record.status {
        _ if !wanted.means(record.model.as_deref()) => {}
        Status::Unsettled => skipped.unsettled += 1,
        // What was refused was free, and stays so.
        Status::Error => {}
        Status::Ok | Status::Cut => {
            let model = record.model.as_deref().unwrap_or_default();
            let Some(price) = prices.price_of(model) else {
                skipped.unpriced += 1;
                return;
            };
            let calls = Calls::of(day_of_request(record.id), model);
            let after = price.bill(&record.tokens, record.ratio).total;
            bills.entry(calls).or_default().count(&record, after);
        }
    };
    let (from_ms, to_ms) = (begin_of(wanted.first), end_of(wanted.last));
    let log = app.store.usage_log();
    log.walk(user, from_ms, to_ms, &mut see).await?;
    Ok(bills)
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
