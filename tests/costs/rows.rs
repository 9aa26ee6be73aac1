//! The calls whose cost is told, and the most that each may write.

use serde_json::{Value, json};
use tests::House;
use tests::callers::{KeyCaller, chat};
use tests::upstream::Act;

/// The caller's name of the model: as long as such names are.
pub(super) const MODEL: &str = "claude-sonnet-4-5-20250929";

/// A kind of call.
pub(super) struct Row {
    pub(super) title: &'static str,
    pub(super) payer: Payer,
    pub(super) key: fn() -> Value,
    pub(super) call: Call,
    /// The status that is answered.
    pub(super) status: u16,
    /// How many calls come before the one that is measured.
    pub(super) before: usize,
    /// The most write units that it may take.
    pub(super) most: u64,
    /// The write units that are aimed at.
    pub(super) aim: Option<u64>,
}

/// Who pays.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Payer {
    Unlimited,
    Balance,
    SmallBalance,
}

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    Plain,
    Streamed,
    Embeddings,
    /// The first channel fails, the second answers.
    SecondChannel,
    /// Output for 7.50 USD.
    TooDear,
    UnknownModel,
    UnknownKey,
    MalformedKey,
}

/// The secret of a key that was never made.
const NOBODYS: &str = "NobodyHasThisSecretNobodyHasThisSecretNobod";

fn nothing() -> Value {
    json!({})
}

fn budget() -> Value {
    json!({ "budget": { "limit_usd": "5", "period": "day" } })
}

fn limits() -> Value {
    json!({ "limits": { "rpm": 1_000, "tpm": 10_000_000, "parallel": 50 } })
}

fn one_a_minute() -> Value {
    json!({ "limits": { "rpm": 1 } })
}

fn everything() -> Value {
    json!({
        "budget": { "limit_usd": "5", "period": "day" },
        "limits": { "rpm": 1_000, "tpm": 10_000_000, "parallel": 50 },
    })
}

const SERVED: Row = Row {
    title: "",
    payer: Payer::Balance,
    key: nothing,
    call: Call::Plain,
    status: 200,
    before: 1,
    most: 0,
    aim: None,
};

/// Every kind of call that is measured.
pub(super) const ROWS: &[Row] = &[
    Row {
        title: "unlimited user",
        payer: Payer::Unlimited,
        most: 1,
        aim: Some(1),
        ..SERVED
    },
    Row {
        title: "unlimited user, requests and tokens a minute",
        payer: Payer::Unlimited,
        key: limits,
        most: 3,
        ..SERVED
    },
    Row {
        title: "balance",
        most: 3,
        ..SERVED
    },
    Row {
        title: "balance, streamed",
        call: Call::Streamed,
        most: 3,
        ..SERVED
    },
    Row {
        title: "balance, embeddings",
        call: Call::Embeddings,
        most: 3,
        ..SERVED
    },
    Row {
        title: "balance, the second channel answers",
        call: Call::SecondChannel,
        most: 3,
        ..SERVED
    },
    Row {
        title: "balance, budget",
        key: budget,
        most: 5,
        ..SERVED
    },
    Row {
        title: FULLEST,
        key: everything,
        most: 5,
        aim: Some(5),
        ..SERVED
    },
    Row {
        title: "refused: balance too small (402)",
        payer: Payer::SmallBalance,
        call: Call::TooDear,
        status: 402,
        most: 1,
        ..SERVED
    },
    Row {
        title: "refused: budget too small (402)",
        key: budget,
        call: Call::TooDear,
        status: 402,
        most: 1,
        ..SERVED
    },
    Row {
        title: "refused: too many requests (429)",
        key: one_a_minute,
        status: 429,
        most: 1,
        ..SERVED
    },
    Row {
        title: "refused: no such model (404)",
        call: Call::UnknownModel,
        status: 404,
        most: 0,
        ..SERVED
    },
    Row {
        title: "refused: no such key (401)",
        call: Call::UnknownKey,
        status: 401,
        most: 0,
        ..SERVED
    },
    Row {
        title: "refused: malformed key (401)",
        call: Call::MalformedKey,
        status: 401,
        most: 0,
        ..SERVED
    },
];

/// The call on which everything is limited.
pub(super) const FULLEST: &str = "balance, budget, requests and tokens a minute, parallel calls";

impl Row {
    /// Somebody who makes such calls.
    pub(super) async fn caller(&self, house: &House, number: usize) -> KeyCaller {
        let root = house.root().await;
        let unlimited = self.payer == Payer::Unlimited;
        let name = format!("user-{number}");
        let body =
            json!({ "username": name, "password": "a long password", "unlimited": unlimited });
        let user = root.post("/api/users", &body).await.expect(201);
        let user = user["id"].as_str().unwrap();
        match self.payer {
            Payer::Unlimited => {}
            Payer::Balance => root.credit(user, "10").await,
            Payer::SmallBalance => root.credit(user, "1").await,
        }
        let mut caller = root.create_key(user, (self.key)()).await;
        match self.call {
            // Well-formed, and nobody's.
            Call::UnknownKey => {
                caller.key = shared::domain::key_text::KeyText::of_secret(NOBODYS)
                    .expose()
                    .to_owned();
            }
            Call::MalformedKey => caller.key.truncate(20),
            _ => {}
        }
        caller
    }

    /// One such call, to its end; its status.
    pub(super) async fn make(&self, house: &House, caller: &KeyCaller) -> u16 {
        let asked = chat(json!({ "model": MODEL, "max_tokens": 4_000 }));
        let (path, body) = match self.call {
            Call::Embeddings => {
                house.upstream.next(vectors());
                (
                    "/v1/embeddings",
                    json!({ "model": MODEL, "input": "Hello" }),
                )
            }
            Call::TooDear => (CHAT, with(asked, "max_tokens", json!(500_000))),
            Call::UnknownModel => (CHAT, with(asked, "model", json!("nothing-like-it"))),
            Call::Streamed => (CHAT, with(asked, "stream", json!(true))),
            Call::SecondChannel => {
                house
                    .upstream
                    .next(Act::json(503, &json!({ "error": { "message": "busy" } })));
                house.upstream.next(reply());
                (CHAT, asked)
            }
            _ => {
                if self.status == 200 {
                    house.upstream.next(reply());
                }
                (CHAT, asked)
            }
        };
        let answer = caller.post(path, &body).await;
        house.quiet().await;
        answer.status
    }
}

const CHAT: &str = "/v1/chat/completions";

fn with(mut body: Value, name: &str, value: Value) -> Value {
    body[name] = value;
    body
}

/// An answer whose usage has the members that fill a record.
fn reply() -> Act {
    Act::json(
        200,
        &json!({
            "id": "chatcmpl-fake", "object": "chat.completion", "created": 1, "model": MODEL,
            "choices": [{ "index": 0, "finish_reason": "stop",
                "message": { "role": "assistant", "content": "Hello" } }],
            "usage": { "prompt_tokens": 18_432, "completion_tokens": 1_024, "total_tokens": 19_456,
                "prompt_tokens_details": { "cached_tokens": 16_384 },
                "completion_tokens_details": { "reasoning_tokens": 512 } },
        }),
    )
}

fn vectors() -> Act {
    Act::json(
        200,
        &json!({
            "object": "list", "model": MODEL,
            "data": [{ "object": "embedding", "index": 0, "embedding": [0.25, -1.0] }],
            "usage": { "prompt_tokens": 2, "total_tokens": 2 },
        }),
    )
}
