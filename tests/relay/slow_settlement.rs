//! Calls that outlive the reconciler's patience, and books that cannot be written at once.

use serde_json::json;
use tests::House;
use tests::faults::{Fault, Faults};
use tests::upstream::{Act, Gate, Piece, chat_end, chat_text};

#[tokio::test]
async fn a_call_that_was_taken_for_lost_is_charged_once_when_it_ends() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    let gate = Gate::default();
    let mut pieces = vec![chat_text("Hi"), Piece::Gate(gate.clone())];
    pieces.extend(chat_end(10, 20));
    house.upstream.next(Act::stream(pieces));
    let mut response = ada.open_chat(json!({ "stream": true })).await;
    assert!(response.chunk().await.unwrap().is_some());
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
