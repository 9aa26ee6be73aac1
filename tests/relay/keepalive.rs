//! Silence is filled, in each dialect's own way, and what follows is still true.

use serde_json::json;
use tests::House;
use tests::upstream::{Act, Gate, Piece, chat_end, chat_text};

/// Reads until the text is there; the rest of the answer.
async fn read_until(response: &mut reqwest::Response, text: &str) -> String {
    let mut read = String::new();
    while !read.contains(text) {
        let piece = response
            .chunk()
            .await
            .unwrap()
            .unwrap_or_else(|| panic!("no {text} in {read}"));
        read.push_str(std::str::from_utf8(&piece).unwrap());
    }
    read
}

#[tokio::test]
async fn a_silent_stream_carries_comments_and_then_the_answer() {
    let house = House::builder().setting("keepalive_ms", 20).build().await;
    let ada = house.user_with("ada", "1").await;
    let (start, middle) = (Gate::default(), Gate::default());
    let mut pieces = vec![
        Piece::Gate(start.clone()),
        chat_text("Hi"),
        Piece::Gate(middle.clone()),
    ];
    pieces.extend(chat_end(10, 20));
    house.upstream.next(Act::stream(pieces));
    let mut response = ada.open_chat(json!({ "stream": true })).await;
    assert_eq!(response.status(), 200);
    read_until(&mut response, ": keep-alive\n\n").await;
    start.open();
    read_until(&mut response, "Hi").await;
    read_until(&mut response, ": keep-alive\n\n").await;
    middle.open();
    read_until(&mut response, "[DONE]").await;
    assert!(response.chunk().await.unwrap().is_none());
    assert_eq!(house.only_record().await["cost_usd"], "0.00005");
}

#[tokio::test]
async fn anthropics_clients_are_pinged() {
    let house = House::builder().setting("keepalive_ms", 20).build().await;
    let ada = house.user_with("ada", "1").await;
    let gate = Gate::default();
    house.upstream.next(Act::Hang(gate.clone()));
    let body = json!({ "model": "fake-claude", "max_tokens": 9, "stream": true, "messages": [] });
    let request = ada.request("POST", "/v1/messages").json(&body);
    let mut response = request.send().await.unwrap();
    read_until(&mut response, "event: ping\ndata: {\"type\": \"ping\"}\n\n").await;
    gate.open();
    // An empty answer is no answer; the status is out, so it is an event.
    read_until(&mut response, "event: error\n").await;
}

#[tokio::test]
async fn a_slow_plain_answer_is_led_by_white_space() {
    let house = House::builder().setting("keepalive_ms", 20).build().await;
    let ada = house.user_with("ada", "1").await;
    let gate = Gate::default();
    let body = json!({ "choices": [], "usage": { "prompt_tokens": 1, "completion_tokens": 1 } });
    house.upstream.next(Act::Say {
        status: 200,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        pieces: vec![Piece::Gate(gate.clone()), Piece::Text(body.to_string())],
    });
    let mut response = ada.open_chat(json!({})).await;
    let mut text = read_until(&mut response, " ").await;
    gate.open();
    while let Some(piece) = response.chunk().await.unwrap() {
        text.push_str(std::str::from_utf8(&piece).unwrap());
    }
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&text).unwrap(),
        body
    );
    assert_eq!(house.only_record().await["status"], "ok");
}

#[tokio::test]
async fn keep_alives_can_be_switched_off() {
    let house = House::builder().setting("keepalive_ms", 0).build().await;
    let ada = house.user_with("ada", "1").await;
    assert_eq!(ada.chat(json!({ "stream": true })).await.status, 200);
}
