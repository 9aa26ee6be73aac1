//! The reconciler: ends the holds that their calls did not.
//!
//! A hold older than any call can be belongs to a process that died. If the call's usage record names
//! it, it is settled with the record's cost; every other hold is released. Where there is no record,
//! an `unsettled` one is written first, so that a call which was only slow sees what happened.
//!
//! Where lost calls are charged, that takes three steps more: each hold becomes a charge that is due,
//! which nobody else can end; the record names those that were still there, and closes the round; then
//! they are settled. Whichever step is the last one before the end, the next run goes on behind it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use shared::domain::hold::{Hold, WalletId};
use shared::domain::id::{RequestId, UserId};
use shared::domain::money::{NanoUsd, Ratio};
use shared::domain::record::{Status, UsageRecord};
use shared::domain::settings::{Settings, UnsettledPolicy};
use shared::domain::usage::Usage;
use shared::failure::Failure;
use shared::store::StoreError;
use shared::store::ledger::Ended;
use shared::store::usage_log::Written;

use super::{Job, Report};
use crate::app::App;

/// Longer than the longest call, in seconds.
const OLDER_THAN_S: u64 = 16 * 60;
/// How far back the first run of all looks, in milliseconds: as long as holders are remembered.
const FIRST_LOOK_MS: i64 = 30 * 86_400 * 1_000;
/// How much earlier than the last run a run begins to look, in milliseconds: clocks differ.
const MARGIN_MS: i64 = 3_600 * 1_000;

/// The job.
#[derive(Debug)]
pub(super) struct ReleaseHolds;

/// What the job remembers.
#[derive(Debug, Serialize, Deserialize)]
struct Memory {
    /// No hold is older than this, in milliseconds since 1970.
    clean_before_ms: i64,
}

/// What a run did.
#[derive(Debug, Default, Serialize)]
struct Done {
    /// Wallets that were looked at.
    wallets: usize,
    /// Holds that were settled with their record's cost.
    settled: u64,
    /// Holds that were released.
    released: u64,
    /// Calls for which an `unsettled` record was written.
    unsettled: u64,
}

/// Every old hold of one request, by wallet.
type Lost = Vec<Hold>;

impl Job for ReleaseHolds {
    fn name(&self) -> &'static str {
        "release_holds"
    }

    fn every_s(&self) -> Option<u64> {
        Some(300)
    }

    fn run<'a>(&'a self, app: &'a App, arguments: &'a Map<String, Value>) -> Report<'a> {
        Box::pin(async move {
            let older_than_s = match arguments.get("older_than_seconds") {
                None | Some(Value::Null) => OLDER_THAN_S,
                Some(given) => given.as_u64().filter(|s| *s <= 30 * 86_400).ok_or_else(|| {
                    let text = "older_than_seconds: a number of seconds, at most 30 days, is expected.";
                    Failure::bad_field("older_than_seconds", text)
                })?,
            };
            let done = release(app, self.name(), older_than_s).await?;
            Ok(json!(done))
        })
    }
}

async fn release(app: &App, name: &str, older_than_s: u64) -> Result<Done, Failure> {
    let now = app.clock.now();
    let before_ms = now.as_millisecond() - i64::try_from(older_than_s * 1_000).unwrap_or(i64::MAX);
    let memory: Option<Memory> = app.store.jobs().state(name).await?;
    let clean_ms = memory.map_or(now.as_millisecond() - FIRST_LOOK_MS, |memory| {
        memory.clean_before_ms
    });
    let from = Timestamp::from_millisecond(clean_ms - MARGIN_MS).map_err(Failure::internal)?;
    let wallets = app.store.ledger().holders(from, now).await?;
    let settings = app.store.configuration().load().await?.settings;
    let mut done = Done {
        wallets: wallets.len(),
        ..Done::default()
    };
    for (request, holds) in lost(app, &wallets, before_ms).await? {
        end(app, &settings, request, holds, &mut done).await?;
    }
    // Only a run that ended everything moves the mark.
    app.store
        .jobs()
        .remember(
            name,
            &Memory {
                clean_before_ms: before_ms.max(clean_ms),
            },
        )
        .await?;
    Ok(done)
}

/// The holds that began before a time, by request.
async fn lost(
    app: &App,
    wallets: &[WalletId],
    before_ms: i64,
) -> Result<BTreeMap<RequestId, Lost>, Failure> {
    let mut lost: BTreeMap<RequestId, Lost> = BTreeMap::new();
    for id in wallets {
        let Some(wallet) = app.store.wallets().find(*id).await? else {
            continue;
        };
        for (hold, amount) in wallet.holds {
            if i64::try_from(hold.request.at_ms()).unwrap_or(i64::MAX) <= before_ms {
                let hold = Hold::found(hold, *id, amount);
                lost.entry(hold.id.request).or_default().push(hold);
            }
        }
    }
    Ok(lost)
}

/// Ends the holds of one request as its record says.
async fn end(
    app: &App,
    settings: &Settings,
    request: RequestId,
    mut holds: Lost,
    done: &mut Done,
) -> Result<(), Failure> {
    let Some(user_id) = payer(app, &holds).await? else {
        // The key is gone, and with it whoever could be charged.
        return release_all(app, &holds, done).await;
    };
    let record = match app.store.usage_log().find(user_id, request).await? {
        Some(record) => record,
        None => write_unsettled(app, settings, request, (user_id, &holds), done).await?,
    };
    let charges = settings.unsettled_policy == UnsettledPolicy::Charge;
    if charges && record.status == Status::Unsettled && record.closed == 0 {
        let due = all_due(app, &holds).await?;
        let record = with_charges(app, settings, record, &due).await?;
        holds.extend(due);
        return end_all(app, &record, &holds, done).await;
    }
    let record = with_closed_round(app, settings, record, &holds).await?;
    end_all(app, &record, &holds, done).await
}

/// Settles the holds that a record names, and releases the others.
async fn end_all(
    app: &App,
    record: &UsageRecord,
    holds: &[Hold],
    done: &mut Done,
) -> Result<(), Failure> {
    for hold in holds {
        if let Some(charge) = record.charge_of(hold.wallet, hold.id) {
            let ended = app.store.ledger().settle(hold, charge).await?;
            done.settled += u64::from(ended == Ended::Now);
        } else {
            let ended = app.store.ledger().release(hold).await?;
            done.released += u64::from(ended == Ended::Now);
        }
    }
    Ok(())
}

/// Of each wallet the first hold, as a charge that is due. Of several, which an unknown outcome leaves
/// behind, no other counts; one that is due already does.
async fn all_due(app: &App, holds: &[Hold]) -> Result<Lost, Failure> {
    let mut first: BTreeMap<WalletId, &Hold> = BTreeMap::new();
    for hold in holds.iter().filter(|hold| hold.amount > NanoUsd::ZERO) {
        let chosen = first.entry(hold.wallet).or_insert(hold);
        let rank = |hold: &Hold| (!hold.id.is_of_round(0), hold.id);
        if rank(hold) < rank(chosen) {
            *chosen = hold;
        }
    }
    let mut due = Lost::new();
    for hold in first.into_values() {
        if hold.id.is_of_round(0) {
            due.push(Hold::found(hold.id, hold.wallet, hold.amount));
        } else {
            due.extend(app.store.ledger().make_due(hold, 0).await?);
        }
    }
    Ok(due)
}

/// The record of a lost call that is charged what was held, where it was held everywhere.
async fn with_charges(
    app: &App,
    settings: &Settings,
    record: UsageRecord,
    due: &[Hold],
) -> Result<UsageRecord, Failure> {
    let charged = UsageRecord {
        cost: due.iter().map(|hold| hold.amount).min().unwrap_or_default(),
        holds: due.iter().map(Hold::name).collect(),
        closed: 1,
        ..record
    };
    replace(app, settings, 0, charged).await
}

/// Puts a record in the place of the `unsettled` one of that round; gives the record that counts.
async fn replace(
    app: &App,
    settings: &Settings,
    round: u8,
    record: UsageRecord,
) -> Result<UsageRecord, Failure> {
    let (log, kept_days) = (app.store.usage_log(), settings.usage_retention_days);
    match log.replace_unsettled(&record, round, kept_days).await {
        Ok(()) => Ok(record),
        Err(StoreError::Conflict) => {
            let found = log.find(record.user_id, record.id).await?;
            found.ok_or_else(|| Failure::internal("a record that was there is gone"))
        }
        Err(error) => Err(error.into()),
    }
}

/// A call that was taken for lost, but was only slow, has set aside what it had cost, and its record
/// does not say so yet. Whoever writes the record first decides: from here on that charge cannot be
/// named, and may be given back.
async fn with_closed_round(
    app: &App,
    settings: &Settings,
    mut record: UsageRecord,
    holds: &[Hold],
) -> Result<UsageRecord, Failure> {
    while record.status == Status::Unsettled
        && holds.iter().any(|hold| hold.id.is_of_round(record.closed))
    {
        let closed = UsageRecord {
            closed: record.closed.saturating_add(1),
            ..record.clone()
        };
        record = replace(app, settings, record.closed, closed).await?;
    }
    Ok(record)
}

/// Who pays for a call, by the wallets that it held in.
async fn payer(app: &App, holds: &[Hold]) -> Result<Option<UserId>, Failure> {
    for hold in holds {
        match hold.wallet {
            WalletId::User(id) | WalletId::Allowance(id) => return Ok(Some(id)),
            WalletId::Key(id) => {
                if let Some(key) = app.store.keys().find(id).await? {
                    return Ok(Some(key.user_id));
                }
            }
        }
    }
    Ok(None)
}

async fn release_all(app: &App, holds: &[Hold], done: &mut Done) -> Result<(), Failure> {
    for hold in holds {
        let ended = app.store.ledger().release(hold).await?;
        done.released += u64::from(ended == Ended::Now);
    }
    Ok(())
}

/// Writes that a call was lost; gives the record that counts, should another have come first.
async fn write_unsettled(
    app: &App,
    settings: &Settings,
    request: RequestId,
    (user_id, holds): (UserId, &[Hold]),
    done: &mut Done,
) -> Result<UsageRecord, Failure> {
    let record = unsettled(app, request, user_id, holds);
    match app
        .store
        .usage_log()
        .write(&record, settings.usage_retention_days)
        .await?
    {
        Written::Now => {
            done.unsettled += 1;
            Ok(record)
        }
        Written::Before(found) => Ok(*found),
    }
}

/// The record of a lost call: free, until it is charged.
fn unsettled(app: &App, id: RequestId, user_id: UserId, holds: &[Hold]) -> UsageRecord {
    let key_id = holds.iter().find_map(|hold| match hold.wallet {
        WalletId::Key(id) => Some(id),
        WalletId::User(_) | WalletId::Allowance(_) => None,
    });
    let began_ms = i64::try_from(id.at_ms()).unwrap_or(i64::MAX);
    UsageRecord {
        id,
        user_id,
        key_id,
        key_name: None,
        group: String::new(),
        channel_id: None,
        provider: None,
        model: None,
        upstream_model: None,
        dialect: None,
        lane: None,
        stream: false,
        status: Status::Unsettled,
        http_status: 500,
        error_code: Some("unsettled".to_owned()),
        attempts: Vec::new(),
        tokens: Usage::default(),
        cost: NanoUsd::ZERO,
        uncollected: NanoUsd::ZERO,
        upstream_cost: None,
        bill: Vec::new(),
        ratio: Ratio::ONE,
        estimated: true,
        ttfb_ms: None,
        total_ms: u64::try_from(app.clock.now_ms() - began_ms).unwrap_or(0),
        config_version: 0,
        source_ip: None,
        holds: Vec::new(),
        closed: 0,
    }
}
