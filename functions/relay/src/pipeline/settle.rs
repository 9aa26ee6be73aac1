//! What a call was → the books: the usage record first, then every wallet that held for it.
//!
//! Each write may be repeated without harm. If the process dies in between, the reconciler finds the
//! hold and the record, and ends what this began.

use std::time::Duration;

use http::StatusCode;
use shared::domain::hold::Hold;
use shared::domain::money::NanoUsd;
use shared::domain::price::Bill;
use shared::domain::record::{Status, UsageRecord};
use shared::domain::usage::Usage;
use shared::failure::Failure;
use shared::store::StoreError;
use shared::store::ledger::{Charge, Ended, Resized};
use shared::store::usage_log::Written;
use tokio::time::sleep;

use super::late;
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

pub(super) async fn settle(app: &App, delivery: &mut Delivery, ending: &Ending) {
    let record = record(app, delivery, ending);
    log(&record);
    for pause in PAUSES_MS.map(Some).into_iter().chain([None]) {
        // On the heap, for it is large, and every call's future would carry it from its first step.
        let error = match Box::pin(book(app, delivery, &record)).await {
            Ok(()) => return,
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
async fn book(app: &App, delivery: &mut Delivery, record: &UsageRecord) -> Result<(), StoreError> {
    let kept_days = delivery.admitted.kept_days();
    let holds = &mut delivery.admitted.holds;
    let charged = collect(app, holds, record.cost).await?;
    let names = holds.iter().filter(|hold| hold.pays).map(Hold::name);
    let booked = record.charged(charged, names.collect());
    let written = app.store.usage_log().write(&booked, kept_days).await?;
    let booked = match written {
        Written::Now => booked,
        Written::Before(found) if found.status == Status::Unsettled => {
            late::book(app, delivery, record, *found).await?
        }
        // An earlier send arrived: what it says counts, for part of it may be done.
        Written::Before(found) => {
            late::settle(app, &found).await?;
            *found
        }
    };
    for hold in &delivery.admitted.holds {
        let cost = booked.charge_of(hold.wallet, hold.id).unwrap_or_default();
        let charge = charge(app, record, cost);
        if app.store.ledger().settle(hold, charge).await? == Ended::Before {
            let (request_id, wallet) = (record.id.to_string(), hold.wallet.to_string());
            tracing::info!(request_id, wallet, "this hold was ended before");
        }
    }
    if booked.uncollected > NanoUsd::ZERO {
        let (request_id, usd) = (record.id.to_string(), booked.uncollected.to_string());
        tracing::warn!(request_id, usd, "a call cost more than there was");
    }
    Ok(())
}

/// What a call can be charged: its cost, or as much of it as every wallet has. Only a call that cost
/// more than its worst case needs more than it holds.
async fn collect(app: &App, holds: &mut [Hold], cost: NanoUsd) -> Result<NanoUsd, StoreError> {
    let mut charged = cost;
    for hold in holds.iter_mut().filter(|hold| hold.pays) {
        if hold.amount < cost
            && let Resized::To(amount) = app.store.ledger().resize(hold, cost).await?
        {
            hold.amount = amount;
            charged = charged.min(amount);
        }
    }
    Ok(charged)
}

/// The charge of a call that has ended now.
fn charge(app: &App, record: &UsageRecord, cost: NanoUsd) -> Charge {
    let tokens = record.tokens.total_input();
    let tokens = tokens.saturating_add(record.tokens.total_output());
    Charge {
        cost,
        used: Some((tokens, app.clock.now())),
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
        uncollected: NanoUsd::ZERO,
        upstream_cost: upstream_cost(delivery, ending, &tokens),
        bill: bill.lines,
        ratio: admitted.ratio,
        estimated,
        ttfb_ms: ending.ttfb_ms,
        total_ms: u64::try_from(app.clock.now_ms() - call.began_ms).unwrap_or(0),
        config_version: admitted.snapshot.configuration.version,
        source_ip: call.source_ip,
        holds: Vec::new(),
        closed: 0,
    }
}

/// What the operator pays for an answer, where the channel that gave it tells.
fn upstream_cost(delivery: &Delivery, ending: &Ending, tokens: &Usage) -> Option<NanoUsd> {
    let stop = delivery.stop.as_ref();
    let stop = stop.filter(|_| matches!(ending.status, Status::Ok | Status::Cut))?;
    let admitted = &delivery.admitted;
    let mut channels = admitted.snapshot.configuration.channels.iter();
    let channel = channels.find(|channel| channel.id == stop.channel_id)?;
    channel
        .cost
        .of(&stop.upstream_model, &admitted.price, tokens)
}

/// What was used, and whether that is an estimate.
fn used(request: &[u8], model: &str, ending: &Ending) -> (Usage, bool) {
    match (ending.status, ending.seen.believed()) {
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
