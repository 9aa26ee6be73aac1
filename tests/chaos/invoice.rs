//! A provider that writes an invoice of its own: each answer that told its usage, to the token, and by
//! it whether our records say the same.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use serde_json::{Value, json};
use shared::domain::record::{Status, UsageRecord};
use tests::House;
use tests::upstream::{
    Act, Gate, Got, Piece, chat_end, chat_reply, chat_text, messages_reply, messages_stream,
};
use tokio::sync::Notify;

/// What it does with one request.
#[derive(Debug, Clone)]
pub(super) enum Does {
    /// Refuses, with that status.
    Refuse(u16),
    /// Says 200, and then an error.
    ErrInside,
    Answer(Answer),
}

/// An answer. No two of them have the same usage, so that it tells which is which.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) input: u64,
    pub(super) output: u64,
    /// Whether the usage is told; left out in OpenAI's dialect only.
    pub(super) told: bool,
    pub(super) end: End,
    /// What the answer waits for in the middle.
    pub(super) gate: Option<Gate>,
    /// How many bytes go out at once.
    pub(super) step: usize,
}

/// How an answer ends.
#[derive(Debug, Clone, Copy)]
pub(super) enum End {
    Proper,
    /// After so many bytes: the connection breaks, or it closes as if all was said.
    After {
        bytes: usize,
        broken: bool,
    },
}

impl Answer {
    /// A whole answer with that usage.
    pub(super) fn of(input: u64, output: u64) -> Self {
        Self {
            input,
            output,
            told: true,
            end: End::Proper,
            gate: None,
            step: usize::MAX,
        }
    }
}

/// What was told of the usage of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Telling {
    Whole,
    /// All but the end of the line that ends the event: it may be taken for told, or not.
    Nearly,
}

/// The provider's memory.
#[derive(Debug, Default)]
struct Memory {
    plans: HashMap<usize, Vec<Does>>,
    asked: HashMap<usize, usize>,
    invoice: BTreeMap<(u64, u64), (usize, Telling)>,
}

/// The provider's side of the books.
#[derive(Debug, Clone, Default)]
pub(super) struct Invoice {
    memory: Arc<Mutex<Memory>>,
    asks: Arc<Notify>,
}

impl Invoice {
    /// The provider of a house decides by these plans from now on.
    pub(super) fn of(house: &House) -> Self {
        let invoice = Self::default();
        let provider = invoice.clone();
        house.upstream.decide(move |got| provider.answer(got));
        invoice
    }

    /// What is done with the requests of one call, one after the other; the last again and again.
    pub(super) fn plan(&self, call: usize, does: Vec<Does>) {
        self.memory.lock().unwrap().plans.insert(call, does);
    }

    /// Waits until the call has been asked for.
    pub(super) async fn asked(&self, call: usize) {
        loop {
            let asks = self.asks.notified();
            if self.memory.lock().unwrap().asked.contains_key(&call) {
                return;
            }
            asks.await;
        }
    }

    /// The message of a call: by it the provider knows which one it is.
    pub(super) fn message(call: usize, length: usize) -> String {
        format!("call-{call:06} {}", "x".repeat(length))
    }

    /// How many answers told their usage.
    pub(super) fn len(&self) -> usize {
        self.memory.lock().unwrap().invoice.len()
    }

    /// Every usage that was told is in one record, and no record tells of one that was not.
    #[track_caller]
    pub(super) fn equals(&self, records: &[UsageRecord]) {
        let memory = self.memory.lock().unwrap();
        let mut seen: BTreeMap<(u64, u64), usize> = BTreeMap::new();
        for record in records.iter().filter(|record| !record.estimated) {
            if matches!(record.status, Status::Ok | Status::Cut) {
                let tokens = (record.tokens.input, record.tokens.output);
                *seen.entry(tokens).or_default() += 1;
                assert!(memory.invoice.contains_key(&tokens), "made up: {record:#?}");
            }
        }
        for (tokens, (call, telling)) in &memory.invoice {
            let times = seen.get(tokens).copied().unwrap_or(0);
            let right = times == 1 || (times == 0 && *telling == Telling::Nearly);
            assert!(right, "call {call}: {tokens:?} is in {times} records");
        }
    }

    fn answer(&self, got: &Got) -> Act {
        let call = call_of(got);
        let does = {
            let mut memory = self.memory.lock().unwrap();
            let before = memory.asked.entry(call).or_default();
            let turn = *before;
            *before += 1;
            let plan = &memory.plans[&call];
            plan[turn.min(plan.len() - 1)].clone()
        };
        self.asks.notify_waiters();
        let anthropic = got.path.ends_with("/messages");
        let streamed = got.json()["stream"] == true;
        match does {
            Does::Refuse(status) => Act::json(status, &refusal(status, anthropic)),
            Does::ErrInside if streamed => {
                let error = refusal(500, anthropic);
                Act::stream(vec![Piece::Text(format!(
                    "event: error\ndata: {error}\n\n"
                ))])
            }
            Does::ErrInside => Act::json(200, &refusal(500, anthropic)),
            Does::Answer(answer) => self.say(call, &answer, (anthropic, streamed)),
        }
    }

    fn say(&self, call: usize, answer: &Answer, (anthropic, streamed): (bool, bool)) -> Act {
        let Act::Say {
            status,
            headers,
            pieces,
        } = whole(answer, anthropic, streamed)
        else {
            unreachable!("an answer is said")
        };
        let mut text = String::new();
        for piece in pieces {
            if let Piece::Text(more) = piece {
                text.push_str(&more);
            }
        }
        let told_at = told_at(&text, anthropic, streamed);
        let (said, broken) = match answer.end {
            End::Proper => (text.len(), None),
            End::After { bytes, broken } => (bytes.min(text.len()), Some(broken)),
        };
        let telling = match answer.told {
            // A plain answer is none before it has come to its end.
            true if !streamed && broken == Some(true) => None,
            true if said >= told_at => Some(Telling::Whole),
            true if streamed && said + 2 >= told_at => Some(Telling::Nearly),
            _ => None,
        };
        if let Some(telling) = telling {
            let line = (answer.input, answer.output);
            let mut memory = self.memory.lock().unwrap();
            let before = memory.invoice.insert(line, (call, telling));
            assert!(
                before.is_none(),
                "two answers with the same usage: {line:?}"
            );
        }
        let mut pieces = Vec::new();
        let said = text.as_bytes()[..said].to_vec();
        for (number, chunk) in said.chunks(answer.step.min(said.len()).max(1)).enumerate() {
            if let (1, Some(gate)) = (number, &answer.gate) {
                pieces.push(Piece::Gate(gate.clone()));
            }
            pieces.extend([Piece::Bytes(Bytes::copy_from_slice(chunk)), Piece::Sent]);
        }
        if broken == Some(true) {
            pieces.push(Piece::Cut);
        }
        Act::Say {
            status,
            headers,
            pieces,
        }
    }
}

/// The whole of an answer.
fn whole(answer: &Answer, anthropic: bool, streamed: bool) -> Act {
    let (input, output) = (answer.input, answer.output);
    match (anthropic, streamed) {
        (true, true) => messages_stream("Hello there", input, output),
        (true, false) => messages_reply("Hello there", input, output),
        (false, true) => {
            let mut pieces = vec![chat_text("Hello"), chat_text(" there")];
            let end = chat_end(input, output).into_iter().enumerate();
            // The usage is the second of the last three events.
            pieces.extend(end.filter(|(n, _)| answer.told || *n != 1).map(|(_, p)| p));
            Act::stream(pieces)
        }
        (false, false) if answer.told => chat_reply("Hello there", input, output),
        (false, false) => {
            let message = json!({ "role": "assistant", "content": "Hello there" });
            let choice = json!({ "index": 0, "message": message, "finish_reason": "stop" });
            let reply = json!({
                "id": "chatcmpl-fake", "object": "chat.completion", "created": 1,
                "model": "upstream-name", "choices": [choice],
            });
            Act::json(200, &reply)
        }
    }
}

/// How many bytes an answer has when its usage is told for good.
fn told_at(text: &str, anthropic: bool, streamed: bool) -> usize {
    if !streamed {
        return text.len();
    }
    let word = if anthropic {
        "event: message_delta"
    } else {
        "prompt_tokens"
    };
    let Some((before, rest)) = text.split_once(word) else {
        return text.len();
    };
    let (event, _) = rest.split_once("\n\n").unwrap();
    before.len() + word.len() + event.len() + 2
}

fn refusal(status: u16, anthropic: bool) -> Value {
    let kind = match (status, anthropic) {
        (429, _) => "rate_limit_error",
        (401, _) => "authentication_error",
        (400, _) => "invalid_request_error",
        (_, true) => "api_error",
        (_, false) => "server_error",
    };
    let error = json!({ "type": kind, "message": "no", "code": kind });
    json!({ "type": "error", "error": error })
}

fn call_of(got: &Got) -> usize {
    let body = String::from_utf8_lossy(&got.body);
    let (_, rest) = body.split_once("call-").expect("a call of ours");
    let (number, _) = rest.split_once(' ').expect("a number and more");
    number.parse().unwrap()
}
