//! The process is killed at every step of a call; then the reconciler runs, and nothing is lost and
//! nothing is charged twice.
//!
//! The real binary talks to the database through a proxy of ours that counts its operations and
//! kills it right before or right after one of them; and to a provider that kills it in the middle of
//! an answer.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]
#![expect(clippy::indexing_slicing, reason = "what is not there fails the test")]

mod stage;

use serde_json::{Value, json};
use tests::PASSWORD;
use tests::callers::{Anonymous, KeyCaller};
use tests::upstream::{Act, Gate, Piece, chat_end, chat_stream, chat_text};

use stage::{Death, Stage};

fn streamed(caller: &KeyCaller, nobody: &Anonymous) -> impl Future<Output = ()> {
    let caller = nobody.with_key(&caller.key);
    async move {
        let request = caller.request("POST", "/v1/chat/completions");
        let body = tests::callers::chat(json!({ "stream": true, "max_tokens": 50 }));
        // It may die at any moment.
        if let Ok(mut response) = request.json(&body).send().await {
            while let Ok(Some(_)) = response.chunk().await {}
        }
    }
}

/// Kills the process on either side of every operation of a call, each time of another life; gives
/// what each of them was charged.
async fn die_at_every_operation(
    stage: &Stage,
    caller: &KeyCaller,
    act: impl Fn() -> Act,
) -> Vec<i64> {
    // Two whole lives, to learn which operations a call has that is not the first one.
    let mut operations = Vec::new();
    for _ in 0..2 {
        let (child, nobody) = stage.start().await;
        stage.upstream.next(act());
        stage.proxy.plan(None, child);
        streamed(caller, &nobody).await;
        operations = stage.proxy.finish().await;
        stage.books_are_true(caller, "after a whole call").await;
    }
    let mut charged = Vec::new();
    for (n, operation) in operations.iter().enumerate() {
        for death in [Death::Before(n + 1), Death::After(n + 1)] {
            let before = stage.recorded(caller).await;
            let asked = stage.upstream.got().len();
            let (child, nobody) = stage.start().await;
            stage.upstream.next(act());
            stage.proxy.plan(Some(death), child);
            streamed(caller, &nobody).await;
            // The first call of a minute has some operations less.
            let made = stage.proxy.finish().await.len();
            assert!(
                made > n || operations.len() - made <= 3,
                "{made} of {operations:?}"
            );
            if stage.upstream.got().len() == asked {
                stage.upstream.forget();
            }
            let when = format!("{death:?}, {operation} of {operations:?}");
            stage.books_are_true(caller, &when).await;
            charged.push(stage.recorded(caller).await - before);
        }
    }
    charged
}

/// A call costs all or nothing.
fn cost_all_or_nothing(charged: &[i64], cost: i64) {
    assert!(
        charged.iter().all(|is| [0, cost].contains(is)),
        "{charged:?}"
    );
    assert!(
        charged.contains(&0) && charged.contains(&cost),
        "{charged:?}"
    );
}

fn usual() -> Act {
    chat_stream(&["Hello", " there"], 10, 20)
}

/// A key with everything that can be limited, in a group with everything.
async fn furnish_fully(stage: &Stage, policy: &str) -> KeyCaller {
    let limits = json!({ "rpm": 10_000, "tpm": 100_000_000, "parallel": 10 });
    let limited = json!({ "budget": { "limit_usd": "50", "period": "total" }, "limits": limits });
    let settings = json!({ "unsettled_policy": policy });
    stage
        .furnish_with("100", limited.clone(), [settings, limited])
        .await
}

#[tokio::test]
async fn killed_at_every_write_and_read_of_a_call() {
    let stage = Stage::set("killed-at-writes").await;
    let caller = stage.furnish().await;
    let charged = die_at_every_operation(&stage, &caller, usual).await;
    assert!((14..40).contains(&charged.len()), "{charged:?}");
    cost_all_or_nothing(&charged, 50_000);
    // Once its record is written, it costs.
    assert!(charged.is_sorted(), "{charged:?}");
}

#[tokio::test]
async fn killed_at_every_write_and_read_of_the_fullest_call() {
    let stage = Stage::set("killed-at-full").await;
    let caller = furnish_fully(&stage, "release").await;
    let charged = die_at_every_operation(&stage, &caller, usual).await;
    assert!(charged.len() > 20, "{charged:?}");
    cost_all_or_nothing(&charged, 50_000);
}

#[tokio::test]
async fn killed_at_every_write_and_read_of_a_call_that_costs_more_than_it_held() {
    let stage = Stage::set("killed-at-more").await;
    let caller = furnish_fully(&stage, "release").await;
    let more = || chat_stream(&["Hello", " there"], 60_000, 20);
    let charged = die_at_every_operation(&stage, &caller, more).await;
    cost_all_or_nothing(&charged, 60_040_000);
}

/// The reconciler takes each for lost while it still speaks; then it ends, and dies in its books.
async fn die_late_at_every_operation(stage: &Stage, caller: &KeyCaller) -> Vec<i64> {
    let mut operations = vec![String::new()];
    let (mut charged, mut n) = (Vec::new(), 0);
    // The first life is whole, to learn which operations there are.
    while n < operations.len() {
        let deaths = match n {
            0 => vec![None],
            n => vec![Some(Death::Before(n)), Some(Death::After(n))],
        };
        for death in deaths {
            let before = stage.recorded(caller).await;
            let (child, nobody) = stage.start().await;
            let gate = Gate::default();
            let mut pieces = vec![chat_text("Hi"), Piece::Gate(gate.clone())];
            pieces.extend(chat_end(10, 20));
            stage.upstream.next(Act::stream(pieces));
            let caller_now = nobody.with_key(&caller.key);
            let body = json!({ "stream": true, "max_tokens": 50 });
            let mut response = caller_now.open_chat(body).await;
            assert!(response.chunk().await.unwrap().is_some());
            stage.reconcile().await;
            stage.proxy.plan(death, child);
            gate.open_for_all();
            while let Ok(Some(_)) = response.chunk().await {}
            let made = stage.proxy.finish().await;
            if death.is_none() {
                operations.extend(made);
            }
            let when = format!("late, {death:?}, {} of {operations:?}", operations[n]);
            stage.books_are_true(caller, &when).await;
            charged.push(stage.recorded(caller).await - before);
        }
        n += 1;
    }
    charged
}

#[tokio::test]
async fn killed_at_every_write_and_read_of_a_late_settlement() {
    let stage = Stage::set("killed-late").await;
    let caller = furnish_fully(&stage, "release").await;
    let charged = die_late_at_every_operation(&stage, &caller).await;
    assert!(charged.len() > 20 && charged[0] == 50_000, "{charged:?}");
    cost_all_or_nothing(&charged[1..], 50_000);
    assert!(charged[1..].is_sorted(), "{charged:?}");
}

#[tokio::test]
async fn killed_at_every_write_and_read_of_a_late_settlement_that_gives_back() {
    let stage = Stage::set("killed-late-charged").await;
    let caller = furnish_fully(&stage, "charge").await;
    let charged = die_late_at_every_operation(&stage, &caller).await;
    // It is charged what it held, until its own record says what it cost.
    let held = charged[1];
    assert!(held > 50_000 && charged[0] == 50_000, "{charged:?}");
    assert!(
        charged[1..].iter().all(|is| [50_000, held].contains(is)),
        "{charged:?}"
    );
    assert!(charged[1..].is_sorted_by(|a, b| a >= b), "{charged:?}");
    assert_eq!(charged.last(), Some(&50_000));
}

#[tokio::test]
async fn killed_in_the_middle_of_an_answer() {
    let stage = Stage::set("killed-in-answers").await;
    let caller = stage.furnish().await;
    for (when, pieces) in [
        ("before the first event", vec![]),
        ("after the first event", vec![chat_text("Hi")]),
    ] {
        let (mut child, nobody) = stage.start().await;
        let gate = Gate::default();
        let mut pieces = pieces;
        let said = !pieces.is_empty();
        pieces.push(Piece::Gate(gate.clone()));
        pieces.extend(chat_end(10, 20));
        stage.upstream.next(Act::stream(pieces));
        let asked = stage.upstream.got().len();
        let caller_now = nobody.with_key(&caller.key);
        let mut call = Box::pin(caller_now.open_chat(json!({ "stream": true })));
        if said {
            let mut response = call.await;
            assert!(response.chunk().await.unwrap().is_some());
        } else {
            while stage.upstream.got().len() == asked {
                tokio::select! {
                    _ = &mut call => unreachable!("nobody answers yet"),
                    () = tokio::task::yield_now() => {}
                }
            }
            drop(call);
        }
        child.kill().await.unwrap();
        gate.open_for_all();
        assert_eq!(stage.wallets(&caller).await[0].1.holds.len(), 1, "{when}");
        stage.books_are_true(&caller, when).await;
        assert_eq!(stage.recorded(&caller).await, 0, "{when}");
        stage.database.delete_expired();
    }
}

/// What the reconciler wrote of lost calls can be read by the API.
#[tokio::test]
async fn a_lost_call_is_told_by_the_api() {
    let stage = Stage::set("lost-calls").await;
    let caller = stage.furnish().await;
    let (child, nobody) = stage.start().await;
    // Key, user and configuration are read, two holders noted and two holds written before the end.
    stage.proxy.plan(Some(Death::After(8)), child);
    streamed(&caller, &nobody).await;
    stage.proxy.finish().await;
    stage.reconcile().await;
    let (_child, nobody) = stage.start().await;
    let root = nobody.sign_in("root", PASSWORD).await;
    let records: Value = root.get("/api/usage").await.expect(200);
    for record in records["data"].as_array().unwrap() {
        assert!(
            ["ok", "unsettled"].contains(&record["status"].as_str().unwrap()),
            "{record}"
        );
    }
}
