//! Setting money aside, and counting the call, in one conditional write of a wallet.
//!
//! A wallet that counts knows one minute: the latest in which anybody called. A call of that minute is
//! added to it, the first call of a later one begins it anew. Which of both a call is, its process
//! guesses from the last call that it saw; where the guess is wrong, the refused write tells.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::ReturnValue;
use jiff::Timestamp;

use super::Ledger;
use crate::domain::hold::{Hold, HoldId, Wallet, WalletId};
use crate::domain::id::RequestId;
use crate::domain::limit::{Claim, Counted, Limits, Minute};
use crate::domain::money::NanoUsd;
use crate::store::table::{Item, n, number, s};
use crate::store::wallets::RULE;
use crate::store::{StoreError, wallets};

/// How many calls a wallet may have in flight where nobody says otherwise: each adds some 40 bytes to
/// an item of at most 400 KB.
pub const MOST_PARALLEL: u32 = 500;
/// How often a hold is tried under new ids when the outcome is unknown.
pub const HOLD_ATTEMPTS: u8 = 3;
/// How often a busy table is asked again for one id.
const BUSY_ATTEMPTS: u8 = 6;
/// How often another minute than was guessed is tried. Each other guess comes from the wallet itself.
const MINUTE_ATTEMPTS: u8 = 4;

/// What to set aside, and from what.
#[derive(Debug, Clone)]
pub struct HoldRequest {
    /// Whose money.
    pub wallet: WalletId,
    /// For which call, and which attempt it is: the first of [`HOLD_ATTEMPTS`] ids that are this
    /// request's alone. Whoever asks again takes ids that were never sent.
    pub id: HoldId,
    /// How much; nothing where the wallet only counts.
    pub amount: NanoUsd,
    /// Whether the call is charged here.
    pub pays: bool,
    /// The rule of the budget that the wallet should be, where it must be asked whether it still is.
    pub rule: Option<String>,
    /// How many calls the wallet may have in flight, this one included, and how many requests and
    /// tokens a minute.
    pub limits: Limits,
    /// The tokens that the call claims of its minute.
    pub claim: Claim,
    /// The time.
    pub now: Timestamp,
}

impl HoldRequest {
    /// A hold of money, for a wallet without limits.
    #[must_use]
    pub fn of(wallet: WalletId, request: RequestId, amount: NanoUsd, now: Timestamp) -> Self {
        Self {
            wallet,
            id: HoldId::first(request),
            amount,
            pays: true,
            rule: None,
            limits: Limits::default(),
            claim: Claim::default(),
            now,
        }
    }

    fn parallel(&self) -> u32 {
        let most = self.limits.parallel.unwrap_or(MOST_PARALLEL);
        most.min(MOST_PARALLEL)
    }

    fn minute(&self) -> Minute {
        Minute::of_ms(self.now.as_millisecond())
    }
}

/// Why nothing was set aside.
#[derive(Debug, thiserror::Error)]
pub enum HoldError {
    /// There is less than was asked for.
    #[error("the wallet holds less than is needed")]
    Short {
        /// What is left.
        balance: NanoUsd,
        /// When a budget's next period begins, in milliseconds since 1970.
        resets_at_ms: Option<i64>,
    },
    /// The wallet has as many calls in flight as it may.
    #[error("the wallet has {in_flight} calls in flight")]
    Crowded {
        /// How many.
        in_flight: usize,
    },
    /// The minute has as many requests as it may.
    #[error("the minute is full of requests")]
    Requests {
        /// What the minute has.
        counted: Counted,
    },
    /// The minute has no room for the tokens that the call claims.
    #[error("the minute is full of tokens")]
    Tokens {
        /// What the minute has.
        counted: Counted,
    },
    /// The budget's period is over, or another budget applies: renew it, and ask again.
    #[error("the budget must be renewed")]
    Outdated,
    /// There is no such wallet.
    #[error("there is no such wallet")]
    NoWallet,
    /// The table did not answer as it should.
    #[error("the table did not take the hold")]
    Store(#[from] StoreError),
}

/// How a call is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counting {
    /// Not at all.
    Off,
    /// In the minute that the wallet knows.
    In(Minute),
    /// In a minute that begins with this call.
    Begin(Minute),
}

/// Why one send of a hold did not succeed.
enum Unsent {
    /// The wallet counts in another way.
    Counts(Counting),
    Refused(HoldError),
}

impl Ledger<'_> {
    /// Sets money aside, and counts the call.
    ///
    /// # Errors
    /// When the wallet has not enough, a limit is reached, or the table does not answer.
    pub async fn hold(&self, wanted: HoldRequest) -> Result<Hold, HoldError> {
        self.note_holder(wanted.wallet, wanted.now).await?;
        let mut id = wanted.id;
        let last = id.after(HOLD_ATTEMPTS - 1);
        let mut counting = self.guess(&wanted);
        let (mut busy, mut guesses) = (0, 0);
        loop {
            match self.send_hold(id, &wanted, counting).await {
                Ok(counted) => {
                    self.0.seen_minutes.remember(wanted.wallet, counted);
                    return Ok(hold(id, &wanted, counted));
                }
                Err(Unsent::Counts(other)) if guesses < MINUTE_ATTEMPTS => {
                    guesses += 1;
                    counting = other;
                }
                Err(Unsent::Counts(_)) => return Err(HoldError::Outdated),
                Err(Unsent::Refused(HoldError::Store(StoreError::Busy(_))))
                    if busy < BUSY_ATTEMPTS =>
                {
                    busy += 1;
                }
                // Perhaps it was written, perhaps it will be: this id is burnt. What is there is given
                // back now; what comes later the reconciler releases, for no record will name it.
                Err(Unsent::Refused(HoldError::Store(error @ StoreError::Unknown(_)))) => {
                    let counted = counting.claimed(wanted.claim);
                    let _ = self.undo(&hold(id, &wanted, counted), wanted.now).await;
                    if id == last {
                        return Err(error.into());
                    }
                    id = id.after(1);
                }
                Err(Unsent::Refused(error)) => return Err(error),
            }
        }
    }

    fn guess(&self, wanted: &HoldRequest) -> Counting {
        let minute = wanted.minute();
        if !wanted.limits.counts() {
            return Counting::Off;
        }
        match self.0.seen_minutes.of(wanted.wallet) {
            Some(seen) if seen >= minute => Counting::In(seen),
            _ => Counting::Begin(minute),
        }
    }

    async fn send_hold(
        &self,
        id: HoldId,
        wanted: &HoldRequest,
        counting: Counting,
    ) -> Result<Option<Counted>, Unsent> {
        let (mut set, mut condition) = (
            "SET balance = balance - :amount, holds.#hold = :amount".to_owned(),
            "attribute_not_exists(holds.#hold) AND size(holds) < :parallel".to_owned(),
        );
        let mut update = self
            .update(&self.0.table.once, wanted.wallet)
            .expression_attribute_names("#hold", id.to_string())
            .expression_attribute_values(":amount", n(wanted.amount.get()))
            .expression_attribute_values(":parallel", n(wanted.parallel()));
        // A budget is not asked for nothing: neither whether its period is over, nor what is left of
        // it, which is less than nothing when it was lowered below what was spent.
        if wanted.amount > NanoUsd::ZERO {
            condition.push_str(
                " AND balance >= :amount AND (attribute_not_exists(resets_at) OR resets_at > :now)",
            );
            update = update.expression_attribute_values(":now", n(wanted.now.as_millisecond()));
        }
        if let Some(rule) = &wanted.rule {
            condition.push_str(&format!(" AND {RULE} = :rule"));
            update = update.expression_attribute_values(":rule", s(rule));
        }
        let update = counting.express(update, wanted, (&mut set, &mut condition));
        let sent = update
            .update_expression(set)
            .condition_expression(condition)
            .return_values(ReturnValue::UpdatedNew)
            .send()
            .await;
        match sent {
            Ok(answer) => {
                let counted = counting.claimed(wanted.claim);
                let written = answer.attributes.unwrap_or_default();
                Ok(counted.map(|counted| Counted {
                    requests: number(&written, "requests").unwrap_or(0),
                    tokens: number(&written, "tokens").unwrap_or(0),
                    ..counted
                }))
            }
            Err(error) => Err(refusal(error, wanted, counting)),
        }
    }
}

fn hold(id: HoldId, wanted: &HoldRequest, counted: Option<Counted>) -> Hold {
    Hold {
        id,
        wallet: wanted.wallet,
        amount: wanted.amount,
        pays: wanted.pays,
        counted,
    }
}

impl Counting {
    /// Adds to an update what counts the call.
    fn express(
        self,
        update: UpdateItemFluentBuilder,
        wanted: &HoldRequest,
        (set, condition): (&mut String, &mut String),
    ) -> UpdateItemFluentBuilder {
        let update = match self {
            Self::Off => return update,
            Self::In(minute) => {
                let limits = wanted.limits;
                let most = |most: Option<i64>| n(most.unwrap_or(i64::MAX));
                set.push_str(", requests = requests + :one, tokens = tokens + :tokens");
                condition.push_str(
                    " AND #minute = :minute AND requests < :requests AND tokens <= :most_tokens",
                );
                update
                    .expression_attribute_values(":minute", n(minute.0))
                    .expression_attribute_values(":requests", most(limits.rpm.map(i64::from)))
                    .expression_attribute_values(
                        ":most_tokens",
                        most(limits.tpm.map(|tpm| wanted.claim.most_counted(tpm))),
                    )
            }
            Self::Begin(minute) => {
                set.push_str(", #minute = :minute, requests = :one, tokens = :tokens");
                condition.push_str(" AND (attribute_not_exists(#minute) OR #minute < :minute)");
                update.expression_attribute_values(":minute", n(minute.0))
            }
        };
        update
            .expression_attribute_names("#minute", "minute")
            .expression_attribute_values(":one", n(1))
            .expression_attribute_values(":tokens", n(wanted.claim.tokens))
    }

    /// What is counted in this way, before the wallet's sums are known.
    fn claimed(self, claim: Claim) -> Option<Counted> {
        match self {
            Self::Off => None,
            Self::In(minute) | Self::Begin(minute) => Some(Counted {
                minute,
                claimed: claim.tokens,
                requests: 0,
                tokens: 0,
            }),
        }
    }
}

/// Why a hold's condition did not hold, by the wallet as it was.
fn refusal<R>(
    error: SdkError<UpdateItemError, R>,
    wanted: &HoldRequest,
    counting: Counting,
) -> Unsent
where
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let Some(UpdateItemError::ConditionalCheckFailedException(failed)) = error.as_service_error()
    else {
        return Unsent::Refused(StoreError::from(error).into());
    };
    let seen = failed
        .item
        .as_ref()
        .filter(|item: &&Item| !item.is_empty())
        .map(wallets::read);
    let Some(wallet) = seen else {
        return Unsent::Refused(HoldError::NoWallet);
    };
    let over = |at| wanted.amount > NanoUsd::ZERO && at <= wanted.now.as_millisecond();
    if wallet.resets_at_ms.is_some_and(over)
        || (wanted.rule.is_some() && wanted.rule != wallet.rule)
    {
        return Unsent::Refused(HoldError::Outdated);
    }
    if wanted.amount > NanoUsd::ZERO && wallet.balance < wanted.amount {
        return Unsent::Refused(HoldError::Short {
            balance: wallet.balance,
            resets_at_ms: wallet.resets_at_ms,
        });
    }
    match counting.full(&wallet, wanted) {
        Some(unsent) => unsent,
        None => Unsent::Refused(HoldError::Crowded {
            in_flight: wallet.holds.len(),
        }),
    }
}

impl Counting {
    /// What of the counting stands in the way, if anything does.
    fn full(self, wallet: &Wallet, wanted: &HoldRequest) -> Option<Unsent> {
        let known = match (self, wallet.minute) {
            (Self::Off, _) | (Self::Begin(_), None) => return None,
            (Self::Begin(minute), Some(known)) if known < minute => return None,
            (Self::Begin(_), Some(known)) => return Some(Unsent::Counts(Self::In(known))),
            (Self::In(_), None) => return Some(Unsent::Counts(Self::Begin(wanted.minute()))),
            (Self::In(_), Some(known)) if known < wanted.minute() => {
                return Some(Unsent::Counts(Self::Begin(wanted.minute())));
            }
            // Another process is ahead: its minute is everybody's.
            (Self::In(minute), Some(known)) if known != minute => {
                return Some(Unsent::Counts(Self::In(known)));
            }
            (Self::In(_), Some(known)) => known,
        };
        let counted = Counted {
            minute: known,
            claimed: 0,
            requests: wallet.requests,
            tokens: wallet.tokens,
        };
        let Limits { rpm, tpm, .. } = wanted.limits;
        if rpm.is_some_and(|rpm| wallet.requests >= u64::from(rpm)) {
            return Some(Unsent::Refused(HoldError::Requests { counted }));
        }
        let tokens = i64::try_from(wallet.tokens).unwrap_or(i64::MAX);
        let full = tpm.is_some_and(|tpm| tokens > wanted.claim.most_counted(tpm));
        full.then_some(Unsent::Refused(HoldError::Tokens { counted }))
    }
}
