//! Calls that outlive the reconciler's patience, and books that cannot be written at once.

use reqwest::Response;
use serde_json::{Value, json};
use shared::domain::hold::{HoldId, WalletId};
use shared::domain::id::RequestId;
use shared::domain::money::NanoUsd;
use tests::House;
use tests::callers::KeyCaller;
use tests::faults::{Fault, Faults};
use tests::upstream::{Act, Gate, Piece, chat_end, chat_reply, chat_text};

/// A call that has begun to be answered, with 10 tokens of input and 20 of output, and ends when the gate
/// opens.
async fn slow_call(house: &House, caller: &KeyCaller, mut body: Value) -> (Gate, Response) {
    let gate = Gate::default();
    let mut pieces = vec![chat_text("Hi"), Piece::Gate(gate.clone())];
    pieces.extend(chat_end(10, 20));
    house.upstream.next(Act::stream(pieces));
    body["stream"] = json!(true);
    let mut response = caller.open_chat(body).await;
    assert!(response.chunk().await.unwrap().is_some());
    (gate, response)
}

#[tokio::test]
async fn a_call_that_was_taken_for_lost_is_charged_once_when_it_ends() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    let (gate, mut response) = slow_call(&house, &ada, json!({})).await;
    let report = house
        .run_job("release_holds", json!({ "older_than_seconds": 0 }))
        .await;
    assert_eq!(report["report"]["released"], 1);
    assert_eq!(house.only_record().await["status"], "unsettled");
    gate.open();
    while response.chunk().await.unwrap().is_some() {}
    let record = house.only_record().await;
    assert_eq!(
        (&record["status"], &record["cost_usd"]),
        (&json!("ok"), &json!("0.00005"))
    );
    for _ in 0..2 {
        house
            .run_job("release_holds", json!({ "older_than_seconds": 0 }))
            .await;
        let wallet = house.wallet(&ada.user_id).await;
        assert_eq!(
            (wallet.balance.to_string().as_str(), wallet.holds.len()),
            ("0.99995", 0)
        );
    }
}

#[tokio::test]
async fn a_slow_call_pays_what_it_cost_even_if_it_was_charged_what_was_held() {
    let house = House::builder()
        .setting("unsettled_policy", "charge")
        .build()
        .await;
    let ada = house.user_with("ada", "1").await;
    let (gate, mut response) = slow_call(&house, &ada, json!({ "max_tokens": 1_000 })).await;
    house
        .run_job("release_holds", json!({ "older_than_seconds": 0 }))
        .await;
    let charged = house.wallet(&ada.user_id).await.spent;
    assert!(charged.get() > 2_000_000, "{charged}");
    gate.open();
    while response.chunk().await.unwrap().is_some() {}
    house.quiet().await;
    house
        .run_job("release_holds", json!({ "older_than_seconds": 0 }))
        .await;
    let wallet = house.wallet(&ada.user_id).await;
    assert_eq!(
        (wallet.balance.to_string().as_str(), wallet.holds.len()),
        ("0.99995", 0)
    );
    assert_eq!(house.only_record().await["cost_usd"], "0.00005");
}

#[tokio::test]
async fn a_due_charge_that_no_record_names_is_given_back() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    let (gate, mut response) = slow_call(&house, &ada, json!({})).await;
    let now = json!({ "older_than_seconds": 0 });
    house.run_job("release_holds", now.clone()).await;
    // The call ends and dies right after it has set aside what is due.
    let record = house.only_record().await;
    let request: RequestId = record["id"].as_str().unwrap().parse().unwrap();
    let user = WalletId::User(ada.user_id.parse().unwrap());
    let (cost, at) = (NanoUsd::new(50_000), house.clock.now());
    let ledger = house.store.ledger();
    let due = ledger
        .hold_late((user, HoldId::late(request, 0)), 0, cost, at)
        .await
        .unwrap();
    // Whoever repeats it finds it.
    let again = ledger
        .hold_late((user, HoldId::late(request, 0)), 0, cost, at)
        .await
        .unwrap();
    assert_eq!((due.amount, &due), (cost, &again));
    for _ in 0..2 {
        house.run_job("release_holds", now.clone()).await;
        let wallet = house.wallet(&ada.user_id).await;
        assert_eq!((wallet.spent, wallet.holds.len()), (NanoUsd::ZERO, 0));
        assert_eq!(house.only_record().await["cost_usd"], "0");
    }
    // Or it was slower still: it is charged, in the next round.
    gate.open();
    while response.chunk().await.unwrap().is_some() {}
    house.quiet().await;
    for _ in 0..2 {
        house.run_job("release_holds", now.clone()).await;
        let wallet = house.wallet(&ada.user_id).await;
        assert_eq!((wallet.spent, wallet.holds.len()), (cost, 0));
        assert_eq!(house.only_record().await["status"], "ok");
    }
}

#[tokio::test]
async fn a_slow_call_is_charged_what_is_left() {
    let house = House::new().await;
    let ada = house.user_with("ada", "0.02").await;
    let (gate, mut response) = slow_call(&house, &ada, json!({})).await;
    house
        .run_job("release_holds", json!({ "older_than_seconds": 0 }))
        .await;
    house.clock.advance_ms(1);
    // Meanwhile another call takes nearly all: 0.00002 USD are left for 0.00005.
    house.upstream.next(chat_reply("x", 10, 9_985));
    assert_eq!(ada.chat(json!({ "max_tokens": 9_900 })).await.status, 200);
    gate.open();
    while response.chunk().await.unwrap().is_some() {}
    house.quiet().await;
    for _ in 0..2 {
        house
            .run_job("release_holds", json!({ "older_than_seconds": 0 }))
            .await;
        let wallet = house.wallet(&ada.user_id).await;
        assert_eq!(
            (wallet.balance, wallet.spent, wallet.holds.len()),
            (NanoUsd::ZERO, wallet.granted, 0)
        );
    }
    let costs: Vec<_> = house.records().await;
    let costs: Vec<_> = costs.iter().map(|record| &record["cost_usd"]).collect();
    assert_eq!(costs, [&json!("0.01998"), &json!("0.00002")]);
}

#[tokio::test]
async fn writes_whose_outcome_is_unknown_charge_once() {
    for (operation, fault) in [
        ("UpdateItem", Fault::Applied),
        ("UpdateItem", Fault::Lost),
        ("UpdateItem", Fault::Throttled),
        ("PutItem", Fault::Applied),
        ("PutItem", Fault::Lost),
        ("PutItem", Fault::Throttled),
    ] {
        // The holder's note is the first put, the record the second; the hold is the first update,
        // the settlement the second.
        for before in 0..2 {
            let faults = Faults::default();
            let house = House::builder().with(&faults).build().await;
            let ada = house.user_with("ada", "1").await;
            for _ in 0..before {
                faults.plan(operation, Fault::None);
            }
            faults.plan(operation, fault);
            let answer = ada.chat(json!({ "stream": true })).await;
            assert_eq!(
                answer.status, 200,
                "{operation} {fault:?} {before}: {}",
                answer.text
            );
            house.quiet().await;
            house
                .run_job("release_holds", json!({ "older_than_seconds": 0 }))
                .await;
            let wallet = house.wallet(&ada.user_id).await;
            let what = format!("{operation} {fault:?} {before}: {wallet:?}");
            assert_eq!(
                (wallet.balance.to_string().as_str(), wallet.holds.len()),
                ("0.99995", 0),
                "{what}"
            );
            assert_eq!(house.only_record().await["cost_usd"], "0.00005");
        }
    }
}

/// A user with so much money, and a key with a budget.
async fn budgeted(house: &House, usd: &str, key: serde_json::Value) -> KeyCaller {
    let root = house.root().await;
    let ada = root.create_user("ada").await;
    root.credit(&ada, usd).await;
    root.create_key(&ada, key).await
}

/// What a caller's key and user have spent, with nothing held.
async fn spent(house: &House, caller: &KeyCaller) -> [NanoUsd; 2] {
    let key = WalletId::Key(caller.key_id.parse().unwrap());
    let user = WalletId::User(caller.user_id.parse().unwrap());
    let found = house.store.wallets().find_all(&[key, user]).await.unwrap();
    [key, user].map(|id| {
        assert!(found[&id].holds.is_empty(), "{id}: {:?}", found[&id]);
        found[&id].spent
    })
}

#[tokio::test]
async fn a_settlement_that_is_repeated_charges_what_the_record_says() {
    let faults = Faults::default();
    let house = House::builder().with(&faults).build().await;
    let budget = json!({ "budget": { "limit_usd": "0.002", "period": "total" } });
    let ada = budgeted(&house, "1", budget).await;
    // Both wallets hold, then give more; the key's is settled, and the user's is not at first.
    faults.plan_all("UpdateItem", &[Fault::None; 7]);
    faults.plan_all("UpdateItem", &[Fault::Lost; 3]);
    // It costs more than it may, and more than the budget has.
    house.upstream.next(chat_reply("x", 5_000, 0));
    assert_eq!(ada.chat(json!({ "max_tokens": 10 })).await.status, 200);
    house.quiet().await;
    assert_eq!(faults.left(), 0);
    let record = house.only_record().await;
    assert_eq!(
        (&record["cost_usd"], &record["uncollected_usd"]),
        (&json!("0.002"), &json!("0.003"))
    );
    assert_eq!(spent(&house, &ada).await, [NanoUsd::new(2_000_000); 2]);
}

#[tokio::test]
async fn a_hold_that_arrives_when_all_is_over_is_charged_to_nobody() {
    let faults = Faults::default();
    let house = House::builder().with(&faults).build().await;
    let key = json!({
        "budget": { "limit_usd": "1", "period": "total" }, "when_short": "lower_output",
    });
    let ada = budgeted(&house, "0.001", key).await;
    // The first hold in the key's wallet is on its way for long. The second one is there, but the user
    // has too little, and the call is lowered: it holds in the key's wallet once more.
    faults.plan("UpdateItem", Fault::Late);
    assert_eq!(ada.chat(json!({ "max_tokens": 5_000 })).await.status, 200);
    house.quiet().await;
    let cost = NanoUsd::new(50_000);
    assert_eq!(spent(&house, &ada).await, [cost; 2]);
    faults.calm().await;
    for _ in 0..2 {
        house
            .run_job("release_holds", json!({ "older_than_seconds": 0 }))
            .await;
        assert_eq!(spent(&house, &ada).await, [cost; 2]);
    }
    assert_eq!(house.only_record().await["cost_usd"], "0.00005");
}
