//! Everything that is done twice has one effect: jobs, events of the schedule, periods.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use maintenance::jobs::{self, Order};
use serde_json::json;
use shared::domain::hold::WalletId;
use shared::domain::id::{RequestId, UserId};
use shared::domain::money::NanoUsd;
use shared::store::ledger::HoldRequest;
use tests::House;
use tests::callers::KeyCaller;
use tests::upstream::{Act, Gate, Piece, chat_end, chat_text};

use super::books::{Books, run};

/// How often a thing is done at once.
const TIMES: usize = 4;
const USERS: u64 = 5;
const CALLS: u64 = 8;

/// Calls of several users that nobody carries any more, each holding in the key's and the user's wallet.
async fn lose_calls(house: &House) -> Vec<WalletId> {
    let root = house.root().await;
    let (mut wallets, ledger) = (Vec::new(), house.store.ledger());
    for n in 0..USERS {
        let user = root.create_user(&format!("user-{n}")).await;
        root.credit(&user, "1").await;
        let budget = json!({ "limit_usd": "0.5", "period": "total" });
        let key = root.create_key(&user, json!({ "budget": budget })).await;
        let both = [
            WalletId::Key(key.key_id.parse().unwrap()),
            WalletId::User(user.parse().unwrap()),
        ];
        let now = house.clock.now();
        for call in 0..CALLS {
            let at_ms = u64::try_from(now.as_millisecond()).unwrap();
            let request = RequestId::from_parts(at_ms, u128::from(n * 100 + call));
            let amount = NanoUsd::new(i64::try_from(1_000 + call).unwrap());
            for wallet in both {
                let hold = ledger
                    .hold(HoldRequest::of(wallet, request, amount, now))
                    .await;
                assert_eq!(hold.unwrap().amount, amount);
            }
        }
        wallets.extend(both);
    }
    wallets
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_calls_end_once_however_many_reconcilers_run() {
    // What is charged is what each of them held.
    let held = (0..CALLS).map(|call| 1_000 + i64::try_from(call).unwrap());
    for (policy, spent) in [("release", 0), ("charge", held.sum())] {
        let house = House::builder()
            .setting("unsettled_policy", policy)
            .build()
            .await;
        let wallets = lose_calls(&house).await;
        let books = Books::of(&house);
        join_all((0..TIMES).map(|_| books.reconcile())).await;
        for (id, wallet) in books.wallets(&wallets).await {
            assert_eq!(wallet.spent.get(), spent, "{id}");
        }
        let records = books.records().await;
        assert_eq!(records.len() as u64, USERS * CALLS);
        books.are_true(&wallets, &BTreeMap::new()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_of_the_schedule_that_comes_twice_has_one_effect() {
    let house = House::builder()
        .setting("unsettled_policy", "charge")
        .build()
        .await;
    let wallets = lose_calls(&house).await;
    house.clock.advance_ms(17 * 60 * 1_000);
    let books = Books::of(&house);
    for event in ["release-holds", "reset-budgets"] {
        let event = std::fs::read(format!("../events/maintenance/{event}.json")).unwrap();
        let runs = join_all((0..TIMES).map(|_| {
            let order: Order = serde_json::from_slice(&event).unwrap();
            jobs::run(&house.server.maintenance, order)
        }));
        let runs = runs.await;
        assert!(runs.iter().any(Result::is_ok));
        // Whoever comes in the middle of another run is told so.
        for refused in runs.iter().filter_map(|run| run.as_ref().err()) {
            assert_eq!(refused.code, "job_running");
        }
        // Nobody has to wait for a lease that nobody needs.
        let order: Order = serde_json::from_slice(&event).unwrap();
        assert!(jobs::run(&house.server.maintenance, order).await.is_ok());
    }
    books.are_true(&wallets, &BTreeMap::new()).await;
    assert_eq!(books.records().await.len() as u64, USERS * CALLS);
}

/// A call that holds until the gate opens.
async fn begin(house: &House, caller: &KeyCaller, gate: &Gate) -> reqwest::Response {
    let mut pieces = vec![chat_text("Hi"), Piece::Gate(gate.clone())];
    pieces.extend(chat_end(10, 20));
    house.upstream.next(Act::stream(pieces));
    let mut response = caller
        .open_chat(json!({ "stream": true, "max_tokens": 100 }))
        .await;
    assert!(response.chunk().await.unwrap().is_some());
    response
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_period_begins_once_whoever_finds_it_over() {
    let house = House::new().await;
    let root = house.root().await;
    let group = json!({ "budget": { "limit_usd": "0.03", "period": "day" } });
    root.patch("/api/groups/default", &group).await.expect(200);
    let ada = house.user_with("ada", "1").await.user_id;
    let budget = json!({ "limit_usd": "0.03", "period": "day" });
    let key = root.create_key(&ada, json!({ "budget": budget })).await;
    let there = house.elsewhere(&house.clock, &key).await;
    let user: UserId = ada.parse().unwrap();
    let wallets = [
        WalletId::Key(key.key_id.parse().unwrap()),
        WalletId::Allowance(user),
    ];
    let books = Books::of(&house);
    for _ in 0..2 {
        for _ in 0..10 {
            assert_eq!(key.chat(json!({ "max_tokens": 100 })).await.status, 200);
        }
        // One of them is on its way when the day ends, and is charged in the next one.
        let gate = Gate::default();
        let mut patient = begin(&house, &key, &gate).await;
        house.clock.advance_ms(86_400_000);
        let calls = (0..40).map(|n| {
            let caller = if n % 2 == 0 { &key } else { &there };
            caller.chat(json!({ "max_tokens": 100 }))
        });
        let resets = (0..TIMES).map(|_| run(&house.server.maintenance, "reset_budgets", json!({})));
        let (answers, reset) = tokio::join!(join_all(calls), join_all(resets));
        assert!(reset.iter().all(Result::is_ok));
        // The budget is for more than all of them at once.
        for answer in answers {
            assert_eq!(answer.status, 200, "{}", answer.text);
        }
        gate.open_for_all();
        while patient.chunk().await.unwrap().is_some() {}
        house.quiet().await;
        for (id, wallet) in books.wallets(&wallets).await {
            assert!(wallet.holds.is_empty(), "{id}: {wallet:?}");
            assert_eq!(wallet.spent.get(), 41 * 50_000, "{id}");
        }
        house.clock.advance_ms(86_400_000);
    }
}
