//! Lambda's events, as the files in `events/` hold them: the same router answers them.

use axum::body::Body;
use http::Request;
use lambda_http::RequestExt as _;
use relay::router::router;
use serde_json::Value;
use shared::front::Front;
use tests::House;
use tower::ServiceExt;

/// The request in an event file, with a key that works.
fn request(file: &str, key: &str) -> Request<Body> {
    let path = format!("../events/relay/{file}.json");
    let event = std::fs::read_to_string(path).unwrap();
    let event = event.replace("sk-th-EXAMPLE", key);
    let request = lambda_http::request::from_str(&event).unwrap();
    assert!(request.raw_http_path().starts_with('/'));
    request.map(|body| Body::from(body.to_vec()))
}

async fn answer(house: &House, front: Front, request: Request<Body>) -> (u16, String) {
    let relay = router(house.server.relay.clone().behind(front));
    let response = relay.oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX)
        .await
        .unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn every_event_file_is_answered() {
    let house = House::new().await;
    let root = house.root().await;
    let price = serde_json::json!({ "model": "*", "input": "1", "output": "2" });
    assert!(root.post("/api/prices", &price).await.status < 300);
    for provider in ["openai-compatible", "anthropic"] {
        let mut channel = house.upstream.channel(provider);
        channel["models"] = serde_json::json!(["*"]);
        house.channel(channel).await;
    }
    let ada = house.user_with("ada", "1").await;
    for (file, front) in [
        ("chat", Front::FunctionUrl),
        ("chat-stream", Front::FunctionUrl),
        ("messages-stream", Front::FunctionUrl),
        ("models", Front::FunctionUrl),
        ("alb-chat", Front::Alb),
    ] {
        let (status, body) = answer(&house, front, request(file, &ada.key)).await;
        assert_eq!(status, 200, "{file}: {body}");
    }
    assert_eq!(house.records().await.len(), 4);
    let sources: Vec<Value> = house
        .records()
        .await
        .iter()
        .map(|record| record["source_ip"].clone())
        .collect();
    assert!(sources.iter().all(Value::is_string), "{sources:?}");
}

#[tokio::test]
async fn nothing_passes_without_the_origin_header() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    for header in [None, Some("wrong"), Some("test-origin-toke")] {
        let mut request = request("chat", &ada.key);
        request.headers_mut().remove("x-tollhouse-origin");
        if let Some(header) = header {
            request
                .headers_mut()
                .insert("x-tollhouse-origin", header.parse().unwrap());
        }
        let (status, body) = answer(&house, Front::FunctionUrl, request).await;
        assert_eq!(status, 403, "{body}");
    }
    assert!(house.upstream.got().is_empty());
}

#[tokio::test]
async fn a_caller_cannot_choose_its_address() {
    let house = House::new().await;
    let root = house.root().await;
    let user = root.create_user("ada").await;
    let inside = serde_json::json!({ "cidrs": ["10.0.0.0/8"] });
    let key = root.create_key(&user, inside).await;
    let forged = key
        .request("GET", "/v1/models")
        .header("x-forwarded-for", "10.0.0.1");
    let forged = forged.header("x-tollhouse-viewer", "10.0.0.1");
    assert_eq!(forged.send().await.unwrap().status(), 403);
}
