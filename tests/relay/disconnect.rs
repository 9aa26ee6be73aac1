//! Callers who hang up: the bill does not depend on when they left.

use serde_json::json;
use tests::House;
use tests::upstream::{Act, Gate, Piece, chat_end, chat_text};

#[tokio::test]
async fn a_caller_who_leaves_in_the_middle_pays_in_full() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    let gate = Gate::default();
    let mut pieces = vec![
        chat_text("Hi"),
        Piece::Gate(gate.clone()),
        chat_text("there"),
    ];
    pieces.extend(chat_end(10, 20));
    house.upstream.next(Act::stream(pieces));
    let mut response = ada.open_chat(json!({ "stream": true })).await;
    assert!(response.chunk().await.unwrap().is_some());
    drop(response);
    gate.open();
    house.quiet().await;
    let record = house.only_record().await;
    assert_eq!(
        (&record["status"], &record["cost_usd"]),
        (&json!("ok"), &json!("0.00005"))
    );
    let wallet = house.wallet(&ada.user_id).await;
    assert_eq!(
        (wallet.balance.to_string().as_str(), wallet.holds.len()),
        ("0.99995", 0)
    );
}

#[tokio::test]
async fn a_caller_who_leaves_before_the_first_byte_pays_in_full() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    let (asked, gate) = (Gate::default(), Gate::default());
    let mut pieces = vec![Piece::Gate(gate.clone()), chat_text("Hi")];
    pieces.extend(chat_end(10, 20));
    house.upstream.next(Act::stream(pieces));
    drop(asked);
    let mut call = Box::pin(ada.chat(json!({ "stream": true })));
    // The call is on its way when the provider has it.
    while house.upstream.got().is_empty() {
        tokio::select! {
            answer = &mut call => panic!("{answer:?}"),
            () = tokio::task::yield_now() => {}
        }
    }
    drop(call);
    gate.open();
    house.quiet().await;
    assert_eq!(house.only_record().await["cost_usd"], "0.00005");
    assert!(house.wallet(&ada.user_id).await.holds.is_empty());
}
