//! What a call was → the books: the usage record first, then every wallet that held for it.
//!
//! Each write may be repeated without harm. If the process dies in between, the reconciler finds the
//! hold and the record, and ends what this began.

use std::time::Duration;

use http::StatusCode;
use shared::domain::hold::{Hold, HoldId};
use shared::domain::limit::Minute;
use shared::domain::money::NanoUsd;
use shared::domain::price::Bill;
use shared::domain::record::{Status, UsageRecord};
use shared::domain::usage::Usage;
use shared::failure::Failure;
use shared::store::StoreError;
use shared::store::ledger::Ended;
use shared::store::usage_log::Written;
use tokio::time::sleep;

use super::admit::window;
use super::send::Delivery;
use crate::app::App;
use crate::dialects::estimate;
use crate::dialects::watch::Seen;

/// How long to wait before a write is tried again, in milliseconds. The SDK has retried before.
const PAUSES_MS: [u64; 5] = [50, 250, 1_000, 4_000, 10_000];

/// How a call ended.
#[derive(Debug)]
pub(super) struct Ending {
    pub(super) status: Status,
    pub(super) http_status: u16,
    pub(super) error_code: Option<String>,
    pub(super) seen: Seen,
    pub(super) ttfb_ms: Option<u64>,
}

impl Ending {
    /// With a whole answer.
    pub(super) fn whole(seen: Seen, ttfb_ms: Option<u64>) -> Self {
        Self {
            status: Status::Ok,
            http_status: 200,
            error_code: None,
            seen,
            ttfb_ms,
        }
    }

    /// Without any answer, and so without any cost.
    pub(super) fn failed(failure: &Failure, told: StatusCode) -> Self {
        Self {
            status: Status::Error,
            http_status: told.as_u16(),
            error_code: Some(failure.code.to_string()),
            seen: Seen::default(),
            ttfb_ms: None,
        }
    }
}

pub(super) async fn settle(app: &App, delivery: &Delivery, ending: &Ending) {
    let record = record(app, delivery, ending);
    log(&record);
    for pause in PAUSES_MS.map(Some).into_iter().chain([None]) {
        let error = match book(app, delivery, &record).await {
            Ok(()) => return add_tokens(app, delivery, &record).await,
            Err(error) => shared::trace::chain(&error),
        };
        let request_id = record.id.to_string();
        match pause {
            Some(ms) => {
                tracing::warn!(request_id, error, "the books are not written yet");
                sleep(Duration::from_millis(ms)).await;
            }
            // The record is worth money: it goes where an operator can find it.
            None => {
                tracing::error!(request_id, error, record = ?record, "the books cannot be written");
            }
        }
    }
}

/// The record, then the wallets.
async fn book(app: &App, delivery: &Delivery, record: &UsageRecord) -> Result<(), StoreError> {
    let kept_days = delivery
        .admitted
        .snapshot
        .configuration
        .settings
        .usage_retention_days;
    if let Written::Before(found) = app.store.usage_log().write(record, kept_days).await?
        && found.status == Status::Unsettled
    {
        return book_late(app, delivery, record, &found).await;
    }
    for hold in &delivery.admitted.holds {
        if app.store.ledger().settle(hold, record.cost).await? == Ended::Before {
            let (request_id, wallet) = (record.id.to_string(), hold.wallet.to_string());
            tracing::info!(request_id, wallet, "this hold was ended before");
        }
    }
    for slot in &delivery.admitted.slots {
        app.store.ledger().release(slot).await?;
    }
    Ok(())
}

/// The reconciler took the call for lost and ended its holds, but it was only slow. What it cost more
/// (or less) than was charged then becomes a due charge, the true record takes the place of the
/// `unsettled` one, and the charge is settled. The reconciler settles a due charge, too.
async fn book_late(
    app: &App,
    delivery: &Delivery,
    record: &UsageRecord,
    found: &UsageRecord,
) -> Result<(), StoreError> {
    let (ledger, now) = (app.store.ledger(), app.clock.now());
    let kept_days = delivery
        .admitted
        .snapshot
        .configuration
        .settings
        .usage_retention_days;
    let mut due: Vec<Hold> = Vec::new();
    for hold in &delivery.admitted.holds {
        let (id, wallet) = (HoldId::late(record.id), hold.wallet);
        let named = |late| {
            let names = found.holds.iter();
            names
                .filter(|name| name.wallet == wallet)
                .any(|name| name.id.is_late() == late)
        };
        // What the reconciler meant to charge is charged, should it have died before it could.
        let before = if named(false) {
            hold.amount
        } else {
            NanoUsd::ZERO
        };
        if named(false) {
            ledger.settle(hold, hold.amount).await?;
        }
        let more = record.cost.saturating_sub(before);
        due.push(if named(true) {
            // The reconciler has seen this very charge, and settles it.
            Hold {
                id,
                wallet,
                amount: more,
            }
        } else {
            ledger.hold_late(wallet, id, more, now).await?
        });
    }
    let record = UsageRecord {
        holds: due.iter().map(Hold::name).collect(),
        ..record.clone()
    };
    match app
        .store
        .usage_log()
        .replace_unsettled(&record, kept_days)
        .await
    {
        Ok(()) | Err(StoreError::Conflict) => {}
        Err(error) => return Err(error),
    }
    for charge in &due {
        ledger.settle(charge, charge.amount).await?;
    }
    for slot in &delivery.admitted.slots {
        ledger.release(slot).await?;
    }
    Ok(())
}

/// Counts the call's tokens in its key's window, if they are limited.
async fn add_tokens(app: &App, delivery: &Delivery, record: &UsageRecord) {
    let admitted = &delivery.admitted;
    let (Some(key), Some(_)) = (&admitted.caller.key, admitted.limits.tpm) else {
        return;
    };
    let used = record
        .tokens
        .total_input()
        .saturating_add(record.tokens.total_output());
    let minute = Minute::of_ms(app.clock.now_ms());
    if let Err(error) = app
        .store
        .windows()
        .add_tokens(&window(key.id), minute, used)
        .await
    {
        let error = shared::trace::chain(&error);
        tracing::warn!(key_id = %key.id, error, "tokens were not counted in the window");
    }
}

fn record(app: &App, delivery: &Delivery, ending: &Ending) -> UsageRecord {
    let (call, admitted) = (&delivery.call, &delivery.admitted);
    let caller = &admitted.caller;
    let upstream_model = delivery.stop.as_ref().map(|stop| &*stop.upstream_model);
    let model = upstream_model.unwrap_or(&admitted.wanted.model);
    let (tokens, estimated) = used(&admitted.wanted.body, model, ending);
    let bill = match ending.status {
        Status::Error | Status::Unsettled => Bill {
            lines: Vec::new(),
            total: NanoUsd::ZERO,
        },
        Status::Ok | Status::Cut => admitted.price.bill(&tokens, admitted.ratio),
    };
    let stop = delivery.stop.as_ref();
    UsageRecord {
        id: call.id,
        user_id: caller.user.id,
        key_id: caller.key.as_ref().map(|key| key.id),
        key_name: caller.key.as_ref().map(|key| key.name.clone()),
        group: caller.user.group.clone(),
        channel_id: stop.map(|stop| stop.channel_id),
        provider: stop.map(|stop| stop.provider.clone()),
        model: Some(admitted.wanted.model.clone()),
        upstream_model: stop.map(|stop| stop.upstream_model.clone()),
        dialect: Some(call.dialect),
        lane: stop.map(|stop| stop.lane),
        stream: admitted.wanted.stream,
        status: ending.status,
        http_status: ending.http_status,
        error_code: ending.error_code.clone(),
        attempts: delivery.attempts.clone(),
        tokens,
        cost: bill.total,
        bill: bill.lines,
        ratio: admitted.ratio,
        estimated,
        ttfb_ms: ending.ttfb_ms,
        total_ms: u64::try_from(app.clock.now_ms() - call.began_ms).unwrap_or(0),
        config_version: admitted.snapshot.configuration.version,
        source_ip: call.source_ip,
        holds: admitted.holds.iter().map(Hold::name).collect(),
    }
}

/// What was used, and whether that is an estimate.
fn used(request: &[u8], model: &str, ending: &Ending) -> (Usage, bool) {
    match (ending.status, ending.seen.tokens) {
        (Status::Error | Status::Unsettled, _) => (Usage::default(), false),
        (Status::Ok | Status::Cut, Some(tokens)) => (tokens, false),
        (Status::Ok | Status::Cut, None) => {
            (estimate::usage(request, &[model], &ending.seen), true)
        }
    }
}

fn log(record: &UsageRecord) {
    tracing::info!(
        request_id = %record.id,
        user_id = %record.user_id,
        channel_id = record.channel_id.map(|id| id.to_string()),
        model = record.model,
        status = ?record.status,
        http_status = record.http_status,
        code = record.error_code,
        cost_usd = %record.cost,
        ttfb_ms = record.ttfb_ms,
        total_ms = record.total_ms,
        "call ended"
    );
}
