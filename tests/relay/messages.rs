//! `POST /v1/messages`: through the express lane, into the books.

use serde_json::json;
use tests::House;
use tests::upstream::CREDENTIAL;

#[tokio::test]
async fn a_streamed_message_is_in_the_books() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    let answer = ada.messages(json!({ "stream": true })).await;
    assert_eq!(answer.status, 200);
    assert!(
        answer.text.starts_with("event: message_start\n"),
        "{}",
        answer.text
    );
    assert!(
        answer
            .text
            .trim_end()
            .ends_with(r#"data: {"type":"message_stop"}"#)
    );
    let record = house.only_record().await;
    assert_eq!(
        (&record["dialect"], &record["cost_usd"]),
        (&json!("anthropic"), &json!("0.00005"))
    );
    assert_eq!(answer.header("request-id"), answer.header("x-request-id"));
}

#[tokio::test]
async fn the_provider_gets_its_own_headers_and_path() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    let body = json!({ "model": "fake-claude", "max_tokens": 5, "messages": [] });
    for path in ["/v1/messages?beta=true", "/claude/v1/messages"] {
        let request = house
            .anonymous()
            .request("POST", path)
            .header("x-api-key", &ada.key);
        let request = request.header("anthropic-beta", "a,b").json(&body);
        assert_eq!(request.send().await.unwrap().status(), 200);
    }
    for got in house.upstream.got() {
        assert_eq!(got.path, "/v1/messages");
        assert_eq!(got.headers["x-api-key"], CREDENTIAL);
        assert_eq!(got.headers["anthropic-version"], "2023-06-01");
        assert_eq!(got.headers["anthropic-beta"], "a,b");
        assert!(!got.headers.contains_key("authorization"));
    }
}
