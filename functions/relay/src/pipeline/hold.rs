//! Who calls → Holds: every wallet that the call pays from or is counted in, all of them or none.

use jiff::Timestamp;
use shared::domain::budget::Budget;
use shared::domain::group::Group;
use shared::domain::hold::{Hold, HoldId, WalletId};
use shared::domain::id::RequestId;
use shared::domain::limit::{Claim, Limits, Room};
use shared::domain::money::NanoUsd;
use shared::failure::{Failure, Kind};
use shared::store::StoreError;
use shared::store::ledger::{Ended, HOLD_ATTEMPTS, HoldError, HoldRequest};

use super::authenticate::Caller;
use super::refusal::Refused;
use crate::app::App;

/// A wallet that a call pays from or is counted in.
#[derive(Debug)]
pub(super) struct Purse<'a> {
    wallet: WalletId,
    /// What it is called where a call is refused.
    name: &'static str,
    /// Whether the call is charged here.
    pays: bool,
    /// The budget that it is, if it is one.
    budget: Option<&'a Budget>,
    limits: Limits,
}

/// What a call asks of each of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ask {
    pub(super) request: RequestId,
    /// How often was asked for this call before: no id of a hold is sent twice.
    pub(super) before: u8,
    /// The most that the call can cost.
    pub(super) amount: NanoUsd,
    pub(super) claim: Claim,
}

/// Why a call holds nothing.
#[derive(Debug)]
pub(super) enum Unheld {
    /// A purse has less than the call can cost.
    Short {
        /// What it has.
        balance: NanoUsd,
        /// The refusal, where nothing can be done about it.
        refused: Refused,
    },
    /// The call is refused.
    Refused(Refused),
}

impl Unheld {
    /// The refusal, whatever could be done about it.
    pub(super) fn into_refused(self) -> Refused {
        match self {
            Self::Short { refused, .. } | Self::Refused(refused) => refused,
        }
    }
}

impl From<Failure> for Unheld {
    fn from(failure: Failure) -> Self {
        Self::Refused(failure.into())
    }
}

/// The purses of a call, the narrowest first: what is refused there costs no other write.
pub(super) fn purses<'a>(caller: &'a Caller, group: Option<&'a Group>) -> Vec<Purse<'a>> {
    let Some(key) = &caller.key else {
        // An administrator tests a channel.
        return Vec::new();
    };
    let user = &caller.user;
    let budget = group.and_then(|group| group.budget.as_ref());
    let limits = group.map(|group| group.limits).unwrap_or_default();
    let purses = [
        Purse {
            wallet: WalletId::Key(key.id),
            name: "key",
            pays: key.budget.is_some(),
            budget: key.budget.as_ref(),
            limits: key.limits,
        },
        Purse {
            wallet: WalletId::Allowance(user.id),
            name: "group",
            pays: budget.is_some(),
            budget,
            limits: Limits::default(),
        },
        Purse {
            wallet: WalletId::User(user.id),
            name: "user",
            pays: !user.unlimited,
            budget: None,
            limits,
        },
    ];
    purses
        .into_iter()
        .filter(|purse| purse.pays || purse.limits.any())
        .collect()
}

/// Holds in every purse, or in none.
pub(super) async fn hold_all(
    app: &App,
    purses: &[Purse<'_>],
    ask: Ask,
) -> Result<Vec<Hold>, Unheld> {
    let mut holds = Vec::with_capacity(purses.len());
    for purse in purses {
        match hold(app, purse, ask).await {
            Ok(hold) => holds.push(hold),
            Err(unheld) => {
                undo_all(app, &holds).await;
                return Err(unheld);
            }
        }
    }
    Ok(holds)
}

/// What the minute's limits leave after a call was counted.
pub(super) fn room(purses: &[Purse<'_>], holds: &[Hold], now_ms: i64) -> Option<Room> {
    let rooms = purses
        .iter()
        .zip(holds)
        .filter_map(|(purse, hold)| Some(Room::of(purse.limits, hold.counted?, now_ms)));
    rooms.reduce(Room::smaller)
}

/// Ends holds of a call that counts but is not in flight.
pub(super) async fn release_all(app: &App, holds: &[Hold]) {
    for hold in holds {
        told(hold, app.store.ledger().release(hold).await);
    }
}

/// Gives back what was held, and counts the call no more.
pub(super) async fn undo_all(app: &App, holds: &[Hold]) {
    for hold in holds {
        told(hold, app.store.ledger().undo(hold, app.clock.now()).await);
    }
}

/// What cannot be given back now, the reconciler gives back.
fn told(hold: &Hold, ended: Result<Ended, StoreError>) {
    if let Err(error) = ended {
        let error = shared::trace::chain(&error);
        tracing::warn!(hold = %hold.id, error, "a hold could not be given back");
    }
}

/// Holds in one purse. One that is not there, or whose budget is another by now, is made first.
async fn hold(app: &App, purse: &Purse<'_>, ask: Ask) -> Result<Hold, Unheld> {
    let now = app.clock.now();
    // A purse may have to be asked twice.
    let before = ask.before.saturating_mul(2 * HOLD_ATTEMPTS);
    let mut wanted = HoldRequest {
        wallet: purse.wallet,
        id: HoldId::first(ask.request).after(before),
        amount: if purse.pays {
            ask.amount
        } else {
            NanoUsd::ZERO
        },
        pays: purse.pays,
        // Whoever changes a key's budget changes its wallet. A group's users have too many.
        grant: match purse.wallet {
            WalletId::Allowance(_) => purse.budget.map(|budget| budget.limit),
            WalletId::User(_) | WalletId::Key(_) => None,
        },
        limits: purse.limits,
        claim: ask.claim,
        now,
    };
    let mut held = app.store.ledger().hold(wanted).await;
    if matches!(held, Err(HoldError::Outdated | HoldError::NoWallet)) {
        renew(app, purse, now).await?;
        wanted.id = wanted.id.after(HOLD_ATTEMPTS);
        held = app.store.ledger().hold(wanted).await;
    }
    held.map_err(|error| unheld(error, purse, ask.amount, now))
}

/// Makes the wallet what it should be: open, and in the right period of its budget.
async fn renew(app: &App, purse: &Purse<'_>, now: Timestamp) -> Result<(), Failure> {
    let wallets = app.store.wallets();
    match (purse.budget, purse.wallet) {
        (Some(budget), WalletId::Allowance(_)) => {
            wallets.reset_budget(purse.wallet, budget, now).await?;
            wallets.set_budget(purse.wallet, budget, now).await?;
        }
        (Some(budget), _) => {
            wallets.reset_budget(purse.wallet, budget, now).await?;
        }
        (None, WalletId::Key(_)) => wallets.open(purse.wallet).await?,
        (None, _) => {}
    }
    Ok(())
}

fn unheld(error: HoldError, purse: &Purse<'_>, needed: NanoUsd, now: Timestamp) -> Unheld {
    let now_ms = now.as_millisecond();
    let (failure, counted) = match error {
        HoldError::Short {
            balance,
            resets_at_ms,
        } => {
            let failure = short(purse, needed, balance);
            let failure = match resets_at_ms {
                Some(at) => failure.retry_after(seconds_until(at, now_ms)),
                None => failure,
            };
            return Unheld::Short {
                balance,
                refused: failure.into(),
            };
        }
        HoldError::NoWallet => {
            let text = format!(
                "There is nothing to pay from: the {} has no wallet.",
                purse.name
            );
            (
                Failure::new(Kind::Payment, "insufficient_balance", text),
                None,
            )
        }
        HoldError::Crowded { in_flight } => {
            let text = format!(
                "{in_flight} calls of this {} are in flight already. Wait for one to end.",
                purse.name
            );
            let failure = Failure::new(Kind::RateLimited, "too_many_parallel_calls", text);
            (failure.retry_after(1), None)
        }
        HoldError::Requests { counted } => {
            let limit = purse.limits.rpm.unwrap_or_default();
            let text = format!(
                "The limit of {limit} requests per minute of this {} is reached. Try again in the \
                 next minute.",
                purse.name
            );
            (rate_limited(text), Some(counted))
        }
        HoldError::Tokens { counted } => {
            let limit = purse.limits.tpm.unwrap_or_default();
            let left = u64::from(limit).saturating_sub(counted.tokens);
            let text = format!(
                "The limit of {limit} tokens per minute of this {} is reached: {left} are left, and \
                 this call may need more. Try again in the next minute.",
                purse.name
            );
            (rate_limited(text), Some(counted))
        }
        HoldError::Outdated => {
            let text = "The budget's period ends right now. Try again.";
            let failure = Failure::new(Kind::RateLimited, "budget_resetting", text);
            (failure.retry_after(1), None)
        }
        HoldError::Store(error) => (error.into(), None),
    };
    let room = counted.map(|counted| Room::of(purse.limits, counted, now_ms));
    Unheld::Refused(match room {
        Some(room) => Refused {
            failure: failure.retry_after(room.resets_in_s),
            room: Some(room),
        },
        None => failure.into(),
    })
}

fn short(purse: &Purse<'_>, needed: NanoUsd, balance: NanoUsd) -> Failure {
    let left = balance.max(NanoUsd::ZERO);
    let (what, code) = match purse.wallet {
        WalletId::User(_) => ("the balance", "insufficient_balance"),
        WalletId::Key(_) => ("the key's budget", "budget_exceeded"),
        WalletId::Allowance(_) => ("the budget that the group gives", "budget_exceeded"),
    };
    let text = format!(
        "This call can cost up to {needed} USD, and {left} USD of {what} is left. A lower output \
         limit makes it cheaper."
    );
    Failure::new(Kind::Payment, code, text)
}

fn rate_limited(text: String) -> Failure {
    Failure::new(Kind::RateLimited, "rate_limit_exceeded", text)
}

fn seconds_until(at_ms: i64, now_ms: i64) -> u64 {
    u64::try_from((at_ms - now_ms + 999) / 1_000)
        .unwrap_or(0)
        .max(1)
}
