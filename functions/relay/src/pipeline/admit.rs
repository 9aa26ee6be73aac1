//! Caller + request → Admitted: the price is known, limits are counted, the worst case is held.

use std::sync::Arc;

use shared::domain::hold::Hold;
use shared::domain::key::WhenShort;
use shared::domain::limit::{Claim, Room};
use shared::domain::money::{NanoUsd, Ratio};
use shared::domain::price::Price;
use shared::domain::usage::Service;
use shared::failure::{Failure, Kind};

use super::Call;
use super::authenticate::Caller;
use super::hold::{self, Ask, Purse, Unheld};
use super::refusal::Refused;
use super::route::Itinerary;
use crate::app::App;
use crate::dialects::{self, Wanted, estimate};
use crate::snapshot::Snapshot;

/// The lowest output limit that a call is lowered to, in tokens: the lowest that OpenAI takes.
/// <https://platform.openai.com/docs/api-reference/responses/create#responses-create-max_output_tokens>
const LEAST_OUTPUT: u64 = 16;
/// How often a call is lowered to what there is, while other calls take from it.
const LOWERED: u8 = 4;

/// A call that may go on. Its holds must be settled.
#[derive(Debug)]
pub(super) struct Admitted {
    pub(super) caller: Caller,
    pub(super) wanted: Wanted,
    pub(super) price: Arc<Price>,
    pub(super) ratio: Ratio,
    /// In every wallet that pays for the call or counts it.
    pub(super) holds: Vec<Hold>,
    /// What the minute's limits leave, where there are any.
    pub(super) room: Option<Room>,
    /// The output limit that the call was lowered to, in tokens.
    pub(super) lowered: Option<u64>,
    pub(super) snapshot: Arc<Snapshot>,
}

impl Admitted {
    /// For how many days the call's record is kept.
    pub(super) fn kept_days(&self) -> u32 {
        self.snapshot.configuration.settings.usage_retention_days
    }
}

/// What a call holds.
#[derive(Debug, Default)]
struct Held {
    holds: Vec<Hold>,
    room: Option<Room>,
    lowered: Option<u64>,
}

/// What decides how much a call can cost.
#[derive(Debug)]
struct Terms<'a> {
    price: &'a Price,
    ratio: Ratio,
    /// The most tokens that its input can have.
    most_input: u64,
    /// A likely number of them.
    likely_input: u64,
    /// Whether it may be answered at another service than the usual one.
    any_service: bool,
    /// The most tokens that each answer may have.
    output: u64,
    /// Whether the caller says so.
    bounded: bool,
    /// How many answers are wanted.
    answers: u64,
}

pub(super) async fn admit(
    app: &App,
    call: &Call,
    caller: Caller,
    (wanted, itinerary): (Wanted, &Itinerary),
    snapshot: &Arc<Snapshot>,
) -> Result<Admitted, Refused> {
    let price = if call.url.counting {
        Arc::default()
    } else {
        priced(snapshot, &wanted.model)?
    };
    let group = snapshot.group(&caller.user.group);
    let ratio = group.map_or(Ratio::ONE, |group| group.ratio);
    let purses = hold::purses(&caller, group);
    let held = if purses.is_empty() {
        Held::default()
    } else if call.url.counting {
        count(app, call, &purses).await?
    } else {
        let may_lower = caller
            .key
            .as_ref()
            .is_some_and(|key| key.when_short == WhenShort::LowerOutput);
        let terms = Terms::of((&price, ratio), &wanted, itinerary, snapshot);
        hold(app, call, &purses, terms, may_lower).await?
    };
    drop(purses);
    let Held {
        holds,
        room,
        lowered,
    } = held;
    let wanted = match lowered.map(|limit| lower(call, &wanted, limit)) {
        None => wanted,
        Some(Ok(lowered)) => lowered,
        Some(Err(failure)) => {
            hold::undo_all(app, &holds).await;
            return Err(failure.into());
        }
    };
    Ok(Admitted {
        caller,
        wanted,
        price,
        ratio,
        holds,
        room,
        lowered,
        snapshot: Arc::clone(snapshot),
    })
}

fn priced(snapshot: &Snapshot, model: &str) -> Result<Arc<Price>, Failure> {
    let price = snapshot.configuration.price_of(model);
    price.cloned().ok_or_else(|| {
        let text = format!("The model {model} has no price yet, so it cannot be used.");
        Failure::new(Kind::Forbidden, "model_not_priced", text)
    })
}

/// The same request with a lower output limit.
fn lower(call: &Call, wanted: &Wanted, limit: u64) -> Result<Wanted, Failure> {
    let caller = dialects::caller(call.dialect);
    caller.read(caller.limit_output(&wanted.body, limit)?, &call.url)
}

/// Counts a call that only wants its tokens counted: it costs nothing, and is not in flight.
async fn count(app: &App, call: &Call, purses: &[Purse<'_>]) -> Result<Held, Refused> {
    let ask = Ask {
        request: call.id,
        before: 0,
        amount: NanoUsd::ZERO,
        claim: Claim::default(),
    };
    let holds = hold::hold_all(app, purses, ask).await;
    let holds = holds.map_err(Unheld::into_refused)?;
    let room = hold::room(purses, &holds, app.clock.now_ms());
    hold::release_all(app, &holds).await;
    Ok(Held {
        room,
        ..Held::default()
    })
}

/// Holds the worst case; where there is too little and the key says so, the worst case that there is
/// enough for.
async fn hold(
    app: &App,
    call: &Call,
    purses: &[Purse<'_>],
    mut terms: Terms<'_>,
    may_lower: bool,
) -> Result<Held, Refused> {
    let mut lowered = None;
    for before in 0..LOWERED {
        match hold::hold_all(app, purses, terms.ask(call, before)).await {
            Ok(holds) => {
                let room = hold::room(purses, &holds, app.clock.now_ms());
                return Ok(Held {
                    holds,
                    room,
                    lowered,
                });
            }
            Err(Unheld::Short { balance, refused }) if may_lower => {
                terms.output = terms.payable(balance).ok_or(refused)?;
                lowered = Some(terms.output);
            }
            Err(unheld) => return Err(unheld.into_refused()),
        }
    }
    let text = "Other calls take what this one needs. Try again in a moment.";
    let failure = Failure::new(Kind::RateLimited, "balance_contended", text);
    Err(failure.retry_after(1).into())
}

impl<'a> Terms<'a> {
    fn of(
        (price, ratio): (&'a Price, Ratio),
        wanted: &Wanted,
        itinerary: &Itinerary,
        snapshot: &Snapshot,
    ) -> Self {
        let settings = &snapshot.configuration.settings;
        let models = itinerary.upstream_models(&wanted.model);
        // Whatever is longer than the model's context is refused by its provider.
        let context = price.max_input.unwrap_or(u64::MAX);
        Self {
            price,
            ratio,
            most_input: estimate::most_input(&wanted.body, &models).min(context),
            likely_input: estimate::likely_input(&wanted.body, &models),
            any_service: estimate::names_a_service(&wanted.body),
            output: [wanted.max_output, price.max_output]
                .into_iter()
                .flatten()
                .min()
                .unwrap_or(settings.default_max_output_tokens),
            bounded: wanted.max_output.is_some(),
            answers: wanted.answers,
        }
    }

    /// The most that the call can cost when each answer has so many tokens.
    fn worst_case(&self, output: u64) -> NanoUsd {
        let output = output.saturating_mul(self.answers);
        let (price, input, ratio) = (self.price, self.most_input, self.ratio);
        if self.any_service {
            price.worst_case(input, output, ratio)
        } else {
            price.worst_case_at(Service::Standard, input, output, ratio)
        }
    }

    fn ask(&self, call: &Call, before: u8) -> Ask {
        let output = self.output.saturating_mul(self.answers);
        Ask {
            request: call.id,
            before,
            amount: self.worst_case(self.output),
            claim: Claim {
                tokens: self.likely_input.saturating_add(output),
                bounded: self.bounded,
            },
        }
    }

    /// The highest output limit, lower than the one now, that a balance can pay; `None` when it can pay
    /// for none that is worth a call.
    fn payable(&self, balance: NanoUsd) -> Option<u64> {
        let (mut payable, mut too_much) = (LEAST_OUTPUT, self.output);
        if payable >= too_much || self.worst_case(payable) > balance {
            return None;
        }
        while too_much - payable > 1 {
            let middle = payable + (too_much - payable) / 2;
            if self.worst_case(middle) <= balance {
                payable = middle;
            } else {
                too_much = middle;
            }
        }
        Some(payable)
    }
}

#[cfg(test)]
mod tests {
    use shared::domain::price::Rates;

    use super::*;

    fn payable(usd: &str, answers: u64) -> Option<u64> {
        let rates = Rates {
            input: "1".parse().ok(),
            output: "10".parse().ok(),
            ..Rates::default()
        };
        let price = Price {
            rates,
            ..Price::default()
        };
        let terms = Terms {
            price: &price,
            ratio: Ratio::ONE,
            most_input: 1_000,
            likely_input: 250,
            any_service: false,
            output: 8_192,
            bounded: false,
            answers,
        };
        terms.payable(usd.parse().unwrap())
    }

    #[test]
    fn a_call_is_lowered_to_the_last_token_that_can_be_paid() {
        // 1,000 tokens of input cost 0.001 USD, and each of output 0.00001.
        assert_eq!(payable("0.002", 1), Some(100));
        assert_eq!(payable("0.002009", 1), Some(100));
        assert_eq!(payable("0.00201", 1), Some(101));
        assert_eq!(payable("0.002", 2), Some(50));
        assert_eq!(payable("0.00116", 1), Some(16));
        assert_eq!(payable("0.00115", 1), None);
        assert_eq!(payable("0", 1), None);
    }
}
