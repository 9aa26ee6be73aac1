//! Caller + request → Admitted: limits counted, money held.

use std::sync::Arc;

use shared::domain::budget::Budget;
use shared::domain::hold::{Hold, WalletId};
use shared::domain::id::KeyId;
use shared::domain::limit::{Limits, Minute};
use shared::domain::money::{NanoUsd, Ratio};
use shared::domain::price::Price;
use shared::failure::{Failure, Kind};
use shared::store::ledger::{HoldError, HoldRequest};
use shared::store::windows::Reached;

use super::Call;
use super::authenticate::Caller;
use crate::app::App;
use crate::dialects::{Wanted, estimate};
use crate::snapshot::Snapshot;

/// How many calls a wallet may have in flight where nobody says otherwise: each adds some 40 bytes to
/// an item of at most 400 KB.
const PARALLEL: u32 = 500;

/// A call that may go on. Its holds must be settled.
#[derive(Debug)]
pub(super) struct Admitted {
    pub(super) caller: Caller,
    pub(super) wanted: Wanted,
    pub(super) price: Arc<Price>,
    pub(super) ratio: Ratio,
    pub(super) limits: Limits,
    pub(super) holds: Vec<Hold>,
    /// Holds of nothing, that only count the key's calls in flight: released at the end.
    pub(super) slots: Vec<Hold>,
    pub(super) snapshot: Arc<Snapshot>,
}

pub(super) async fn admit(
    app: &App,
    call: &Call,
    caller: Caller,
    wanted: Wanted,
    snapshot: &Arc<Snapshot>,
) -> Result<Admitted, Failure> {
    let price = if call.url.counting {
        Arc::default()
    } else {
        priced(snapshot, &wanted.model)?
    };
    let group = snapshot.group(&caller.user.group);
    let ratio = group.map_or(Ratio::ONE, |group| group.ratio);
    let limits = group.map(|group| group.limits).unwrap_or_default();
    let limits = caller
        .key
        .as_ref()
        .map_or(limits, |key| key.limits.stricter(limits));
    let mut admitted = Admitted {
        caller,
        wanted,
        price,
        ratio,
        limits,
        holds: Vec::new(),
        slots: Vec::new(),
        snapshot: Arc::clone(snapshot),
    };
    count(app, &admitted).await?;
    if call.url.counting {
        return Ok(admitted);
    }
    match hold_all(app, call, &mut admitted).await {
        Ok(()) => Ok(admitted),
        Err(failure) => {
            release(app, &admitted.holds).await;
            release(app, &admitted.slots).await;
            Err(failure)
        }
    }
}

fn priced(snapshot: &Snapshot, model: &str) -> Result<Arc<Price>, Failure> {
    let price = snapshot.configuration.price_of(model);
    price.cloned().map(Arc::new).ok_or_else(|| {
        let text = format!("The model {model} has no price yet, so it cannot be used.");
        Failure::new(Kind::Forbidden, "model_not_priced", text)
    })
}

/// Counts the request in its key's window, if requests or tokens per minute are limited.
async fn count(app: &App, admitted: &Admitted) -> Result<(), Failure> {
    let Some(key) = &admitted.caller.key else {
        return Ok(());
    };
    let limits = admitted.limits;
    if limits.rpm.is_none() && limits.tpm.is_none() {
        return Ok(());
    }
    let now_ms = app.clock.now_ms();
    let minute = Minute::of_ms(now_ms);
    let counted = app
        .store
        .windows()
        .count(&window(key.id), minute, limits)
        .await?;
    counted.map_err(|reached| {
        let (limit, unit) = match reached {
            Reached::Requests => (limits.rpm, "requests"),
            Reached::Tokens => (limits.tpm, "tokens"),
        };
        let limit = limit.unwrap_or_default();
        let text = format!(
            "The limit of {limit} {unit} per minute is reached. Try again in the next minute."
        );
        Failure::new(Kind::RateLimited, "rate_limit_exceeded", text)
            .retry_after(minute.seconds_left(now_ms))
    })
}

/// What a key's window is called.
pub(super) fn window(key: KeyId) -> String {
    format!("key:{key}")
}

/// Holds the worst case in the user's balance and in the key's budget, where there are any. The key's
/// wallet also counts its calls in flight.
async fn hold_all(app: &App, call: &Call, admitted: &mut Admitted) -> Result<(), Failure> {
    let (amount, now) = (worst_case(admitted), app.clock.now());
    let request = |wallet, amount, parallel| HoldRequest {
        wallet,
        request: call.id,
        amount,
        parallel,
        now,
    };
    if !admitted.caller.user.unlimited && admitted.caller.pinned.is_none() {
        let wanted = request(WalletId::User(admitted.caller.user.id), amount, PARALLEL);
        let held = app.store.ledger().hold(wanted).await;
        admitted
            .holds
            .push(held.map_err(|error| refusal(error, "balance", amount))?);
    }
    let Some(key) = &admitted.caller.key else {
        return Ok(());
    };
    let parallel = admitted.limits.parallel;
    if let Some(budget) = &key.budget {
        let parallel = parallel.unwrap_or(PARALLEL).min(PARALLEL);
        let wanted = request(WalletId::Key(key.id), amount, parallel);
        admitted
            .holds
            .push(hold_budget(app, key.id, budget, wanted).await?);
    } else if let Some(parallel) = parallel {
        let wanted = request(
            WalletId::Calls(key.id),
            NanoUsd::ZERO,
            parallel.min(PARALLEL),
        );
        admitted.slots.push(hold_slot(app, wanted).await?);
    }
    Ok(())
}

/// Takes one of the places that a key without a budget has for calls in flight.
async fn hold_slot(app: &App, wanted: HoldRequest) -> Result<Hold, Failure> {
    let mut held = app.store.ledger().hold(wanted).await;
    if matches!(held, Err(HoldError::NoWallet)) {
        app.store.wallets().open(wanted.wallet).await?;
        held = app.store.ledger().hold(wanted).await;
    }
    held.map_err(|error| refusal(error, "key", wanted.amount))
}

/// The most that the call can cost: a token for each byte of input, and all of the output it may have.
fn worst_case(admitted: &Admitted) -> NanoUsd {
    let wanted = &admitted.wanted;
    let default = admitted
        .snapshot
        .configuration
        .settings
        .default_max_output_tokens;
    let output = wanted
        .max_output
        .unwrap_or(default)
        .saturating_mul(wanted.answers);
    admitted
        .price
        .worst_case(estimate::most_input(&wanted.body), output, admitted.ratio)
}

/// Holds in a key's budget; a period that is over is begun anew first.
async fn hold_budget(
    app: &App,
    key: KeyId,
    budget: &Budget,
    wanted: HoldRequest,
) -> Result<Hold, Failure> {
    let mut held = app.store.ledger().hold(wanted).await;
    if matches!(held, Err(HoldError::PeriodOver | HoldError::NoWallet)) {
        app.store
            .wallets()
            .reset_budget(key, budget, wanted.now)
            .await?;
        held = app.store.ledger().hold(wanted).await;
    }
    held.map_err(|error| refusal(error, "budget", wanted.amount))
}

fn refusal(error: HoldError, what: &str, needed: NanoUsd) -> Failure {
    match error {
        HoldError::Short { balance } => {
            let left = balance.max(NanoUsd::ZERO);
            let text = format!(
                "This call can cost up to {needed} USD, and {left} USD of the {what} is left. \
                 A lower output limit makes it cheaper."
            );
            let code = if what == "budget" {
                "budget_exceeded"
            } else {
                "insufficient_balance"
            };
            Failure::new(Kind::Payment, code, text)
        }
        HoldError::NoWallet => Failure::new(
            Kind::Payment,
            "insufficient_balance",
            format!("There is no {what} to pay from."),
        ),
        HoldError::Crowded { in_flight } => {
            let text = format!("{in_flight} calls are in flight already. Wait for one to end.");
            Failure::new(Kind::RateLimited, "too_many_parallel_calls", text).retry_after(1)
        }
        HoldError::PeriodOver => {
            let text = "The budget's period ends right now. Try again.";
            Failure::new(Kind::RateLimited, "budget_resetting", text).retry_after(1)
        }
        HoldError::Store(error) => error.into(),
    }
}

/// Gives back what was held. What cannot be given back now, the reconciler gives back.
async fn release(app: &App, holds: &[Hold]) {
    for hold in holds {
        if let Err(error) = app.store.ledger().release(hold).await {
            let error = shared::trace::chain(&error);
            tracing::warn!(hold = %hold.id, error, "a hold could not be released");
        }
    }
}
