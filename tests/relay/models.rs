//! `GET /v1/models`: what a caller may name.

use serde_json::json;
use tests::{CLAUDE, House, MODEL};

#[tokio::test]
async fn each_dialect_sees_the_models_in_its_own_shape() {
    let house = House::new().await;
    let ada = house.user_with("ada", "0").await;
    let list = ada.get("/v1/models").await.expect(200);
    assert_eq!(
        (&list["object"], &list["data"][0]["id"]),
        (&json!("list"), &json!(CLAUDE))
    );
    let request = ada
        .request("GET", "/v1/models")
        .header("anthropic-version", "2023-06-01");
    let list: serde_json::Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(
        (&list["first_id"], &list["data"][0]["type"]),
        (&json!(CLAUDE), &json!("model"))
    );
    assert_eq!(
        ada.get(&format!("/v1/models/{MODEL}")).await.expect(200)["id"],
        MODEL
    );
    assert_eq!(ada.get("/v1/models/other").await.status, 404);
}

#[tokio::test]
async fn a_key_sees_only_what_it_may_call() {
    let house = House::new().await;
    let root = house.root().await;
    let user = root.create_user("ada").await;
    let key = root.create_key(&user, json!({ "models": ["gpt-*"] })).await;
    assert_eq!(key.get("/v1/models").await.expect(200)["data"], json!([]));
}
