//! Requests that are wrong: each is told why, in its dialect, and leaves nothing behind.

use serde_json::{Value, json};
use tests::callers::KeyCaller;
use tests::{House, MODEL};

/// Nothing was asked of the provider, nothing is held, nothing was spent.
async fn nothing_happened(house: &House, caller: &KeyCaller, usd: &str) {
    assert!(house.upstream.got().is_empty());
    assert_eq!(house.records().await, Vec::<Value>::new());
    let wallet = house.wallet(&caller.user_id).await;
    assert_eq!(
        (wallet.balance.to_string(), wallet.holds.len()),
        (usd.to_owned(), 0)
    );
}

#[tokio::test]
async fn a_key_that_is_no_good_is_401() {
    let house = House::new().await;
    let root = house.root().await;
    let ada = house.user_with("ada", "1").await;
    let mut unknown = "sk-th-".to_owned();
    unknown.push_str(
        &ada.key
            .chars()
            .skip(6)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect::<String>(),
    );
    let expired = root
        .create_key(
            &ada.user_id,
            json!({ "expires_at": "2026-11-23T12:00:01Z" }),
        )
        .await;
    let disabled = root
        .create_key(&ada.user_id, json!({ "enabled": false }))
        .await;
    house.clock.advance_ms(1_000);
    for (key, code) in [
        ("", "missing_api_key"),
        ("sk-something", "invalid_api_key"),
        (&unknown, "invalid_api_key"),
        (&expired.key, "expired_api_key"),
        (&disabled.key, "disabled_api_key"),
    ] {
        let caller = house.anonymous().with_key(key);
        let chat = caller.chat(json!({})).await;
        assert_eq!((chat.status, chat.openai_code().as_str()), (401, code));
        let message = caller.messages(json!({})).await;
        assert_eq!(message.status, 401);
        assert_eq!(message.anthropic_type(), "authentication_error");
        assert!(message.json()["request_id"].is_string());
    }
    nothing_happened(&house, &ada, "1").await;
}

#[tokio::test]
async fn a_disabled_user_is_401_at_once() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    assert_eq!(ada.get("/v1/models").await.status, 200);
    let path = format!("/api/users/{}", ada.user_id);
    house
        .root()
        .await
        .patch(&path, &json!({ "enabled": false }))
        .await
        .expect(200);
    assert_eq!(ada.chat(json!({})).await.openai_code(), "disabled_user");
}

#[tokio::test]
async fn models_are_allowed_known_or_neither() {
    let house = House::new().await;
    let root = house.root().await;
    let ada = house.user_with("ada", "1").await;
    let narrow = root
        .create_key(&ada.user_id, json!({ "models": ["gpt-*"] }))
        .await;
    let refused = narrow.chat(json!({})).await;
    assert_eq!(
        (refused.status, refused.openai_code().as_str()),
        (403, "model_not_allowed")
    );
    let unknown = ada.messages(json!({ "model": "nobody-has-it" })).await;
    assert_eq!(
        (unknown.status, unknown.anthropic_type().as_str()),
        (404, "not_found_error")
    );
    let mut channel = house.upstream.channel("openai");
    channel["models"] = json!(["unpriced"]);
    house.channel(channel).await;
    let unpriced = ada.chat(json!({ "model": "unpriced" })).await;
    assert_eq!(
        (unpriced.status, unpriced.openai_code().as_str()),
        (403, "model_not_priced")
    );
    nothing_happened(&house, &ada, "1").await;
}

#[tokio::test]
async fn a_key_is_good_from_its_networks_only() {
    let house = House::new().await;
    let root = house.root().await;
    let ada = house.user_with("ada", "1").await;
    let elsewhere = root
        .create_key(&ada.user_id, json!({ "cidrs": ["10.0.0.0/8"] }))
        .await;
    assert_eq!(
        elsewhere.chat(json!({})).await.openai_code(),
        "address_not_allowed"
    );
    let here = root
        .create_key(&ada.user_id, json!({ "cidrs": ["127.0.0.1"] }))
        .await;
    assert_eq!(here.chat(json!({})).await.status, 200);
}

#[tokio::test]
async fn a_body_that_makes_no_sense_is_400() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    for body in [
        "",
        "not json",
        "[]",
        r#"{"model":"fake-model","messages":["#,
        r#"{"model":"fake-model","model":"other","messages":[]}"#,
        r#"{"model":"fake-model","Model":"other","messages":[]}"#,
        r#"{"messages":[]}"#,
        r#"{"model":7,"messages":[]}"#,
        r#"{"model":"fake-model","messages":"hi"}"#,
        r#"{"model":"fake-model","messages":[],"stream":"yes"}"#,
        r#"{"model":"fake-model","messages":[],"max_tokens":-5}"#,
        r#"{"model":"fake-model","messages":[],"max_tokens":1e40}"#,
        r#"{"model":"fake-model","messages":[],"max_tokens":"many"}"#,
    ] {
        let chat = ada.post_text("/v1/chat/completions", body).await;
        assert_eq!(chat.status, 400, "{body}: {}", chat.text);
        assert_ne!(chat.openai_code(), "");
        let message = ada.post_text("/v1/messages", body).await;
        assert_eq!(message.status, 400, "{body}: {}", message.text);
        assert_eq!(message.anthropic_type(), "invalid_request_error");
    }
    nothing_happened(&house, &ada, "1").await;
}

#[tokio::test]
async fn a_seven_megabyte_body_is_413() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    let content = "x".repeat(7 * 1024 * 1024);
    let chat = ada
        .chat(json!({ "messages": [{ "role": "user", "content": content }] }))
        .await;
    assert_eq!(
        (chat.status, chat.openai_code().as_str()),
        (413, "request_too_large")
    );
    let message = ada
        .messages(json!({ "messages": [{ "role": "user", "content": content }] }))
        .await;
    assert_eq!(
        (message.status, message.anthropic_type().as_str()),
        (413, "request_too_large")
    );
    nothing_happened(&house, &ada, "1").await;
}

#[tokio::test]
async fn an_absurd_limit_costs_more_than_anybody_has() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    for limit in [1_000_000_u64, u64::MAX] {
        let chat = ada.chat(json!({ "max_tokens": limit })).await;
        assert_eq!(
            (chat.status, chat.openai_code().as_str()),
            (402, "insufficient_balance")
        );
        let message = ada.messages(json!({ "max_tokens": limit })).await;
        assert_eq!(
            (message.status, message.anthropic_type().as_str()),
            (402, "billing_error")
        );
    }
    nothing_happened(&house, &ada, "1").await;
}

#[tokio::test]
async fn unknown_addresses_and_methods_are_told() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    assert_eq!(ada.get("/v1/chat/completions").await.status, 405);
    assert_eq!(ada.post("/v1/nothing", &json!({})).await.status, 404);
    assert_eq!(
        house.anonymous().get("/healthz").await.expect(200)["status"],
        "ok"
    );
    assert_eq!(ada.chat(json!({ "model": MODEL })).await.status, 200);
}
