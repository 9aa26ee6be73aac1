//! `POST /v1/embeddings`: texts to vectors, in the books like any other call.

use serde_json::json;
use tests::upstream::{Act, CREDENTIAL};
use tests::{House, MODEL};

fn vectors() -> Act {
    Act::json(
        200,
        &json!({
            "object": "list", "model": "upstream-name",
            "data": [{ "object": "embedding", "index": 0, "embedding": [0.25, -1.0] }],
            "usage": { "prompt_tokens": 1_000, "total_tokens": 1_000 },
        }),
    )
}

#[tokio::test]
async fn vectors_are_in_the_books() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    house.upstream.next(vectors());
    let body = json!({ "model": MODEL, "input": "Hello" });
    let answer = ada.post("/v1/embeddings", &body).await;
    assert_eq!(
        answer.expect(200)["data"][0]["embedding"],
        json!([0.25, -1.0])
    );
    let got = house.upstream.got().remove(0);
    assert_eq!((got.path.as_str(), got.json()), ("/v1/embeddings", body));
    assert_eq!(got.headers["authorization"], format!("Bearer {CREDENTIAL}"));
    let record = house.only_record().await;
    assert_eq!(record["dialect"], "openai_embeddings");
    assert_eq!(
        (&record["tokens"]["input"], &record["cost_usd"]),
        (&json!(1_000), &json!("0.001"))
    );
    let wallet = house.wallet(&ada.user_id).await;
    assert!(wallet.holds.is_empty());
}

#[tokio::test]
async fn a_deployments_name_is_the_models() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    house.upstream.next(vectors());
    let path = format!("/openai/deployments/{MODEL}/embeddings?api-version=2024-10-21");
    let request = house
        .anonymous()
        .request("POST", &path)
        .header("api-key", &ada.key);
    let answer = request.json(&json!({ "input": "Hello" })).send().await;
    assert_eq!(answer.unwrap().status(), 200);
    let sent = house.upstream.got().remove(0).json();
    assert_eq!(sent, json!({ "model": MODEL, "input": "Hello" }));
}

#[tokio::test]
async fn a_refusal_costs_nothing() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    let error = json!({ "error": { "message": "no such input", "type": "invalid_request_error" } });
    house.upstream.next(Act::json(400, &error));
    let body = json!({ "model": MODEL, "input": "Hello" });
    let refused = ada.post("/v1/embeddings", &body).await;
    assert_eq!(refused.status, 400);
    assert!(refused.text.contains("no such input"), "{}", refused.text);
    let wrong = json!({ "model": MODEL });
    assert_eq!(
        ada.post("/v1/embeddings", &wrong).await.expect(400)["error"]["param"],
        "input"
    );
    assert_eq!(
        house.root().await.user(&ada.user_id).await["balance_usd"],
        "1"
    );
}
