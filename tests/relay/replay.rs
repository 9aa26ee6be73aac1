//! What providers were recorded to say, said again to every caller: each hears in its own dialect what
//! an independent reader of the recording hears, and the books say what it used.

use std::collections::BTreeMap;

use serde_json::json;
use shared::domain::dialect::Dialect;
use shared::domain::provider;
use shared::domain::record::{Status, UsageRecord};
use tests::House;
use tests::answer::Answer;
use tests::callers::KeyCaller;
use tests::replay::{self, Manner};
use tests::upstream::Gate;
use witness::trace::{self, Trace};
use witness::{Heard, Trouble};

const CALLERS: [Dialect; 4] = [
    Dialect::OpenaiChat,
    Dialect::OpenaiResponses,
    Dialect::Anthropic,
    Dialect::Gemini,
];

/// A house with a channel for every kind of provider that was recorded, and a caller with money.
struct Stage {
    house: House,
    ada: KeyCaller,
    traces: Vec<Trace>,
}

impl Stage {
    async fn new() -> Self {
        let mut traces = trace::answers(&trace::own("."));
        traces.extend(
            trace::recorded("..")
                .into_iter()
                .flat_map(|folder| trace::answers(&folder)),
        );
        let house = House::builder().bare().build().await;
        let root = house.root().await;
        let made: BTreeMap<String, (String, Dialect)> = traces
            .iter()
            .map(|trace| (model(trace), (card(trace).to_owned(), trace.dialect)))
            .collect();
        for (model, (card, dialect)) in made {
            let price = json!({ "model": model, "input": "1", "output": "2" });
            assert!(root.post("/api/prices", &price).await.status < 300);
            let mut channel = house.upstream.channel(&card);
            channel["name"] = json!(model);
            channel["models"] = json!([model]);
            // Whatever else the provider speaks, this is what it was recorded to say.
            channel["dialects"] = json!([dialect.name()]);
            // A model that speaks the dialect, where a provider has several.
            let tongue = provider::find(&card).unwrap().speaks.iter();
            let mut tongue = tongue.filter(|tongue| tongue.dialect == dialect);
            let patterns = tongue.next().map_or(&[][..], |tongue| tongue.models);
            if let Some(pattern) = patterns.first() {
                channel["model_mapping"] = json!({ model: pattern.replace('*', "x") });
            }
            house.channel(channel).await;
        }
        let ada = house.user_with("ada", "1000").await;
        Self { house, ada, traces }
    }

    /// Says a trace to a caller.
    async fn say(&self, trace: &Trace, from: Dialect, manner: &Manner) -> Answer {
        self.house.upstream.next(replay::act(trace, manner));
        ask(&self.ada, from, &model(trace), trace.stream).await
    }

    /// What the books say of a call.
    async fn record(&self, answer: &Answer) -> UsageRecord {
        self.house.quiet().await;
        let user = self.ada.user_id.parse().unwrap();
        let id = answer.header("x-request-id").unwrap().parse().unwrap();
        let found = self.house.store.usage_log().find(user, id).await;
        found.unwrap().unwrap()
    }
}

/// The card for a recorded provider: its own, if that speaks the dialect at a plain address.
fn card(trace: &Trace) -> &str {
    let speaks = |name: &&str| {
        let card = provider::find(name);
        card.is_some_and(|card| card.dialects().contains(&trace.dialect))
    };
    // Azure's and Vertex's addresses and signatures are stories of their own.
    let plain = Some(trace.provider.as_str()).filter(|name| !["azure", "vertex"].contains(name));
    plain.filter(speaks).unwrap_or(match trace.dialect {
        Dialect::OpenaiChat | Dialect::OpenaiCompletions => "openai-compatible",
        Dialect::OpenaiResponses => "openai",
        Dialect::Anthropic => "anthropic",
        Dialect::Gemini => "gemini",
        Dialect::Bedrock => "bedrock",
        _ => "cohere",
    })
}

/// The model that stands for a dialect of a provider.
fn model(trace: &Trace) -> String {
    let wrapped = if trace.wrapped { "-wrapped" } else { "" };
    format!("{}-{}{wrapped}", trace.dialect, trace.provider)
}

async fn ask(ada: &KeyCaller, from: Dialect, model: &str, stream: bool) -> Answer {
    let turn = json!([{ "role": "user", "content": "Hello" }]);
    let (path, mut body) = match from {
        Dialect::OpenaiChat => {
            let body = json!({ "model": model, "messages": turn });
            ("/v1/chat/completions".to_owned(), body)
        }
        Dialect::OpenaiResponses => (
            "/v1/responses".to_owned(),
            json!({ "model": model, "input": "Hello" }),
        ),
        Dialect::Gemini => {
            let method = if stream {
                "streamGenerateContent?alt=sse"
            } else {
                "generateContent"
            };
            let body = json!({ "contents": [{ "role": "user", "parts": [{ "text": "Hello" }] }] });
            (format!("/v1beta/models/{model}:{method}"), body)
        }
        _ => {
            let body = json!({ "model": model, "max_tokens": 99, "messages": turn });
            ("/v1/messages".to_owned(), body)
        }
    };
    if stream && from != Dialect::Gemini {
        body["stream"] = json!(true);
    }
    if stream && from == Dialect::OpenaiChat {
        body["stream_options"] = json!({ "include_usage": true });
    }
    ada.post(&path, &body).await
}

/// What a caller hears.
fn heard(answer: &Answer, from: Dialect, provider: &str, stream: bool) -> Heard {
    if answer.status != 200 {
        return Heard {
            error: Some(witness::status(answer.status)),
            ..Heard::default()
        };
    }
    let body = answer.text.as_bytes();
    if stream {
        witness::stream(from, provider, body)
    } else {
        witness::plain(from, provider, body)
    }
}

/// The provider whose habits an answer has: on the express lane, it is the provider's own.
fn habits(trace: &Trace, from: Dialect) -> &str {
    if trace.dialect == from {
        &trace.provider
    } else {
        ""
    }
}

fn check(trace: &Trace, from: Dialect, manner: &Manner, answer: &Answer) {
    let name = format!("{} to {from}, {manner:?}", trace.name);
    let said = witness::of(trace);
    let mut heard = heard(answer, from, habits(trace, from), trace.stream);
    if answer.status != 200 {
        // Before the first word, an error is a status.
        witness::compare_error(&name, &said, answer.status).unwrap();
        assert!(
            answer.json()["error"].is_object(),
            "{name}: {}",
            answer.text
        );
        return;
    }
    if trace.dialect == from {
        // The express lane adds nothing, not even an id where there is none.
        heard
            .calls
            .iter_mut()
            .for_each(|call| "as it is".clone_into(&mut call.id));
    }
    witness::compare(&name, &said, from, &heard).unwrap();
}

/// The books say what the provider said that it used.
fn check_record(trace: &Trace, from: Dialect, record: &UsageRecord) {
    let name = format!("{} to {from}: {record:#?}", trace.name);
    let said = witness::of(trace);
    let expected = match said.error {
        None => Status::Ok,
        Some(_) if record.http_status == 200 => Status::Cut,
        Some(_) => Status::Error,
    };
    assert_eq!(record.status, expected, "{name}");
    let (Some(used), None) = (said.used, said.error) else {
        return;
    };
    let tokens = record.tokens;
    let found = witness::Used {
        input: tokens.total_input(),
        cache_read: tokens.cache_read,
        cache_write: tokens.cache_write_5m + tokens.cache_write_1h,
        output: tokens.total_output(),
        reasoning: tokens.reasoning,
    };
    assert_eq!(found, used, "{name}");
}

#[tokio::test]
async fn every_caller_hears_what_the_witness_hears_and_pays_for_it() {
    let stage = Stage::new().await;
    for trace in &stage.traces {
        for from in CALLERS {
            let answer = stage.say(trace, from, &Manner::Whole).await;
            check(trace, from, &Manner::Whole, &answer);
            check_record(trace, from, &stage.record(&answer).await);
        }
    }
}

#[tokio::test]
async fn it_makes_no_difference_in_which_pieces_an_answer_comes() {
    let stage = Stage::new().await;
    for (at, trace) in stage.traces.iter().enumerate() {
        // One caller each is enough here: every pair is split at every byte where there is no socket.
        let from = CALLERS[at % CALLERS.len()];
        let size = trace.body.len().div_ceil(61);
        for manner in [Manner::Every(size), Manner::Every(size * 7 + 1)] {
            let answer = stage.say(trace, from, &manner).await;
            check(trace, from, &manner, &answer);
        }
        let gate = Gate::default();
        let manner = Manner::Delayed(trace.body.len() / 2, gate.clone());
        let (answer, ()) = tokio::join!(stage.say(trace, from, &manner), async { gate.open() });
        check(trace, from, &manner, &answer);
    }
}

#[tokio::test]
async fn an_answer_that_is_cut_is_an_error_and_never_an_end() {
    let stage = Stage::new().await;
    let streams = stage
        .traces
        .iter()
        .filter(|trace| trace.status == 200 && trace.stream);
    let streams = streams.filter(|trace| !trace.content_type.contains("json"));
    for (at, trace) in streams.enumerate() {
        // Each caller and each place have their turn.
        let from = CALLERS[at % CALLERS.len()];
        let cut = trace.body.len() * (at % 9 + 1) / 10;
        for manner in [Manner::Broken(cut), Manner::Short(cut)] {
            let mut short = trace.clone();
            short.body.truncate(cut);
            if witness::of(&short).finish.is_none() {
                let answer = stage.say(trace, from, &manner).await;
                let name = format!("{} to {from}, {manner:?}: {}", trace.name, answer.text);
                let heard = heard(&answer, from, habits(trace, from), true);
                // An error in words, and not merely a silence.
                let told = heard.error.filter(|error| *error != Trouble::Cut);
                assert!(told.is_some() && heard.finish.is_none(), "{name}");
                if answer.status == 200 {
                    assert_eq!(stage.record(&answer).await.status, Status::Cut, "{name}");
                }
            }
        }
    }
}
