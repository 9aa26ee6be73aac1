//! Providers that refuse, hang, break off, talk nonsense, or hide an error inside a 200.

use serde_json::json;
use tests::House;
use tests::answer::Answer;
use tests::callers::KeyCaller;
use tests::upstream::{Act, CREDENTIAL, Gate, Piece, chat_text};

/// The call left no hold, cost so much, and ended so.
async fn ended(house: &House, caller: &KeyCaller, status: &str, cost: &str) {
    house.quiet().await;
    // The next record is a later one.
    house.clock.advance_ms(1);
    let record = house.records().await.remove(0);
    assert_eq!(
        (&record["status"], &record["cost_usd"]),
        (&json!(status), &json!(cost)),
        "{record}"
    );
    let wallet = house.wallet(&caller.user_id).await;
    assert!(wallet.holds.is_empty());
    assert_eq!(wallet.balance.saturating_add(wallet.spent), wallet.granted);
}

async fn ask(caller: &KeyCaller, streamed: bool) -> [Answer; 2] {
    let stream = json!({ "stream": streamed });
    [
        caller.chat(stream.clone()).await,
        caller.messages(stream).await,
    ]
}

#[tokio::test]
async fn a_refusal_reaches_the_caller_in_the_providers_words() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    let openai = json!({ "error": { "message": "no such voice", "type": "invalid_request_error",
        "param": "voice", "code": "x" } });
    let anthropic =
        json!({ "type": "error", "error": { "type": "rate_limit_error", "message": "slow" } });
    house.upstream.next(Act::json(400, &openai));
    let chat = ada.chat(json!({})).await;
    assert_eq!(
        (chat.expect(400), chat.header("content-type")),
        (openai, Some("application/json"))
    );
    ended(&house, &ada, "error", "0").await;
    house
        .upstream
        .next(Act::json(429, &anthropic).header("retry-after", "7"));
    let message = ada.messages(json!({})).await;
    assert_eq!(
        (message.expect(429), message.header("retry-after")),
        (anthropic, Some("7"))
    );
    ended(&house, &ada, "error", "0").await;
}

#[tokio::test]
async fn a_refused_credential_is_our_fault_and_stays_secret() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    for status in [401, 403] {
        let text = format!("Incorrect API key provided: {CREDENTIAL}");
        let body = json!({ "error": { "message": text, "type": "x", "code": "invalid_api_key" } });
        house.upstream.next(Act::json(status, &body));
        let chat = ada.chat(json!({})).await;
        assert_eq!(
            (chat.status, chat.openai_code().as_str()),
            (502, "provider_refused_credential")
        );
        assert!(!chat.text.contains(CREDENTIAL));
        ended(&house, &ada, "error", "0").await;
    }
    let body = json!({ "error": { "message": format!("odd header {CREDENTIAL}"), "code": "x" } });
    house.upstream.next(Act::json(400, &body));
    assert!(!ada.chat(json!({})).await.text.contains(CREDENTIAL));
}

#[tokio::test]
async fn errors_inside_a_200_are_errors() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    for streamed in [false, true] {
        let body = json!({ "error": { "message": "overloaded", "code": 503 } });
        house.upstream.next(Act::json(200, &body));
        let body =
            json!({ "type": "error", "error": { "type": "overloaded_error", "message": "busy" } });
        house.upstream.next(Act::json(200, &body));
        let [chat, message] = ask(&ada, streamed).await;
        assert_eq!(
            (chat.status, chat.openai_code().as_str()),
            (503, "provider_overloaded")
        );
        assert_eq!(
            (message.status, message.anthropic_type().as_str()),
            (529, "overloaded_error")
        );
        ended(&house, &ada, "error", "0").await;
    }
    let first = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"busy\"}}\n\n";
    house
        .upstream
        .next(Act::stream(vec![Piece::Text(first.to_owned())]));
    assert_eq!(ada.messages(json!({ "stream": true })).await.status, 529);
    ended(&house, &ada, "error", "0").await;
}

#[tokio::test]
async fn garbage_is_502() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    for streamed in [false, true] {
        for (status, kind, text) in [
            (200, "text/html", "<html>welcome</html>"),
            (200, "application/json", "{\"surprise\":true}"),
            (200, "application/json", ""),
            (502, "text/html", "<html>bad gateway</html>"),
            (301, "text/plain", "elsewhere"),
        ] {
            house.upstream.next(Act::text(status, kind, text));
            house.upstream.next(Act::text(status, kind, text));
            let [chat, message] = ask(&ada, streamed).await;
            assert_eq!(chat.status, 502, "{status} {kind}: {}", chat.text);
            assert_ne!(chat.openai_code(), "");
            assert_eq!(
                (message.status, message.anthropic_type().as_str()),
                (502, "api_error")
            );
            ended(&house, &ada, "error", "0").await;
        }
    }
}

#[tokio::test]
async fn a_provider_that_hangs_is_504() {
    let house = House::new().await;
    let root = house.root().await;
    for channel in root.get("/api/channels").await.expect(200)["data"]
        .as_array()
        .unwrap()
    {
        let path = format!("/api/channels/{}", channel["id"].as_str().unwrap());
        let timeouts = json!({ "timeouts": { "first_byte_ms": 30, "idle_ms": 30 } });
        root.patch(&path, &timeouts).await.expect(200);
    }
    let ada = house.user_with("ada", "1").await;
    let gate = Gate::default();
    for streamed in [false, true] {
        house.upstream.next(Act::Hang(gate.clone()));
        house.upstream.next(Act::Hang(gate.clone()));
        let [chat, message] = ask(&ada, streamed).await;
        assert_eq!(
            (chat.status, chat.openai_code().as_str()),
            (504, "provider_timeout")
        );
        assert_eq!(
            (message.status, message.anthropic_type().as_str()),
            (504, "timeout_error")
        );
        ended(&house, &ada, "error", "0").await;
    }
    // It begins, and then says no more.
    house
        .upstream
        .next(Act::stream(vec![chat_text("Once upon"), Piece::Gate(gate)]));
    let chat = ada.chat(json!({ "stream": true })).await;
    assert_eq!(chat.status, 200);
    let last = chat.events().pop().unwrap();
    assert!(last.contains("provider_timeout"), "{last}");
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_billed_for_what_came_and_never_ends_well() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    for end in [vec![], vec![Piece::Cut]] {
        let gate = Gate::default();
        let pieces = vec![chat_text("twelve bytes"), Piece::Gate(gate.clone())];
        house.upstream.next(Act::stream([pieces, end].concat()));
        let mut response = ada.open_chat(json!({ "stream": true })).await;
        let mut text = Vec::new();
        while let Some(piece) = response.chunk().await.unwrap() {
            text.extend_from_slice(&piece);
            // What came is through: now it may break.
            gate.open();
        }
        let text = String::from_utf8(text).unwrap();
        assert!(
            text.contains("twelve bytes") && !text.contains("[DONE]"),
            "{text}"
        );
        let last = text.trim_end().rsplit("\n\n").next().unwrap();
        assert!(last.contains("provider_broke_off"), "{text}");
        house.quiet().await;
        let record = house.records().await.remove(0);
        assert_eq!(
            (&record["status"], &record["estimated"]),
            (&json!("cut"), &json!(true))
        );
        // Twelve bytes are three tokens.
        assert_eq!(record["tokens"]["output"], 3);
        assert!(record["tokens"]["input"].as_u64().unwrap() > 0);
        let cost = record["cost_usd"].as_str().unwrap().to_owned();
        assert_ne!(cost, "0");
        ended(&house, &ada, "cut", &cost).await;
    }
    let cut = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":9,\"output_tokens\":1}}}\n\n\
        event: content_block_delta\ndata: {\"delta\":{\"text\":\"four\"}}\n\n";
    house
        .upstream
        .next(Act::stream(vec![Piece::Text(cut.to_owned())]));
    let message = ada.messages(json!({ "stream": true })).await;
    assert!(message.text.contains("event: error\n"), "{}", message.text);
    // What the provider told of the input counts: 9 × 1 + 1 × 2 micro-USD.
    ended(&house, &ada, "cut", "0.000011").await;
}

#[tokio::test]
async fn an_error_in_the_middle_is_passed_on_as_it_came() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    let error = "data: {\"error\":{\"message\":\"it burns\",\"code\":500}}\n\n";
    house.upstream.next(Act::stream(vec![
        chat_text("Oh"),
        Piece::Text(error.to_owned()),
    ]));
    let chat = ada.chat(json!({ "stream": true })).await;
    assert!(chat.text.ends_with(error), "{}", chat.text);
}

#[tokio::test]
async fn another_channel_answers_where_one_does_not() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    let mut second = house.upstream.channel("openai");
    second["priority"] = json!(-1);
    let second = house.channel(second).await;
    for trouble in [
        Act::json(500, &json!({ "error": { "message": "oops" } })),
        Act::text(503, "text/html", "<html>"),
        Act::json(429, &json!({ "error": { "message": "slow down" } })),
        Act::json(401, &json!({ "error": { "message": "who?" } })),
        Act::json(200, &json!({ "error": { "message": "no" } })),
        Act::stream(vec![Piece::Cut]),
    ] {
        house.upstream.next(trouble);
        house.clock.advance_ms(1);
        let chat = ada.chat(json!({ "stream": true })).await;
        assert_eq!(chat.status, 200, "{}", chat.text);
        let record = house.records().await.remove(0);
        assert_eq!(record["channel_id"], second.to_string());
        assert_eq!(record["attempts"].as_array().unwrap().len(), 2);
        assert_eq!(record["cost_usd"], "0.00005");
    }
    // What is wrong with a request is wrong everywhere: nobody else is asked.
    let asked = house.upstream.got().len();
    house
        .upstream
        .next(Act::json(400, &json!({ "error": { "message": "bad" } })));
    assert_eq!(ada.chat(json!({})).await.status, 400);
    assert_eq!(house.upstream.got().len(), asked + 1);
}

#[tokio::test]
async fn a_provider_that_is_not_there_is_502_and_none_at_all_503() {
    let house = House::builder().bare().build().await;
    let root = house.root().await;
    let price = json!({ "model": "*", "input": "1", "output": "2" });
    assert!(root.post("/api/prices", &price).await.status < 300);
    let mut channel = house.upstream.channel("openai");
    // A port that was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    channel["base_url"] = json!(format!("http://{free}/v1"));
    let id = house.channel(channel).await;
    let ada = house.user_with("ada", "1").await;
    let chat = ada.chat(json!({})).await;
    assert_eq!(
        (chat.status, chat.openai_code().as_str()),
        (502, "provider_unreachable")
    );
    ended(&house, &ada, "error", "0").await;
    root.patch(&format!("/api/channels/{id}"), &json!({ "enabled": false }))
        .await
        .expect(200);
    let chat = ada.chat(json!({})).await;
    assert_eq!(
        (chat.status, chat.openai_code().as_str()),
        (503, "no_channel")
    );
}
