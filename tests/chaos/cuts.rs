//! Streams that are cut at every byte by the provider, and left at every byte by the caller.

use std::collections::BTreeMap;

use futures_util::StreamExt;
use futures_util::stream;
use serde_json::json;
use shared::domain::hold::WalletId;
use tests::callers::KeyCaller;
use tests::upstream::{Act, Piece};
use tests::{CLAUDE, House, MODEL};

use super::books::Books;
use super::invoice::{Answer, Does, End, Invoice};
use super::storm::leave_after;

/// How many calls are in flight at once.
const AT_ONCE: usize = 24;

async fn cut_at_every_byte(path: &str, model: &str, length: usize) {
    let house = House::new().await;
    let (books, invoice) = (Books::of(&house), Invoice::of(&house));
    let ada = house.user_with("ada", "100").await;
    let calls = stream::iter(0..=length).map(|bytes| {
        let answer = Answer {
            end: End::After {
                bytes,
                broken: bytes % 2 == 0,
            },
            ..Answer::of(10 + bytes as u64, 5)
        };
        invoice.plan(bytes, vec![Does::Answer(answer)]);
        let body = body(model, bytes);
        let (ada, path) = (&ada, path);
        async move { ada.post(path, &body).await.status }
    });
    let statuses: Vec<u16> = calls.buffer_unordered(AT_ONCE).collect().await;
    // Where nothing of an answer came, there is none.
    assert!(
        statuses.iter().all(|status| [200, 502].contains(status)),
        "{statuses:?}"
    );
    assert!(statuses.contains(&200) && statuses.contains(&502));
    house.quiet().await;
    let records = books.records().await;
    assert_eq!(records.len(), length + 1);
    assert!(invoice.len() > 1);
    invoice.equals(&records);
    let user = WalletId::User(ada.user_id.parse().unwrap());
    books.add_up(&[user], &BTreeMap::new()).await;
    books.are_true(&[user], &BTreeMap::new()).await;
}

/// How long the fake provider's stream is.
fn length_of(act: &Act) -> usize {
    let Act::Say { pieces, .. } = act else {
        return 0;
    };
    let texts = pieces.iter().map(|piece| match piece {
        Piece::Text(text) => text.len(),
        _ => 0,
    });
    texts.sum()
}

fn body(model: &str, call: usize) -> serde_json::Value {
    json!({
        "model": model, "stream": true, "max_tokens": 50,
        "messages": [{ "role": "user", "content": Invoice::message(call, 600) }],
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_openai_stream_is_cut_at_every_byte() {
    let act = tests::upstream::chat_stream(&["Hello", " there"], 100, 5);
    cut_at_every_byte("/v1/chat/completions", MODEL, length_of(&act)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_anthropic_stream_is_cut_at_every_byte() {
    let act = tests::upstream::messages_stream("Hello there", 100, 5);
    cut_at_every_byte("/v1/messages", CLAUDE, length_of(&act)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_converted_stream_is_cut_at_every_byte() {
    let act = tests::upstream::messages_stream("Hello there", 100, 5);
    cut_at_every_byte("/v1/chat/completions", CLAUDE, length_of(&act)).await;
}

async fn left_at_every_byte(path: &str, model: &str) {
    let house = House::new().await;
    let (books, invoice) = (Books::of(&house), Invoice::of(&house));
    let ada = house.user_with("ada", "100").await;
    let answer = |call: usize| Answer {
        step: 150,
        ..Answer::of(10 + call as u64, 5)
    };
    // The whole of it first, to learn how long it is: head and chunks included.
    invoice.plan(0, vec![Does::Answer(answer(0))]);
    let whole = leave_after(&house, (&ada, path), &body(model, 0), usize::MAX).await;
    let calls = stream::iter(1..whole).map(|call| {
        invoice.plan(call, vec![Does::Answer(answer(call))]);
        let (house, ada, body) = (&house, &ada, body(model, call));
        async move { leave_after(house, (ada, path), &body, call).await }
    });
    let read: Vec<usize> = calls.buffer_unordered(AT_ONCE).collect().await;
    assert!(read.iter().all(|bytes| *bytes > 0));
    house.quiet().await;
    let records = books.records().await;
    assert_eq!((records.len(), invoice.len()), (whole, whole));
    invoice.equals(&records);
    let user = WalletId::User(ada.user_id.parse().unwrap());
    books.add_up(&[user], &BTreeMap::new()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_leave_an_openai_stream_at_every_byte() {
    left_at_every_byte("/v1/chat/completions", MODEL).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_leave_an_anthropic_stream_at_every_byte() {
    left_at_every_byte("/v1/messages", CLAUDE).await;
}

/// Whoever is seen here leaves before anything was said, too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_leave_as_soon_as_the_provider_is_asked() {
    let house = House::new().await;
    let (books, invoice) = (Books::of(&house), Invoice::of(&house));
    let ada: KeyCaller = house.user_with("ada", "100").await;
    for call in 0..100 {
        let answer = Answer::of(10 + call as u64, 5);
        invoice.plan(call, vec![Does::Answer(answer)]);
        let body = body(MODEL, call);
        tokio::select! {
            biased;
            () = invoice.asked(call) => {}
            _ = ada.post("/v1/chat/completions", &body) => {}
        }
    }
    house.quiet().await;
    let records = books.records().await;
    assert_eq!((records.len(), invoice.len()), (100, 100));
    invoice.equals(&records);
    let user = WalletId::User(ada.user_id.parse().unwrap());
    books.add_up(&[user], &BTreeMap::new()).await;
}
