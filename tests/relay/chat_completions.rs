//! `POST /v1/chat/completions`: through the express lane, into the books.

use serde_json::{Value, json};
use tests::House;
use tests::upstream::{CREDENTIAL, chat_reply, chat_stream};

#[tokio::test]
async fn a_streamed_call_is_in_the_books_to_the_nano_dollar() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    let answer = ada.chat(json!({ "stream": true, "max_tokens": 50 })).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.header("content-type"),
        Some("text/event-stream; charset=utf-8")
    );
    assert_eq!(answer.header("x-accel-buffering"), Some("no"));
    assert_eq!(answer.events().last().map(String::as_str), Some("[DONE]"));

    let record = house.only_record().await;
    assert_eq!(record["id"], answer.header("x-request-id").unwrap());
    assert_eq!(
        (&record["status"], &record["stream"]),
        (&json!("ok"), &json!(true))
    );
    assert_eq!(
        (&record["lane"], &record["dialect"]),
        (&json!("express"), &json!("openai_chat"))
    );
    assert_eq!(
        (&record["tokens"]["input"], &record["tokens"]["output"]),
        (&json!(10), &json!(20))
    );
    // 10 × 1 + 20 × 2 micro-USD
    assert_eq!(record["cost_usd"], "0.00005");
    assert_eq!(record["bill"][1]["unit_usd"], "0.000002");
    assert_eq!(record["estimated"], false);
    assert_eq!(record["attempts"][0]["outcome"], "ok");
    assert!(record["ttfb_ms"].is_number() && record["channel_id"].is_string());

    let user = house.root().await.user(&ada.user_id).await;
    assert_eq!(
        (&user["balance_usd"], &user["held_usd"], &user["spent_usd"]),
        (&json!("0.99995"), &json!("0"), &json!("0.00005")),
    );
}

#[tokio::test]
async fn only_who_asks_for_usage_sees_it() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    let silent = ada.chat(json!({ "stream": true })).await;
    assert!(!silent.text.contains("usage"), "{}", silent.text);
    let options = json!({ "include_usage": true });
    let asked = ada
        .chat(json!({ "stream": true, "stream_options": options }))
        .await;
    assert_eq!(asked.text.matches("\"usage\":null").count(), 3);
    assert_eq!(asked.text.matches("\"prompt_tokens\":10").count(), 1);
    for got in house.upstream.got() {
        assert_eq!(got.json()["stream_options"]["include_usage"], true);
    }
    let costs: Vec<Value> = house
        .records()
        .await
        .iter()
        .map(|r| r["cost_usd"].clone())
        .collect();
    assert_eq!(costs, ["0.00005", "0.00005"]);
}

#[tokio::test]
async fn the_bytes_go_through_but_for_the_model() {
    let house = House::builder().build().await;
    let mut channel = house.upstream.channel("openai");
    channel["models"] = json!(["alias"]);
    channel["model_mapping"] = json!({ "alias": "upstream-name" });
    house.channel(channel).await;
    let price = json!({ "model": "alias", "input": "1", "output": "1" });
    assert!(house.root().await.post("/api/prices", &price).await.status < 300);
    let ada = house.user_with("ada", "1").await;

    let body =
        r#"{ "model" : "alias","messages":[ {"role":"user","content":"é\u00e9"} ], "x":1.0 }"#;
    let request = ada.request("POST", "/v1/chat/completions").body(body);
    let request = request
        .header("cookie", "c=1")
        .header("openai-organization", "org")
        .header("openai-beta", "b");
    assert_eq!(request.send().await.unwrap().status(), 200);

    let got = house.upstream.got().remove(0);
    assert_eq!(got.path, "/v1/chat/completions");
    assert_eq!(got.body, body.replace(r#""alias""#, r#""upstream-name""#));
    assert_eq!(got.headers["authorization"], format!("Bearer {CREDENTIAL}"));
    assert_eq!(got.headers["openai-beta"], "b");
    assert!(!got.headers.contains_key("openai-organization"));
    assert!(!got.headers.contains_key("cookie"));
    assert_eq!(house.only_record().await["upstream_model"], "upstream-name");
}

#[tokio::test]
async fn a_plain_answer_is_the_providers_own() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    house
        .upstream
        .next(chat_reply("Hi", 7, 3).header("x-ratelimit-remaining-requests", "9"));
    let answer = ada.chat(json!({})).await;
    assert_eq!(answer.expect(200)["choices"][0]["message"]["content"], "Hi");
    assert_eq!(answer.header("x-ratelimit-remaining-requests"), Some("9"));
    assert_eq!(house.only_record().await["cost_usd"], "0.000013");
}

#[tokio::test]
async fn a_key_is_taken_wherever_clients_put_it() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    let nobody = house.anonymous();
    for header in ["x-api-key", "api-key", "x-goog-api-key"] {
        let request = nobody.request("GET", "/v1/models").header(header, &ada.key);
        assert_eq!(request.send().await.unwrap().status(), 200, "{header}");
    }
    assert_eq!(
        nobody
            .get(&format!("/v1/models?key={}", ada.key))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn an_unlimited_user_pays_by_record_alone() {
    let house = House::new().await;
    let root = house.root().await;
    let key = root.create_key(&root.user_id, json!({})).await;
    house.upstream.next(chat_stream(&["a"], 1_000, 500));
    assert_eq!(key.chat(json!({ "stream": true })).await.status, 200);
    let user = root.user(&root.user_id).await;
    assert_eq!(
        (&user["spent_usd"], &user["balance_usd"]),
        (&json!("0.002"), &json!("0"))
    );
}

#[tokio::test]
async fn a_group_pays_its_ratio() {
    let house = House::new().await;
    let root = house.root().await;
    let group = json!({ "name": "partners", "ratio": "0.5" });
    root.post("/api/groups", &group).await.expect(201);
    for channel in root.get("/api/channels").await.expect(200)["data"]
        .as_array()
        .unwrap()
    {
        let path = format!("/api/channels/{}", channel["id"].as_str().unwrap());
        root.patch(&path, &json!({ "groups": ["default", "partners"] }))
            .await
            .expect(200);
    }
    let ada = house.user_with("ada", "1").await;
    let path = format!("/api/users/{}", ada.user_id);
    root.patch(&path, &json!({ "group": "partners" }))
        .await
        .expect(200);
    assert_eq!(ada.chat(json!({})).await.status, 200);
    assert_eq!(house.only_record().await["cost_usd"], "0.000025");
}
