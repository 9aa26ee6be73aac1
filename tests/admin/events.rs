//! Lambda's events, as the files in `events/admin` hold them: the same router answers them.

use admin::router::router;
use axum::body::Body;
use http::Request;
use lambda_http::RequestExt as _;
use serde_json::Value;
use shared::front::Front;
use tests::{House, PASSWORD};
use tower::ServiceExt;

/// The request in an event file, with real names in place of examples.
fn request(file: &str, session: &str) -> Request<Body> {
    let path = format!("../events/admin/{file}.json");
    let event = std::fs::read_to_string(path).unwrap();
    let event = event
        .replace("password-EXAMPLE", PASSWORD)
        .replace("session-EXAMPLE", session);
    let request = lambda_http::request::from_str(&event).unwrap();
    assert!(request.raw_http_path().starts_with('/'));
    request.map(|body| Body::from(body.to_vec()))
}

async fn answer(house: &House, front: Front, request: Request<Body>) -> (u16, Value) {
    let admin = router(house.server.admin.clone().behind(front));
    let response = admin.oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX)
        .await
        .unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn every_event_file_is_answered() {
    let house = House::new().await;
    let (status, session) = answer(&house, Front::FunctionUrl, request("sign-in", "")).await;
    assert_eq!(status, 200, "{session}");
    let token = session["token"].as_str().unwrap();
    let (status, key) = answer(&house, Front::FunctionUrl, request("create-key", token)).await;
    assert_eq!(status, 201, "{key}");
    assert!(key["key"].as_str().unwrap().starts_with("sk-th-"));
    let (status, users) = answer(&house, Front::Alb, request("alb-list-users", token)).await;
    assert_eq!(
        (status, &users["data"][0]["username"]),
        (200, &Value::from("root")),
        "{users}"
    );
}

#[tokio::test]
async fn nothing_passes_without_the_origin_header() {
    let house = House::new().await;
    let mut forged = request("sign-in", "");
    forged
        .headers_mut()
        .insert("x-tollhouse-origin", "guess".parse().unwrap());
    let (status, body) = answer(&house, Front::FunctionUrl, forged).await;
    assert_eq!(
        (status, &body["error"]["code"]),
        (403, &Value::from("wrong_origin"))
    );
}
