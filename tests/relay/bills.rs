//! Bills that only the whole house can show: whatever callers and providers do, the provider's own
//! invoice is what the records say, to the token. Numbers are those of complaints about other gateways.

use serde_json::{Value, json};
use shared::domain::id::UserId;
use shared::domain::record::{Status, UsageRecord};
use tests::callers::KeyCaller;
use tests::upstream::{
    Act, Gate, Piece, chat_end, chat_reply, chat_stream, chat_text, messages_stream,
};
use tests::{CLAUDE, House, MODEL};

/// What a provider has written down for itself.
#[derive(Debug, Default, PartialEq, Eq)]
struct Invoice {
    calls: usize,
    input: u64,
    output: u64,
}

impl Invoice {
    fn add(&mut self, input: u64, output: u64) {
        self.calls += 1;
        self.input += input;
        self.output += output;
    }

    /// The same, of what the records say.
    fn of(records: &[Value]) -> Self {
        let mut invoice = Self::default();
        for record in records {
            let count = |name: &str| record["tokens"][name].as_u64().unwrap();
            let cached = ["cache_read", "cache_write_5m", "cache_write_1h"];
            let cached: u64 = cached.into_iter().map(count).sum();
            invoice.add(count("input") + cached, count("output"));
        }
        invoice
    }
}

/// Nothing is held any more, and what is spent is what the records cost.
async fn assert_settled(house: &House, caller: &KeyCaller) {
    let wallet = house.wallet(&caller.user_id).await;
    assert!(wallet.holds.is_empty(), "{:?}", wallet.holds);
    let cost = |record: &UsageRecord| record.cost.get();
    let id: UserId = caller.user_id.parse().unwrap();
    let records = all(house, id).await;
    assert_eq!(wallet.spent.get(), records.iter().map(cost).sum::<i64>());
}

/// All records of a user, as the books have them.
async fn all(house: &House, id: UserId) -> Vec<UsageRecord> {
    let ids = house.records().await.into_iter();
    let ids = ids.map(|record| record["id"].as_str().unwrap().parse().unwrap());
    let mut records = Vec::new();
    for request in ids {
        let record = house.store.usage_log().find(id, request).await.unwrap();
        records.extend(record);
    }
    records
}

/// A channel of this provider for `MODEL` alone.
async fn only(provider: &str) -> House {
    let house = House::builder().bare().build().await;
    let price = json!({ "model": MODEL, "input": "1", "output": "2" });
    let root = house.root().await;
    assert!(root.post("/api/prices", &price).await.status < 300);
    house.channel(house.upstream.channel(provider)).await;
    house
}

#[tokio::test]
async fn peers_18_20_24_the_invoice_is_the_records_whenever_callers_leave() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    let mut invoice = Invoice::default();
    // After none of the pieces, after one, and so on, and after all of them.
    for pieces in 0..7_u64 {
        let (input, output) = (100 + pieces, 10 + pieces);
        let gate = Gate::default();
        let mut said = vec![
            chat_text("Hi"),
            Piece::Gate(gate.clone()),
            chat_text("there"),
        ];
        said.extend(chat_end(input, output));
        house.upstream.next(Act::stream(said));
        invoice.add(input, output);
        let mut response = ada.open_chat(json!({ "stream": true })).await;
        for heard in 0..pieces {
            if heard == 1 {
                gate.open();
            }
            if response.chunk().await.unwrap().is_none() {
                break;
            }
        }
        drop(response);
        gate.open();
        house.quiet().await;
    }
    assert_eq!(Invoice::of(&house.records().await), invoice);
    assert_settled(&house, &ada).await;
}

#[tokio::test]
async fn peers_19_a_plain_answer_is_paid_for_though_nobody_waited_for_it() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    let gate = Gate::default();
    let Act::Say {
        status,
        headers,
        mut pieces,
    } = chat_reply("Hello", 321, 45)
    else {
        panic!("it is said")
    };
    pieces.insert(0, Piece::Gate(gate.clone()));
    house.upstream.next(Act::Say {
        status,
        headers,
        pieces,
    });
    let mut call = Box::pin(ada.chat(json!({})));
    while house.upstream.got().is_empty() {
        tokio::select! {
            answer = &mut call => panic!("{answer:?}"),
            () = tokio::task::yield_now() => {}
        }
    }
    drop(call);
    gate.open();
    house.quiet().await;
    let record = house.only_record().await;
    assert_eq!(record["tokens"]["input"], 321);
    assert_eq!(record["tokens"]["output"], 45);
    assert_eq!(record["estimated"], false);
    // 321 x 1 + 45 x 2 = 411 millionths
    assert_eq!(record["cost_usd"], "0.000411");
    assert_settled(&house, &ada).await;
}

#[tokio::test]
async fn peers_16_the_text_of_an_error_is_not_billed_as_output() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    let sorry = "nothing that anybody has asked for ".repeat(200);
    let error = json!({ "error": { "message": sorry, "type": "server_error", "code": 500 } });
    house.upstream.next(Act::stream(vec![
        chat_text("Four"),
        Piece::Text(format!("data: {error}\n\n")),
    ]));
    ada.chat(json!({ "stream": true })).await;
    let record = house.only_record().await;
    assert_eq!(record["status"], "cut");
    assert_eq!(record["estimated"], true);
    let output = record["tokens"]["output"].as_u64().unwrap();
    assert!((1..=4).contains(&output), "{output} tokens for one word");
    assert_settled(&house, &ada).await;
}

#[tokio::test]
async fn peers_16_what_a_provider_says_it_used_before_it_broke_is_the_bill() {
    let error = json!({ "error": { "message": "It broke.", "code": 502 }, "choices": [],
        "usage": { "prompt_tokens": 77, "completion_tokens": 3 } });
    let chunks = vec![chat_text("Four"), Piece::Text(format!("data: {error}\n\n"))];
    // In the provider's own dialect, and in another one.
    for (provider, path, stream) in [
        ("openai-compatible", "/v1/chat/completions", &chunks),
        ("openai-compatible", "/v1/messages", &chunks),
        ("openai", "/v1/responses", &failed_response()),
    ] {
        let house = only(provider).await;
        let ada = house.user_with("ada", "1").await;
        house.upstream.next(Act::stream(stream.clone()));
        let body = match path {
            "/v1/responses" => json!({ "model": MODEL, "stream": true, "input": "Hello" }),
            _ => json!({ "model": MODEL, "stream": true, "max_tokens": 9,
                "messages": [{ "role": "user", "content": "Hello" }] }),
        };
        ada.post(path, &body).await;
        let record = house.only_record().await;
        assert_eq!(record["status"], "cut", "{record}");
        assert_eq!(record["estimated"], false, "{record}");
        assert_eq!(record["tokens"]["input"], 77, "{record}");
        assert_eq!(record["tokens"]["output"], 3, "{record}");
        assert_settled(&house, &ada).await;
    }
}

/// A response that fails after its first words.
fn failed_response() -> Vec<Piece> {
    response_events(
        &json!({ "type": "response.failed", "response": { "id": "resp_1",
        "status": "failed", "error": { "code": "server_error", "message": "It broke." },
        "output": [], "usage": { "input_tokens": 77, "output_tokens": 3, "total_tokens": 80 } } }),
    )
}

/// The events of a response that says a word, and then ends so.
fn response_events(last: &Value) -> Vec<Piece> {
    let begun = json!({ "type": "response.created", "response": { "id": "resp_1",
        "object": "response", "status": "in_progress", "model": "m", "output": [] } });
    let added = json!({ "type": "response.output_item.added", "output_index": 0,
        "item": { "type": "message", "id": "msg_1", "role": "assistant", "content": [] } });
    let delta = json!({ "type": "response.output_text.delta", "output_index": 0,
        "item_id": "msg_1", "content_index": 0, "delta": "Four" });
    let event = |data: &Value| {
        let name = data["type"].as_str().unwrap();
        Piece::Text(format!("event: {name}\ndata: {data}\n\n"))
    };
    [&begun, &added, &delta, last].map(event).to_vec()
}

#[tokio::test]
async fn peers_17_nobody_pays_for_an_answer_that_never_began() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    let error = json!({ "error": { "message": "No.", "type": "server_error" } });
    let acts = [
        Act::json(500, &error),
        Act::json(200, &error),
        Act::stream(vec![Piece::Text(format!("data: {error}\n\n"))]),
        Act::stream(vec![]),
        Act::stream(vec![Piece::Cut]),
    ];
    let calls = acts.len();
    for act in acts {
        house.upstream.next(act);
        ada.chat(json!({ "stream": true })).await;
    }
    let records = house.records().await;
    assert_eq!(records.len(), calls);
    for record in records {
        assert_eq!(record["cost_usd"], "0", "{record}");
        assert_eq!(record["tokens"]["input"], 0, "{record}");
    }
    let wallet = house.wallet(&ada.user_id).await;
    assert_eq!(wallet.balance.to_string(), "1");
    assert_settled(&house, &ada).await;
}

#[tokio::test]
async fn peers_21_a_stream_without_usage_is_estimated_and_never_refunded() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    let words = "a word and another one ".repeat(40);
    // Said to be over, and not.
    for end in ["data: [DONE]\n\n", ": nothing\n\n"] {
        let said = vec![chat_text(&words), Piece::Text(end.to_owned())];
        house.upstream.next(Act::stream(said));
        ada.chat(json!({ "stream": true })).await;
    }
    for record in house.records().await {
        assert_eq!(record["estimated"], true, "{record}");
        let output = record["tokens"]["output"].as_u64().unwrap();
        assert!(
            (100..=600).contains(&output),
            "{output} tokens for 200 words"
        );
        assert!(record["tokens"]["input"].as_u64().unwrap() > 0, "{record}");
        assert_ne!(record["cost_usd"], "0");
    }
    assert_settled(&house, &ada).await;
}

#[tokio::test]
async fn a_stream_that_is_cut_after_its_usage_is_billed_by_it() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    let mut said = vec![chat_text("Hi")];
    said.extend(chat_end(10, 20));
    // Without its last event, and without its reason to finish: it was cut.
    said.pop();
    said.remove(1);
    house.upstream.next(Act::stream(said));
    ada.chat(json!({ "stream": true })).await;
    let record = house.only_record().await;
    assert_eq!(record["status"], "cut");
    assert_eq!(record["estimated"], false);
    assert_eq!(record["cost_usd"], "0.00005");
    assert_settled(&house, &ada).await;
}

#[tokio::test]
async fn usage_that_was_told_so_far_is_not_the_bill_of_a_stream_that_is_cut() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    let first = json!({ "choices": [{ "index": 0, "delta": { "content": "Hi" } }],
        "usage": { "prompt_tokens": 500, "completion_tokens": 1, "total_tokens": 501 } });
    let words = "a word and another one ".repeat(40);
    house.upstream.next(Act::stream(vec![
        Piece::Text(format!("data: {first}\n\n")),
        chat_text(&words),
    ]));
    ada.chat(json!({ "stream": true })).await;
    let record = house.only_record().await;
    assert_eq!(record["estimated"], true);
    assert_eq!(record["tokens"]["input"], 500);
    assert!(
        record["tokens"]["output"].as_u64().unwrap() > 100,
        "{record}"
    );
    assert_settled(&house, &ada).await;
}

#[tokio::test]
async fn a_cut_stream_that_counted_as_it_went_is_billed_as_it_counted() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    let words = "a word and another one ".repeat(40);
    let chunk = |text: &str, completion: u64| {
        let chunk = json!({ "choices": [{ "index": 0, "delta": { "content": text } }],
            "usage": { "prompt_tokens": 500, "completion_tokens": completion,
                "total_tokens": 500 + completion } });
        Piece::Text(format!("data: {chunk}\n\n"))
    };
    let said = vec![chunk("Hi", 1), chunk(&words, 41)];
    house.upstream.next(Act::stream(said));
    ada.chat(json!({ "stream": true })).await;
    let record = house.only_record().await;
    assert_eq!(
        (&record["status"], &record["estimated"]),
        (&json!("cut"), &json!(true))
    );
    let mut invoice = Invoice::default();
    invoice.add(500, 41);
    assert_eq!(Invoice::of(&[record]), invoice);
    assert_settled(&house, &ada).await;
}

#[tokio::test]
async fn an_incomplete_response_is_billed_in_full() {
    let house = only("openai").await;
    let ada = house.user_with("ada", "1").await;
    let last = json!({ "type": "response.incomplete", "response": { "id": "resp_1",
        "status": "incomplete", "incomplete_details": { "reason": "max_output_tokens" },
        "output": [], "usage": { "input_tokens": 900, "output_tokens": 64,
            "input_tokens_details": { "cached_tokens": 800 }, "total_tokens": 964 } } });
    house.upstream.next(Act::stream(response_events(&last)));
    let body = json!({ "model": MODEL, "input": "Hello", "stream": true });
    assert_eq!(ada.post("/v1/responses", &body).await.status, 200);
    let record = house.only_record().await;
    assert_eq!(record["status"], "ok");
    assert_eq!(record["tokens"]["cache_read"], 800);
    // 100 x 1 + 800 x 1 + 64 x 2 = 1028 millionths
    assert_eq!(record["cost_usd"], "0.001028");
    assert_settled(&house, &ada).await;
}

#[tokio::test]
async fn peers_25_a_response_is_in_the_books_once() {
    let house = only("openai").await;
    let ada = house.user_with("ada", "1").await;
    let response = json!({ "id": "resp_1", "object": "response", "status": "completed",
        "output": [{ "type": "message", "id": "msg_1", "role": "assistant",
            "content": [{ "type": "output_text", "text": "Four", "annotations": [] }] }],
        "usage": { "input_tokens": 30, "output_tokens": 4, "total_tokens": 34 } });
    let last = json!({ "type": "response.completed", "response": response });
    let mut events = response_events(&last);
    // A proxy that ends the stream as chats end, and says the last event again.
    events.extend(events.last().cloned());
    events.push(Piece::Text("data: [DONE]\n\n".to_owned()));
    house.upstream.next(Act::stream(events));
    house.upstream.next(Act::json(200, &response));
    for stream in [true, false] {
        let body = json!({ "model": MODEL, "input": "Hello", "stream": stream });
        assert_eq!(ada.post("/v1/responses", &body).await.status, 200);
    }
    let mut invoice = Invoice::default();
    invoice.add(30, 4);
    invoice.add(30, 4);
    assert_eq!(Invoice::of(&house.records().await), invoice);
    assert_settled(&house, &ada).await;
}

#[tokio::test]
async fn peers_26_looking_at_an_answer_again_costs_nothing() {
    let house = only("openai").await;
    let ada = house.user_with("ada", "1").await;
    for _ in 0..3 {
        let again = ada.get("/v1/responses/resp_1").await;
        assert!((400..500).contains(&again.status), "{again:?}");
    }
    assert!(house.records().await.is_empty());
    assert!(house.upstream.got().is_empty());
    assert_settled(&house, &ada).await;
}

#[tokio::test]
async fn only_the_attempt_that_answered_is_on_the_bill() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    let mut second = house.upstream.channel("openai-compatible");
    second["priority"] = json!(-1);
    second["models"] = json!([MODEL]);
    house.channel(second).await;
    let error = json!({ "error": { "message": "Later." },
        "usage": { "prompt_tokens": 999, "completion_tokens": 999 } });
    house.upstream.next(Act::json(503, &error));
    house.upstream.next(chat_stream(&["Hi"], 12, 3));
    assert_eq!(ada.chat(json!({ "stream": true })).await.status, 200);
    let record = house.only_record().await;
    assert_eq!(record["attempts"].as_array().unwrap().len(), 2);
    assert_eq!(record["tokens"]["input"], 12);
    assert_eq!(record["cost_usd"], "0.000018");
    assert_settled(&house, &ada).await;
}

#[tokio::test]
async fn peers_14_a_stream_of_claude_is_billed_with_its_cache_in_every_dialect() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    let mut invoice = Invoice::default();
    for path in ["/v1/messages", "/v1/chat/completions", "/v1/responses"] {
        let Act::Say {
            status,
            headers,
            pieces,
        } = messages_stream("Hello", 3, 310)
        else {
            panic!("it is said")
        };
        let cached = r#""cache_creation_input_tokens":210,"cache_read_input_tokens":18000,"#;
        let pieces = pieces.into_iter().map(|piece| match piece {
            Piece::Text(text) => Piece::Text(text.replace(
                r#""input_tokens":3"#,
                &format!(r#"{cached}"input_tokens":3"#),
            )),
            other => other,
        });
        house.upstream.next(Act::Say {
            status,
            headers,
            pieces: pieces.collect(),
        });
        invoice.add(18_213, 310);
        let body = match path {
            "/v1/responses" => json!({ "model": CLAUDE, "input": "Hello", "stream": true }),
            _ => json!({ "model": CLAUDE, "max_tokens": 400, "stream": true,
                "messages": [{ "role": "user", "content": "Hello" }] }),
        };
        assert_eq!(ada.post(path, &body).await.status, 200, "{path}");
    }
    let records = house.records().await;
    assert_eq!(Invoice::of(&records), invoice);
    for record in &records {
        assert_eq!(record["tokens"]["cache_read"], 18_000, "{record}");
        assert_eq!(record["tokens"]["cache_write_5m"], 210, "{record}");
        assert_eq!(record["estimated"], false, "{record}");
    }
    assert_settled(&house, &ada).await;
}

#[tokio::test]
async fn what_fireworks_says_in_a_header_is_on_the_bill() {
    let house = only("fireworks").await;
    let ada = house.user_with("ada", "1").await;
    let reply = chat_reply("Hi", 1_000, 5).header("fireworks-cached-prompt-tokens", "960");
    house.upstream.next(reply);
    assert_eq!(ada.chat(json!({})).await.status, 200);
    let tokens = house.only_record().await["tokens"].clone();
    assert_eq!(
        (&tokens["input"], &tokens["cache_read"]),
        (&json!(40), &json!(960))
    );
    assert_settled(&house, &ada).await;
}

#[tokio::test]
async fn usage_that_cannot_be_is_estimated_and_ruins_nobody() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    let counts = ["18446744073709551615", "-5", "1e300", "\"NaN\"", "[7]", "0"];
    for count in counts {
        let usage = format!(r#"{{"prompt_tokens":{count},"completion_tokens":{count}}}"#);
        let plain = format!(
            r#"{{"choices":[{{"index":0,"message":{{"role":"assistant","content":"Hello"}},"finish_reason":"stop"}}],"usage":{usage}}}"#
        );
        house
            .upstream
            .next(Act::text(200, "application/json", plain));
        assert_eq!(ada.chat(json!({})).await.status, 200);
        let last = format!(r#"data: {{"choices":[],"usage":{usage}}}"#);
        house.upstream.next(Act::stream(vec![
            chat_text("Hello"),
            Piece::Text(format!("{last}\n\ndata: [DONE]\n\n")),
        ]));
        assert_eq!(ada.chat(json!({ "stream": true })).await.status, 200);
    }
    let records = house.records().await;
    assert_eq!(records.len(), counts.len() * 2);
    for record in &records {
        assert_eq!(record["estimated"], true, "{record}");
        let input = record["tokens"]["input"].as_u64().unwrap();
        assert!((1..100).contains(&input), "{record}");
    }
    assert_settled(&house, &ada).await;
}

#[tokio::test]
async fn what_providers_do_by_the_piece_is_in_the_books() {
    let house = only("openai").await;
    let ada = house.user_with("ada", "1").await;
    let search = |id: &str| {
        json!({ "type": "web_search_call", "id": id, "status": "completed",
            "action": { "type": "search", "query": "q" } })
    };
    let response = json!({ "id": "resp_1", "object": "response", "status": "completed",
        "service_tier": "priority", "output": [search("ws_1"), search("ws_2"),
            { "type": "file_search_call", "id": "fs_1", "status": "completed", "queries": ["q"] },
            { "type": "code_interpreter_call", "id": "ci_1", "container_id": "c", "code": "1" }],
        "usage": { "input_tokens": 30, "output_tokens": 4, "total_tokens": 34 } });
    house.upstream.next(Act::json(200, &response));
    let body = json!({ "model": MODEL, "input": "Hello" });
    assert_eq!(ada.post("/v1/responses", &body).await.status, 200);
    // A search is paid for, though the answer is cut after it.
    let done = json!({ "type": "response.output_item.done", "output_index": 0,
        "item": search("ws_1") });
    let done = Piece::Text(format!(
        "event: response.output_item.done\ndata: {done}\n\n"
    ));
    house.upstream.next(Act::stream(vec![done]));
    let body = json!({ "model": MODEL, "input": "Hello", "stream": true });
    ada.post("/v1/responses", &body).await;
    let mut records = all(&house, ada.user_id.parse().unwrap()).await;
    // The clock stands still, so that ids do not tell which came first.
    records.sort_by_key(|record| record.stream);
    let [whole, cut] = records.as_slice() else {
        panic!("{records:?}")
    };
    let pieces = |record: &UsageRecord| {
        let used = record.tokens;
        (used.web_searches, used.file_searches, used.code_runs)
    };
    assert_eq!(pieces(whole), (2, 1, 1));
    assert_eq!(
        whole.tokens.service,
        shared::domain::usage::Service::Priority
    );
    assert_eq!((cut.status, pieces(cut)), (Status::Cut, (1, 0, 0)));
    assert!(cut.estimated && cut.tokens.input > 0, "{cut:?}");
    assert_settled(&house, &ada).await;
}
