//! Limits of a key: requests and tokens per minute, parallel calls, budgets.

use serde_json::json;
use tests::House;
use tests::upstream::{Act, Gate, Piece, chat_end, chat_reply, chat_text};

#[tokio::test]
async fn requests_per_minute_are_counted_by_the_clock() {
    let house = House::new().await;
    let root = house.root().await;
    let user = house.user_with("ada", "1").await.user_id;
    let key = root
        .create_key(&user, json!({ "limits": { "rpm": 2 } }))
        .await;
    house.clock.advance_ms(15_000);
    for _ in 0..2 {
        assert_eq!(key.chat(json!({})).await.status, 200);
    }
    let refused = key.chat(json!({})).await;
    assert_eq!(
        (refused.status, refused.openai_code().as_str()),
        (429, "rate_limit_exceeded")
    );
    assert_eq!(refused.header("retry-after"), Some("45"));
    assert_eq!(
        key.messages(json!({})).await.anthropic_type(),
        "rate_limit_error"
    );
    house.clock.advance_ms(45_000);
    assert_eq!(key.chat(json!({})).await.status, 200);
}

#[tokio::test]
async fn tokens_per_minute_are_counted_as_they_are_used() {
    let house = House::new().await;
    let root = house.root().await;
    let user = house.user_with("ada", "1").await.user_id;
    let key = root
        .create_key(&user, json!({ "limits": { "tpm": 30 } }))
        .await;
    assert_eq!(key.chat(json!({})).await.status, 200);
    assert_eq!(key.chat(json!({})).await.status, 429);
}

#[tokio::test]
async fn parallel_calls_are_those_that_hold() {
    let house = House::new().await;
    let root = house.root().await;
    let user = house.user_with("ada", "1").await.user_id;
    let key = root
        .create_key(&user, json!({ "limits": { "parallel": 1 } }))
        .await;
    let gate = Gate::default();
    let mut pieces = vec![chat_text("Hi"), Piece::Gate(gate.clone())];
    pieces.extend(chat_end(1, 1));
    house.upstream.next(Act::stream(pieces));
    let mut first = key.open_chat(json!({ "stream": true })).await;
    assert!(first.chunk().await.unwrap().is_some());
    assert_eq!(
        key.chat(json!({})).await.openai_code(),
        "too_many_parallel_calls"
    );
    // Another key of the same user has its own places.
    let other = root
        .create_key(&user, json!({ "limits": { "parallel": 1 } }))
        .await;
    assert_eq!(other.chat(json!({})).await.status, 200);
    gate.open();
    while first.chunk().await.unwrap().is_some() {}
    assert_eq!(key.chat(json!({})).await.status, 200);
}

#[tokio::test]
async fn a_budget_holds_until_its_period_ends() {
    let house = House::new().await;
    let root = house.root().await;
    let user = house.user_with("ada", "1").await.user_id;
    let budget = json!({ "limit_usd": "0.001", "period": "day", "timezone": "Europe/Paris" });
    let key = root.create_key(&user, json!({ "budget": budget })).await;
    house.upstream.next(chat_reply("x", 100, 100));
    assert_eq!(key.chat(json!({ "max_tokens": 100 })).await.status, 200);
    let path = format!("/api/keys/{}", key.key_id);
    let shown = root.get(&path).await.expect(200);
    assert_eq!(
        (&shown["spent_usd"], &shown["remaining_usd"]),
        (&json!("0.0003"), &json!("0.0007"))
    );
    assert_eq!(shown["resets_at"], "2026-11-23T23:00:00Z");
    let refused = key.chat(json!({ "max_tokens": 400 })).await;
    assert_eq!(
        (refused.status, refused.openai_code().as_str()),
        (402, "budget_exceeded")
    );
    // The user's money, held before the budget said no, is back.
    assert!(house.wallet(&user).await.holds.is_empty());
    house.clock.advance_ms(11 * 3_600 * 1_000);
    assert_eq!(key.chat(json!({ "max_tokens": 400 })).await.status, 200);
    let shown = root.get(&path).await.expect(200);
    assert_eq!(shown["spent_usd"], "0.00005");
    assert_eq!(shown["resets_at"], "2026-11-24T23:00:00Z");
}
