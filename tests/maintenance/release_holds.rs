//! The reconciler: lost calls, named holds, old and young ones.

use maintenance::jobs::{self, Order};
use serde_json::{Map, json};
use shared::domain::hold::{HoldId, WalletId};
use shared::domain::id::{KeyId, RequestId, UserId};
use shared::store::ledger::HoldRequest;
use tests::House;
use tests::callers::KeyCaller;

/// Money held for a call that nobody carries.
async fn lost_hold(house: &House, caller: &KeyCaller, nano: i64) -> RequestId {
    let user: UserId = caller.user_id.parse().unwrap();
    let now = house.clock.now();
    let request = RequestId::from_parts(u64::try_from(now.as_millisecond()).unwrap(), 1);
    let amount = shared::domain::money::NanoUsd::new(nano);
    let wanted = HoldRequest::of(WalletId::User(user), request, amount, now);
    let hold = house.store.ledger().hold(wanted).await.unwrap();
    assert_eq!(hold.id, HoldId::first(request));
    request
}

#[tokio::test]
async fn a_lost_call_is_released_and_told() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    let request = lost_hold(&house, &ada, 500_000_000).await;
    let young = house.run_job("release_holds", json!({})).await;
    assert_eq!(
        (&young["report"]["wallets"], &young["report"]["released"]),
        (&json!(1), &json!(0))
    );
    house.clock.advance_ms(16 * 60 * 1_000);
    let report = house.run_job("release_holds", json!({})).await;
    assert_eq!(
        (
            &report["report"]["released"],
            &report["report"]["unsettled"]
        ),
        (&json!(1), &json!(1))
    );
    let record = house.only_record().await;
    assert_eq!(
        (&record["id"], &record["status"]),
        (&json!(request.to_string()), &json!("unsettled"))
    );
    assert_eq!(
        (&record["cost_usd"], &record["model"]),
        (&json!("0"), &json!(null))
    );
    assert_eq!(house.wallet(&ada.user_id).await.balance.to_string(), "1");
    let again = house.run_job("release_holds", json!({})).await;
    assert_eq!(
        (&again["report"]["released"], &again["report"]["unsettled"]),
        (&json!(0), &json!(0))
    );
}

#[tokio::test]
async fn a_lost_call_can_be_charged_what_was_held() {
    let house = House::builder()
        .setting("unsettled_policy", "charge")
        .build()
        .await;
    let ada = house.user_with("ada", "1").await;
    lost_hold(&house, &ada, 250_000_000).await;
    for _ in 0..3 {
        house
            .run_job("release_holds", json!({ "older_than_seconds": 0 }))
            .await;
        let wallet = house.wallet(&ada.user_id).await;
        assert_eq!(
            (wallet.balance.to_string(), wallet.spent.to_string()),
            ("0.75".into(), "0.25".into())
        );
    }
    assert_eq!(house.only_record().await["cost_usd"], "0.25");
}

#[tokio::test]
async fn a_hold_of_hours_ago_is_found_through_its_hour() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    lost_hold(&house, &ada, 1).await;
    house.clock.advance_ms(5 * 3_600 * 1_000);
    lost_hold(&house, &ada, 2).await;
    let report = house
        .run_job("release_holds", json!({ "older_than_seconds": 0 }))
        .await;
    assert_eq!(report["report"]["released"], 2);
}

#[tokio::test]
async fn one_run_at_a_time() {
    let house = House::new().await;
    let now = house.clock.now_ms();
    assert!(
        house
            .store
            .jobs()
            .lease("release_holds", "somebody", now, now + 1_000)
            .await
            .unwrap()
    );
    let order = || Order {
        job: "release_holds".to_owned(),
        arguments: Map::new(),
    };
    let refused = jobs::run(&house.server.maintenance, order())
        .await
        .unwrap_err();
    assert_eq!(refused.code, "job_running");
    // A lease outlives its owner by its time only.
    house.clock.advance_ms(1_000);
    assert!(jobs::run(&house.server.maintenance, order()).await.is_ok());
}

#[tokio::test]
async fn a_hold_in_the_budget_of_a_key_that_is_gone_is_released() {
    let house = House::new().await;
    let root = house.root().await;
    let user = root.create_user("ada").await;
    let budget = json!({ "limit_usd": "1", "period": "total" });
    let key = root.create_key(&user, json!({ "budget": budget })).await;
    let id: KeyId = key.key_id.parse().unwrap();
    let now = house.clock.now();
    let request = RequestId::from_parts(u64::try_from(now.as_millisecond()).unwrap(), 1);
    let amount = shared::domain::money::NanoUsd::new(5);
    let wanted = HoldRequest::of(WalletId::Key(id), request, amount, now);
    let hold = house.store.ledger().hold(wanted).await.unwrap();
    assert_eq!(hold.amount, amount);
    root.delete(&format!("/api/keys/{id}")).await;
    let report = house
        .run_job("release_holds", json!({ "older_than_seconds": 0 }))
        .await;
    assert_eq!(report["report"]["released"], 1);
}

#[tokio::test]
async fn an_argument_that_a_job_does_not_have_is_refused() {
    let house = House::new().await;
    let root = house.root().await;
    for job in ["release_holds", "reset_budgets", "roll_up", "re_rate"] {
        let path = format!("/api/jobs/{job}");
        let refused = root.post(&path, &json!({ "older_then_seconds": 0 })).await;
        let error = refused.expect(400)["error"].clone();
        assert_eq!(error["field"], "older_then_seconds", "{job}");
    }
}
