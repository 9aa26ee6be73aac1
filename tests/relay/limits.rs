//! Limits of a key: requests and tokens per minute, parallel calls, budgets.

use serde_json::json;
use tests::upstream::{Act, Gate, Piece, chat_end, chat_reply, chat_text};
use tests::{CLAUDE, House, MODEL};

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

#[tokio::test]
async fn answers_tell_what_the_minute_leaves_in_the_words_of_the_dialect() {
    let house = House::new().await;
    let root = house.root().await;
    let user = house.user_with("ada", "1").await.user_id;
    let limits = json!({ "rpm": 2, "tpm": 100_000 });
    let key = root.create_key(&user, json!({ "limits": limits })).await;
    house.clock.advance_ms(20_000);
    // The provider's own limits are not the caller's.
    let act = chat_reply("Hi", 10, 20).header("x-ratelimit-remaining-requests", "999");
    house.upstream.next(act);
    let first = key.chat(json!({ "max_tokens": 100 })).await;
    assert_eq!(first.header("x-ratelimit-limit-requests"), Some("2"));
    assert_eq!(first.header("x-ratelimit-remaining-requests"), Some("1"));
    assert_eq!(first.header("x-ratelimit-reset-requests"), Some("40s"));
    assert_eq!(first.header("x-ratelimit-limit-tokens"), Some("100000"));
    let second = key.messages(json!({})).await;
    assert_eq!(
        second.header("anthropic-ratelimit-requests-remaining"),
        Some("0")
    );
    assert_eq!(
        second.header("anthropic-ratelimit-requests-reset"),
        Some("2026-11-23T12:01:00Z")
    );
    let refused = key.chat(json!({ "stream": true })).await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.header("x-ratelimit-remaining-requests"), Some("0"));
    assert_eq!(refused.header("retry-after"), Some("40"));
}

#[tokio::test]
async fn whatever_is_counted_is_told() {
    let house = House::new().await;
    let root = house.root().await;
    let user = house.user_with("ada", "1").await.user_id;
    let key = root
        .create_key(&user, json!({ "limits": { "rpm": 9 } }))
        .await;
    let count = json!({ "model": CLAUDE, "messages": [{ "role": "user", "content": "Hello" }] });
    house
        .upstream
        .next(Act::json(200, &json!({ "input_tokens": 12 })));
    let counted = key.post("/v1/messages/count_tokens", &count).await;
    counted.expect(200);
    let left = "anthropic-ratelimit-requests-remaining";
    assert_eq!(counted.header(left), Some("8"));
    let guessed = key
        .post(
            "/v1/responses/input_tokens",
            &json!({ "model": CLAUDE, "input": "Hello" }),
        )
        .await;
    guessed.expect(200);
    assert_eq!(guessed.header("x-ratelimit-remaining-requests"), Some("7"));
    house
        .upstream
        .next(Act::json(500, &json!({ "error": { "message": "No." } })));
    let failed = key
        .post(
            "/v1/embeddings",
            &json!({ "model": MODEL, "input": "Hello" }),
        )
        .await;
    assert_eq!(failed.status, 502);
    assert_eq!(failed.header("x-ratelimit-remaining-requests"), Some("6"));
}

#[tokio::test]
async fn a_groups_limits_hold_for_all_keys_of_a_user_and_for_each_user() {
    let house = House::new().await;
    let root = house.root().await;
    root.patch("/api/groups/default", &json!({ "limits": { "rpm": 3 } }))
        .await
        .expect(200);
    let ada = house.user_with("ada", "1").await;
    let other = root.create_key(&ada.user_id, json!({})).await;
    assert_eq!(ada.chat(json!({})).await.status, 200);
    assert_eq!(other.chat(json!({})).await.status, 200);
    assert_eq!(ada.chat(json!({})).await.status, 200);
    let refused = other.chat(json!({})).await;
    assert_eq!(refused.openai_code(), "rate_limit_exceeded");
    // What is refused is not counted, and nothing is held.
    assert!(house.wallet(&ada.user_id).await.holds.is_empty());
    let bob = house.user_with("bob", "1").await;
    assert_eq!(bob.chat(json!({})).await.status, 200);
    // Nor does an unlimited user go without them.
    let path = format!("/api/users/{}", ada.user_id);
    root.patch(&path, &json!({ "unlimited": true }))
        .await
        .expect(200);
    assert_eq!(ada.chat(json!({})).await.status, 429);
    house.clock.advance_ms(60_000);
    assert_eq!(ada.chat(json!({})).await.status, 200);
}

#[tokio::test]
async fn a_group_gives_each_of_its_users_a_budget() {
    let house = House::new().await;
    let root = house.root().await;
    let budget = json!({ "limit_usd": "0.001", "period": "day" });
    let change = json!({ "budget": budget, "models": ["fake-*"], "cidrs": ["127.0.0.0/8"] });
    let group = root.patch("/api/groups/default", &change).await.expect(200);
    assert_eq!(group["budget"]["limit_usd"], "0.001");
    let ada = house.user_with("ada", "1").await;
    let other = root.create_key(&ada.user_id, json!({})).await;
    house.upstream.next(chat_reply("x", 100, 300));
    assert_eq!(ada.chat(json!({ "max_tokens": 300 })).await.status, 200);
    let refused = other.chat(json!({ "max_tokens": 300 })).await;
    assert_eq!(refused.openai_code(), "budget_exceeded");
    assert_eq!(refused.header("retry-after"), Some("43200"));
    let shown = root.user(&ada.user_id).await["allowance"].clone();
    assert_eq!(
        (
            &shown["limit_usd"],
            &shown["remaining_usd"],
            &shown["resets_at"]
        ),
        (
            &json!("0.001"),
            &json!("0.0003"),
            &json!("2026-11-24T00:00:00Z")
        )
    );
    assert!(house.wallet(&ada.user_id).await.holds.is_empty());
    // A larger one counts what was spent.
    let more = json!({ "budget": { "limit_usd": "0.0015" } });
    root.patch("/api/groups/default", &more).await.expect(200);
    assert_eq!(other.chat(json!({ "max_tokens": 300 })).await.status, 200);
    house.clock.advance_ms(12 * 3_600 * 1_000);
    // By schedule, or at the first call.
    let report = house.run_job("reset_budgets", json!({})).await;
    assert_eq!(report["report"]["reset"], 1);
    let root = house.root().await;
    assert_eq!(root.user(&ada.user_id).await["allowance"]["spent_usd"], "0");
    assert_eq!(other.chat(json!({ "max_tokens": 300 })).await.status, 200);
    for (change, code) in [
        (json!({ "models": ["other-*"] }), "model_not_allowed"),
        (
            json!({ "models": null, "cidrs": ["10.0.0.0/8"] }),
            "address_not_allowed",
        ),
    ] {
        let root = house.root().await;
        root.patch("/api/groups/default", &change).await.expect(200);
        let refused = ada.chat(json!({})).await;
        assert_eq!(
            (refused.status, refused.openai_code().as_str()),
            (403, code)
        );
    }
}

#[tokio::test]
async fn tokens_are_claimed_before_they_are_used() {
    let house = House::new().await;
    let root = house.root().await;
    let user = house.user_with("ada", "1").await.user_id;
    let key = root
        .create_key(&user, json!({ "limits": { "tpm": 300 } }))
        .await;
    let gate = Gate::default();
    let mut pieces = vec![chat_text("Hi"), Piece::Gate(gate.clone())];
    pieces.extend(chat_end(10, 20));
    house.upstream.next(Act::stream(pieces));
    // 200 of output and some of input are claimed.
    let open = json!({ "stream": true, "max_tokens": 200 });
    let mut first = key.open_chat(open.clone()).await;
    assert!(first.chunk().await.unwrap().is_some());
    let refused = key.chat(json!({ "max_tokens": 200 })).await;
    assert_eq!(refused.openai_code(), "rate_limit_exceeded");
    gate.open();
    while first.chunk().await.unwrap().is_some() {}
    // 30 were used.
    assert_eq!(key.chat(json!({ "max_tokens": 200 })).await.status, 200);
}

#[tokio::test]
async fn a_call_that_cost_more_than_its_worst_case_takes_what_is_left_and_no_more() {
    let house = House::new().await;
    let ada = house.user_with("ada", "0.02").await;
    // The provider counts more input than the request has bytes: 0.005 USD.
    house.upstream.next(chat_reply("x", 5_000, 0));
    assert_eq!(ada.chat(json!({ "max_tokens": 10 })).await.status, 200);
    let wallet = house.wallet(&ada.user_id).await;
    assert_eq!(wallet.balance.to_string(), "0.015");
    // And now more than there is.
    house.clock.advance_ms(1);
    house.upstream.next(chat_reply("x", 50_000, 0));
    assert_eq!(ada.chat(json!({ "max_tokens": 10 })).await.status, 200);
    let wallet = house.wallet(&ada.user_id).await;
    assert_eq!((wallet.balance.get(), wallet.spent), (0, wallet.granted));
    let record = house.records().await.remove(0);
    assert_eq!(
        (&record["cost_usd"], &record["uncollected_usd"]),
        (&json!("0.015"), &json!("0.035"))
    );
    assert_eq!(record["tokens"]["input"], 50_000);
}

#[tokio::test]
async fn a_key_may_lower_the_output_to_what_can_be_paid() {
    let house = House::new().await;
    let root = house.root().await;
    let user = house.user_with("ada", "0.001").await.user_id;
    let key = root
        .create_key(&user, json!({ "when_short": "lower_output" }))
        .await;
    let answer = key.chat(json!({ "max_tokens": 5_000 })).await;
    assert_eq!(answer.status, 200);
    let limit: u64 = answer
        .header("x-tollhouse-max-tokens")
        .unwrap()
        .parse()
        .unwrap();
    let sent: serde_json::Value = serde_json::from_slice(&house.upstream.got()[0].body).unwrap();
    assert_eq!(sent["max_tokens"], limit);
    assert!((300..500).contains(&limit), "{limit}");
    assert!(house.wallet(&user).await.holds.is_empty());
    // Without a limit of its own it gets one; in the other dialect, too.
    let answer = key.messages(json!({ "max_tokens": 5_000 })).await;
    assert!(answer.header("x-tollhouse-max-tokens").is_some());
    // Nobody is lowered who can pay.
    let answer = key.chat(json!({ "max_tokens": 20 })).await;
    assert!(answer.status == 200 && answer.header("x-tollhouse-max-tokens").is_none());
}

#[tokio::test]
async fn a_key_without_a_budget_is_not_refused_for_the_one_it_had() {
    let house = House::new().await;
    let root = house.root().await;
    let user = house.user_with("ada", "1").await.user_id;
    let key = json!({
        "budget": { "limit_usd": "0.001", "period": "total" }, "limits": { "rpm": 10 },
    });
    let key = root.create_key(&user, key).await;
    assert_eq!(key.chat(json!({ "max_tokens": 100 })).await.status, 200);
    let path = format!("/api/keys/{}", key.key_id);
    // Lowered below what was spent, there is less than nothing left of it.
    for (budget, status) in [(json!({ "limit_usd": "0.00001" }), 402), (json!(null), 200)] {
        let change = json!({ "budget": budget });
        root.patch(&path, &change).await.expect(200);
        assert_eq!(key.chat(json!({ "max_tokens": 100 })).await.status, status);
    }
}
