//! Any order, repetition and loss of hold, settle, release, expire and credit keeps
//! balance + held + spent = granted, and no balance falls below zero.

use std::collections::BTreeMap;

use jiff::Timestamp;
use local::engine::{Engine, TABLE_NAME};
use proptest::prelude::*;
use shared::domain::credit::{Cause, Credit};
use shared::domain::hold::{Hold, HoldId, Wallet, WalletId};
use shared::domain::id::{CreditId, RequestId, UserId};
use shared::domain::money::NanoUsd;
use shared::store::Store;
use shared::store::credits::{BookError, Booked};
use shared::store::ledger::{Ended, HoldError, HoldRequest};
use tests::NOON;
use tokio::runtime::Runtime;

/// What somebody does to one of a few calls.
#[derive(Debug, Clone)]
enum Step {
    Hold {
        call: u8,
        amount: i64,
    },
    /// Settles with this many thousandths of what was held.
    Settle {
        call: u8,
        thousandths: i64,
    },
    Release {
        call: u8,
    },
    /// Books one of a few credits, perhaps again, perhaps another one under the same id.
    Credit {
        name: u8,
        amount: i64,
    },
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..6_u8, 0..600_i64).prop_map(|(call, amount)| Step::Hold { call, amount }),
        3 => (0..6_u8, 0..=1_000_i64).prop_map(|(call, thousandths)| Step::Settle { call, thousandths }),
        2 => (0..6_u8).prop_map(|call| Step::Release { call }),
        1 => (0..250_u8, 0..500_i64).prop_map(|(name, amount)| Step::Credit { name, amount }),
        1 => (0..3_u8, -4..4_i64)
            .prop_map(|(name, hundreds)| Step::Credit { name, amount: hundreds * 100 }),
    ]
}

/// The wallet as it should be.
#[derive(Debug, Default)]
struct Model {
    balance: i64,
    spent: i64,
    granted: i64,
    held: BTreeMap<u8, i64>,
    credits: BTreeMap<u8, i64>,
}

struct Books {
    store: Store,
    wallet: WalletId,
    user: UserId,
    now: Timestamp,
}

impl Books {
    async fn open() -> Self {
        let engine = Engine::in_memory().unwrap();
        let store = Store::new(engine.client(), TABLE_NAME);
        store.create_table().await.unwrap();
        let now: Timestamp = NOON.parse().unwrap();
        let user = UserId::from_bits(1);
        let wallet = WalletId::User(user);
        let someone = somebody(user, now);
        store.users().create(&someone).await.unwrap();
        Self {
            store,
            wallet,
            user,
            now,
        }
    }

    fn request(&self, call: u8) -> RequestId {
        RequestId::from_parts(
            u64::try_from(self.now.as_millisecond()).unwrap(),
            u128::from(call),
        )
    }

    /// The hold of a call, whether it is there or not: as a repeated or late message names it.
    fn hold_of(&self, call: u8, amount: i64) -> Hold {
        let id = HoldId::first(self.request(call));
        Hold::found(id, self.wallet, NanoUsd::new(amount))
    }

    async fn wallet(&self) -> Wallet {
        self.store
            .wallets()
            .find(self.wallet)
            .await
            .unwrap()
            .unwrap()
    }

    async fn take(&self, step: &Step, model: &mut Model) {
        match *step {
            Step::Hold { call, amount } => self.hold(call, amount, model).await,
            Step::Settle { call, thousandths } => {
                let amount = model.held.get(&call).copied().unwrap_or(100);
                let cost = amount * thousandths / 1_000;
                let hold = self.hold_of(call, amount);
                let ended = self
                    .store
                    .ledger()
                    .settle(&hold, NanoUsd::new(cost))
                    .await
                    .unwrap();
                assert_eq!(ended == Ended::Now, model.held.remove(&call).is_some());
                if ended == Ended::Now {
                    model.balance += amount - cost;
                    model.spent += cost;
                }
            }
            Step::Release { call } => {
                let amount = model.held.get(&call).copied().unwrap_or(100);
                let ended = self
                    .store
                    .ledger()
                    .release(&self.hold_of(call, amount))
                    .await
                    .unwrap();
                assert_eq!(ended == Ended::Now, model.held.remove(&call).is_some());
                if ended == Ended::Now {
                    model.balance += amount;
                }
            }
            Step::Credit { name, amount } => self.credit(name, amount, model).await,
        }
    }

    async fn credit(&self, name: u8, amount: i64, model: &mut Model) {
        let credit = Credit {
            id: CreditId::from_bits(u128::from(name)),
            user_id: self.user,
            cause: Cause::TopUp,
            amount: NanoUsd::new(amount),
            note: String::new(),
            by: Some(self.user),
            reference: None,
        };
        let booked = self.store.credits().book(&credit).await;
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

    async fn hold(&self, call: u8, amount: i64, model: &mut Model) {
        let amount_usd = NanoUsd::new(amount);
        let mut wanted = HoldRequest::of(self.wallet, self.request(call), amount_usd, self.now);
        wanted.limits.parallel = Some(4);
        match self.store.ledger().hold(wanted).await {
            Ok(hold) => {
                assert_eq!(hold.amount.get(), amount);
                assert!(model.held.insert(call, amount).is_none() && model.balance >= amount);
                model.balance -= amount;
            }
            Err(HoldError::Short { balance, .. }) => {
                assert!(balance.get() == model.balance && model.balance < amount);
            }
            Err(HoldError::Crowded { in_flight }) => {
                assert!(in_flight >= 4 || model.held.contains_key(&call));
            }
            Err(error) => panic!("{error}"),
        }
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn money_is_neither_made_nor_lost(steps in prop::collection::vec(any_step(), 1..60)) {
        Runtime::new().unwrap().block_on(async {
            let books = Books::open().await;
            let mut model = Model::default();
            for step in &steps {
                books.take(step, &mut model).await;
                let wallet = books.wallet().await;
                assert!(wallet.balance.get() >= 0, "{step:?} {wallet:?}");
                assert_eq!(wallet.balance.get(), model.balance, "{step:?}");
                assert_eq!(wallet.spent.get(), model.spent, "{step:?}");
                assert_eq!(wallet.held().get(), model.held.values().sum::<i64>(), "{step:?}");
                let all = wallet.balance.get() + wallet.held().get() + wallet.spent.get();
                assert_eq!((all, wallet.granted.get()), (model.granted, model.granted), "{step:?}");
            }
        });
    }
}
