//! Counting a request's tokens: free of charge, by the provider, or by an estimate that says so.

use serde_json::{Value, json};
use tests::upstream::Act;
use tests::{CLAUDE, House, MODEL};

fn request(model: &str) -> Value {
    json!({ "model": model, "messages": [{ "role": "user", "content": "Hello" }] })
}

#[tokio::test]
async fn the_provider_counts() {
    let house = House::new().await;
    let ada = house.user_with("ada", "0").await;
    house
        .upstream
        .next(Act::json(200, &json!({ "input_tokens": 1_234 })));
    let answer = ada
        .post("/v1/messages/count_tokens?beta=true", &request(CLAUDE))
        .await;
    assert_eq!(answer.expect(200), json!({ "input_tokens": 1_234 }));
    assert_eq!(answer.header("x-tollhouse-estimated"), None);
    let got = house.upstream.got().remove(0);
    assert_eq!(
        (got.path.as_str(), got.json()),
        ("/v1/messages/count_tokens", request(CLAUDE))
    );
    assert!(house.records().await.is_empty(), "counting is free");
}

#[tokio::test]
async fn where_nobody_counts_an_estimate_says_that_it_is_one() {
    let house = House::builder().bare().build().await;
    let channel = house.upstream.channel("openai-compatible");
    house.channel(channel).await;
    let ada = house.user_with("ada", "0").await;
    let answer = ada.post("/v1/messages/count_tokens", &request(MODEL)).await;
    let tokens = answer.expect(200)["input_tokens"].as_u64().unwrap();
    assert!((5..30).contains(&tokens), "{tokens}");
    assert_eq!(answer.header("x-tollhouse-estimated"), Some("true"));
}
