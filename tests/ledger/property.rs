//! Any order, repetition and loss of hold, resize, settle, release, undo, late charge and
//! credit keeps balance + held + spent = granted; no balance falls below zero; and a minute counts
//! what was called in it. Two processes take turns, each with a memory of its own.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use local::engine::TABLE_NAME;
use proptest::prelude::*;
use shared::domain::credit::{Cause, Credit};
use shared::domain::hold::{Hold, HoldId, Wallet, WalletId};
use shared::domain::id::{CreditId, RequestId, UserId};
use shared::domain::limit::{Claim, Counted, Limits, Minute};
use shared::domain::money::NanoUsd;
use shared::store::Store;
use shared::store::credits::{BookError, Booked};
use shared::store::ledger::{Charge, Ended, HoldError, HoldRequest, Resized};
use tests::NOON;
use tests::database::{self, Database};
use tokio::runtime::Runtime;

const LIMITS: Limits = Limits {
    rpm: Some(6),
    tpm: Some(500),
    parallel: Some(4),
};

/// What somebody does to one of a few calls. A call that was ended before is ended again, as by a
/// message that comes twice.
#[derive(Debug, Clone)]
enum Step {
    /// A new call takes the place.
    Hold {
        call: u8,
        amount: i64,
        claim: Claim,
    },
    /// Settles with this many thousandths of what was held, and so many tokens.
    Settle {
        call: u8,
        thousandths: i64,
        used: u64,
    },
    Release {
        call: u8,
    },
    Undo {
        call: u8,
    },
    /// Resizes to this many thousandths; its call may not hear of it.
    Resize {
        call: u8,
        thousandths: i64,
        heard: bool,
    },
    /// The reconciler makes it a charge that is due.
    MakeDue {
        call: u8,
    },
    /// A slow call sets aside what it cost.
    HoldLate {
        call: u8,
        cost: i64,
    },
    /// Settles what is due, perhaps for less than nothing.
    SettleDue {
        call: u8,
        cost: i64,
    },
    /// Books one of a few credits, perhaps again, perhaps another one under the same id.
    Credit {
        name: u8,
        amount: i64,
    },
    Wait {
        seconds: i64,
    },
}

fn any_step() -> impl Strategy<Value = Step> {
    let call = || 0..6_u8;
    let claim = (0..200_u64, any::<bool>()).prop_map(|(tokens, bounded)| Claim { tokens, bounded });
    prop_oneof![
        6 => (call(), 0..600_i64, claim)
            .prop_map(|(call, amount, claim)| Step::Hold { call, amount, claim }),
        4 => (call(), 0..=1_500_i64, 0..300_u64)
            .prop_map(|(call, thousandths, used)| Step::Settle { call, thousandths, used }),
        2 => call().prop_map(|call| Step::Release { call }),
        2 => call().prop_map(|call| Step::Undo { call }),
        2 => (call(), 0..=3_000_i64, any::<bool>())
            .prop_map(|(call, thousandths, heard)| Step::Resize { call, thousandths, heard }),
        1 => call().prop_map(|call| Step::MakeDue { call }),
        1 => (call(), 0..600_i64).prop_map(|(call, cost)| Step::HoldLate { call, cost }),
        2 => (call(), -5..600_i64).prop_map(|(call, cost)| Step::SettleDue { call, cost }),
        1 => (0..250_u8, 0..500_i64).prop_map(|(name, amount)| Step::Credit { name, amount }),
        1 => (0..3_u8, -4..4_i64)
            .prop_map(|(name, hundreds)| Step::Credit { name, amount: hundreds * 100 }),
        1 => (1..50_i64).prop_map(|seconds| Step::Wait { seconds }),
    ]
}

/// The wallet as it should be.
#[derive(Debug, Default)]
struct Model {
    balance: i64,
    spent: i64,
    granted: i64,
    held: BTreeMap<HoldId, i64>,
    credits: BTreeMap<u8, i64>,
    minute: Option<Minute>,
    requests: i64,
    tokens: i64,
}

impl Model {
    /// A hold that is there ends; `None` when it was ended before.
    fn end(&mut self, id: HoldId, cost: i64) -> Option<()> {
        let amount = self.held.remove(&id)?;
        let cost = cost.min(amount);
        self.balance += amount - cost;
        self.spent += cost;
        Some(())
    }

    /// The minute of a call counts otherwise, if it is still counted.
    fn recount(
        &mut self,
        counted: Option<Counted>,
        now: Minute,
        change: impl Fn(i64) -> (i64, i64),
    ) {
        if let Some(counted) = counted
            && self.minute == Some(counted.minute)
            && now <= counted.minute
        {
            let (requests, tokens) = change(i64::try_from(counted.claimed).unwrap());
            self.requests += requests;
            self.tokens += tokens;
        }
    }

    /// Why a call is refused, if it is.
    fn refuses(&self, amount: i64, claim: Claim, now: Minute) -> Option<&'static str> {
        let counts = self.minute.is_some_and(|minute| minute >= now);
        if amount > 0 && self.balance < amount {
            Some("short")
        } else if counts && self.requests >= i64::from(LIMITS.rpm.unwrap()) {
            Some("requests")
        } else if counts && self.tokens > claim.most_counted(LIMITS.tpm.unwrap()) {
            Some("tokens")
        } else {
            let most = usize::try_from(LIMITS.parallel.unwrap()).unwrap();
            (self.held.len() >= most).then_some("crowded")
        }
    }
}

struct Books {
    _database: Database,
    /// Two processes.
    stores: [Store; 2],
    turn: usize,
    user: UserId,
    now: Timestamp,
    requests: u128,
    /// The last call of each name, as its process remembers it.
    calls: BTreeMap<u8, Hold>,
    model: Model,
}

impl Books {
    async fn open() -> Self {
        let database = Database::new();
        let other = Store::new(database.client(), TABLE_NAME);
        let stores = [database.store().await, other];
        let now: Timestamp = NOON.parse().unwrap();
        let user = UserId::from_bits(1);
        let someone = somebody(user, now);
        stores[0].users().create(&someone).await.unwrap();
        Self {
            _database: database,
            stores,
            turn: 0,
            user,
            now,
            requests: 0,
            calls: BTreeMap::new(),
            model: Model::default(),
        }
    }

    fn store(&self) -> &Store {
        &self.stores[self.turn % 2]
    }

    fn wallet_id(&self) -> WalletId {
        WalletId::User(self.user)
    }

    fn minute(&self) -> Minute {
        Minute::of_ms(self.now.as_millisecond())
    }

    async fn wallet(&self) -> Wallet {
        let found = self.store().wallets().find(self.wallet_id()).await;
        found.unwrap().unwrap()
    }

    /// The hold of a call, whether it is still there or not; one of nobody, if there was no such call.
    fn hold_of(&self, call: u8) -> Hold {
        let known = self.calls.get(&call).map(|hold| Hold { ..*hold });
        known.unwrap_or_else(|| {
            let id = HoldId::first(RequestId::from_bits(u128::from(call)));
            Hold::found(id, self.wallet_id(), NanoUsd::new(100))
        })
    }

    /// The charge that is due of a call, whether it is there or not.
    fn due_of(&self, call: u8) -> Hold {
        let id = HoldId::late(self.hold_of(call).id.request, 0);
        let amount = self.model.held.get(&id).copied().unwrap_or(7);
        Hold::found(id, self.wallet_id(), NanoUsd::new(amount))
    }

    async fn take(&mut self, step: &Step) {
        self.turn += 1;
        match *step {
            Step::Hold {
                call,
                amount,
                claim,
            } => self.hold(call, amount, claim).await,
            Step::Settle {
                call,
                thousandths,
                used,
            } => self.settle(call, thousandths, used).await,
            Step::Release { call } => {
                let hold = self.hold_of(call);
                let ended = self.store().ledger().release(&hold).await.unwrap();
                let was_there = self.model.end(hold.id, 0).is_some();
                assert_eq!(ended == Ended::Now, was_there);
            }
            Step::Undo { call } => self.undo(call).await,
            Step::Resize {
                call,
                thousandths,
                heard,
            } => self.resize(call, thousandths, heard).await,
            Step::MakeDue { call } => self.make_due(call).await,
            Step::HoldLate { call, cost } => self.hold_late(call, cost).await,
            Step::SettleDue { call, cost } => {
                let due = self.due_of(call);
                // What is given back was charged before.
                let cost = if self.model.spent + cost < 0 { 0 } else { cost };
                let ended = self.store().ledger().settle(&due, NanoUsd::new(cost)).await;
                let was_there = self.model.end(due.id, cost).is_some();
                assert_eq!(ended.unwrap() == Ended::Now, was_there);
            }
            Step::Credit { name, amount } => self.credit(name, amount).await,
            Step::Wait { seconds } => self.now += SignedDuration::from_secs(seconds),
        }
    }

    async fn hold(&mut self, call: u8, amount: i64, claim: Claim) {
        self.requests += 1;
        let at_ms = u64::try_from(self.now.as_millisecond()).unwrap();
        let request = RequestId::from_parts(at_ms, self.requests);
        let wanted = HoldRequest {
            limits: LIMITS,
            claim,
            ..HoldRequest::of(self.wallet_id(), request, NanoUsd::new(amount), self.now)
        };
        let (held, now) = (self.store().ledger().hold(wanted).await, self.minute());
        let refused = match &held {
            Ok(_) => None,
            Err(HoldError::Short { .. }) => Some("short"),
            Err(HoldError::Requests { .. }) => Some("requests"),
            Err(HoldError::Tokens { .. }) => Some("tokens"),
            Err(HoldError::Crowded { .. }) => Some("crowded"),
            Err(error) => panic!("{error}"),
        };
        let model = &mut self.model;
        assert_eq!(refused, model.refuses(amount, claim, now));
        let Ok(hold) = held else {
            return;
        };
        model.balance -= amount;
        model.held.insert(hold.id, amount);
        if model.minute.is_none_or(|minute| minute < now) {
            (model.minute, model.requests, model.tokens) = (Some(now), 0, 0);
        }
        model.requests += 1;
        model.tokens += i64::try_from(claim.tokens).unwrap();
        let counted = hold.counted.unwrap();
        let seen = [counted.requests, counted.tokens].map(|n| i64::try_from(n).unwrap());
        assert_eq!(seen, [model.requests, model.tokens]);
        self.calls.insert(call, hold);
    }

    async fn settle(&mut self, call: u8, thousandths: i64, used: u64) {
        let (hold, now) = (self.hold_of(call), self.minute());
        let cost = hold.amount.get() * thousandths / 1_000;
        let charge = Charge {
            cost: NanoUsd::new(cost),
            used: Some((used, self.now)),
        };
        let ended = self.store().ledger().settle(&hold, charge).await.unwrap();
        let was_there = self.model.end(hold.id, cost).is_some();
        assert_eq!(ended == Ended::Now, was_there);
        if was_there {
            let used = i64::try_from(used).unwrap();
            self.model
                .recount(hold.counted, now, |claimed| (0, used - claimed));
        }
    }

    async fn undo(&mut self, call: u8) {
        let (hold, now) = (self.hold_of(call), self.minute());
        let ended = self.store().ledger().undo(&hold, self.now).await.unwrap();
        let was_there = self.model.end(hold.id, 0).is_some();
        assert_eq!(ended == Ended::Now, was_there);
        if was_there {
            self.model
                .recount(hold.counted, now, |claimed| (-1, -claimed));
        }
    }

    async fn resize(&mut self, call: u8, thousandths: i64, heard: bool) {
        let mut hold = self.hold_of(call);
        let whole = hold.amount.get() * thousandths / 1_000;
        let resized = self
            .store()
            .ledger()
            .resize(&hold, NanoUsd::new(whole))
            .await;
        let model = &mut self.model;
        let expected = match model.held.get(&hold.id).copied() {
            None => Resized::Gone,
            // It was resized before, and the one who asks has not heard of it.
            Some(held) if held != hold.amount.get() => Resized::To(NanoUsd::new(held)),
            Some(held) => {
                let to = whole.min(held + model.balance);
                model.balance -= to - held;
                model.held.insert(hold.id, to);
                Resized::To(NanoUsd::new(to))
            }
        };
        assert_eq!(resized.unwrap(), expected);
        if let (Resized::To(amount), true) = (expected, heard) {
            hold.amount = amount;
            self.calls.insert(call, hold);
        }
    }

    async fn make_due(&mut self, call: u8) {
        let (hold, due) = (self.hold_of(call), self.due_of(call).id);
        let made = self.store().ledger().make_due(&hold, 0).await.unwrap();
        let held = &mut self.model.held;
        let expected = match (held.get(&due).copied(), held.get(&hold.id).copied()) {
            (Some(amount), _) => Some(amount),
            (None, Some(amount)) => {
                held.remove(&hold.id);
                held.insert(due, amount);
                Some(amount)
            }
            (None, None) => None,
        };
        let made = made.map(|made| (made.id, made.amount.get()));
        assert_eq!(made, expected.map(|amount| (due, amount)));
    }

    async fn hold_late(&mut self, call: u8, cost: i64) {
        let (due, now) = (self.due_of(call).id, self.now);
        let (ledger, wallet) = (self.store().ledger(), self.wallet_id());
        let held = ledger
            .hold_late((wallet, due), 0, NanoUsd::new(cost), now)
            .await;
        let model = &mut self.model;
        let expected = model.held.get(&due).copied().unwrap_or_else(|| {
            let amount = cost.min(model.balance);
            model.balance -= amount;
            amount
        });
        model.held.insert(due, expected);
        assert_eq!(held.unwrap().amount.get(), expected);
    }

    async fn credit(&mut self, name: u8, amount: i64) {
        let credit = Credit {
            id: CreditId::from_bits(u128::from(name)),
            user_id: self.user,
            cause: Cause::TopUp,
            amount: NanoUsd::new(amount),
            note: String::new(),
            by: Some(self.user),
            reference: None,
        };
        let booked = self.store().credits().book(&credit).await;
        let model = &mut self.model;
        match model.credits.get(&name) {
            Some(before) if *before == amount => assert_eq!(booked.unwrap(), Booked::Before),
            Some(_) => assert!(matches!(booked, Err(BookError::Taken))),
            None if model.balance + amount < 0 => {
                let Err(BookError::Short { balance }) = booked else {
                    panic!("{booked:?}")
                };
                assert_eq!(balance.get(), model.balance);
            }
            None => {
                assert_eq!(booked.unwrap(), Booked::Now);
                model.credits.insert(name, amount);
                model.balance += amount;
                model.granted += amount;
            }
        }
    }

    async fn are_as_they_should(&self, step: &Step) {
        let (wallet, model) = (self.wallet().await, &self.model);
        assert!(wallet.balance.get() >= 0, "{step:?} {wallet:?}");
        let held: BTreeMap<_, _> = wallet.holds.iter().map(|(id, n)| (*id, n.get())).collect();
        assert_eq!(held, model.held, "{step:?}");
        let sums = (wallet.balance, wallet.spent, wallet.granted);
        let sums = [sums.0, sums.1, sums.2].map(NanoUsd::get);
        assert_eq!(
            sums,
            [model.balance, model.spent, model.granted],
            "{step:?}"
        );
        let held: i64 = held.values().sum();
        assert_eq!(
            model.balance + held + model.spent,
            model.granted,
            "{step:?}"
        );
        // A count below zero would not be read at all.
        let counts = (wallet.minute, wallet.requests, wallet.tokens);
        let tokens = u64::try_from(model.tokens).unwrap();
        let requests = u64::try_from(model.requests).unwrap();
        assert_eq!(counts, (model.minute, requests, tokens), "{step:?}");
    }
}

/// A user of that id.
fn somebody(id: UserId, created_at: Timestamp) -> shared::domain::user::User {
    shared::domain::user::User {
        id,
        username: "ada".to_owned(),
        display_name: "Ada".to_owned(),
        role: shared::domain::user::Role::Member,
        group: "default".to_owned(),
        enabled: true,
        unlimited: false,
        password_hash: None,
        must_change_password: false,
        session_epoch: 0,
        revision: 0,
        created_at,
    }
}

/// A server has a round trip for each step, so that it is asked less.
fn cases() -> u32 {
    if database::elsewhere().is_some() {
        12
    } else {
        96
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn money_is_neither_made_nor_lost(steps in prop::collection::vec(any_step(), 1..80)) {
        Runtime::new().unwrap().block_on(async {
            let mut books = Books::open().await;
            for step in &steps {
                books.take(step).await;
                books.are_as_they_should(step).await;
            }
        });
    }
}
