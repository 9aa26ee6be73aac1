//! A provider that does as it is told, on a real socket, and remembers what it got.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use http::{HeaderMap, HeaderName, StatusCode};
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// The credential that its channels carry: nothing that Tollhouse writes may hold it.
pub const CREDENTIAL: &str = "canary-credential-do-not-show";

/// A provider.
#[derive(Debug, Clone)]
pub struct FakeUpstream {
    address: SocketAddr,
    state: Arc<Mutex<Told>>,
}

#[derive(Debug, Default)]
struct Told {
    got: Vec<Got>,
    script: VecDeque<Act>,
    mind: Option<Mind>,
}

/// What it does with each request, by what is asked.
type Decide = dyn Fn(&Got) -> Act + Send + Sync;

/// Decides what is done with each request.
#[derive(Clone)]
struct Mind(Arc<Decide>);

impl std::fmt::Debug for Mind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mind").finish_non_exhaustive()
    }
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Got {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Got {
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// What it does with one request.
#[derive(Debug, Clone)]
pub enum Act {
    /// Answers so.
    Say {
        status: u16,
        headers: Vec<(String, String)>,
        pieces: Vec<Piece>,
    },
    /// Never answers, until the gate opens.
    Hang(Gate),
}

/// A piece of an answer.
#[derive(Debug, Clone)]
pub enum Piece {
    Text(String),
    Bytes(Bytes),
    /// Waits.
    Gate(Gate),
    /// Lets everything before it go out.
    Sent,
    /// Breaks the connection.
    Cut,
}

/// Something that a test opens when it is time, once for each who waits.
#[derive(Debug, Clone)]
pub struct Gate(Arc<Semaphore>);

impl Default for Gate {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }
}

impl Gate {
    /// Lets one through.
    pub fn open(&self) {
        self.0.add_permits(1);
    }

    /// Lets everybody through from now on.
    pub fn open_for_all(&self) {
        self.0.add_permits(1_000_000);
    }

    async fn pass(&self) {
        self.0.acquire().await.unwrap().forget();
    }
}

impl FakeUpstream {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let upstream = Self {
            address: listener.local_addr().unwrap(),
            state: Arc::default(),
        };
        let router = Router::new().fallback(answer).with_state(upstream.clone());
        #[expect(
            clippy::disallowed_methods,
            reason = "the provider lives as long as its house"
        )]
        tokio::spawn(async move { axum::serve(listener, router).await });
        upstream
    }

    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The body that makes a channel to it.
    #[must_use]
    pub fn channel(&self, provider: &str) -> Value {
        let card = shared::domain::provider::find(provider).unwrap();
        // A plain text is the first member of a credential; the secret is the key in any case.
        let credential: Map<String, Value> = card
            .credential
            .iter()
            .filter(|field| field.required || field.name == "api_key")
            .map(|field| match field.name {
                "api_key" => (field.name.to_owned(), json!(CREDENTIAL)),
                name => (name.to_owned(), json!("us-east-1")),
            })
            .collect();
        let credential = match card.credential {
            [_] => json!(CREDENTIAL),
            _ => Value::Object(credential),
        };
        json!({
            "name": provider, "provider": provider, "base_url": self.url(),
            "credential": credential, "models": [crate::MODEL],
        })
    }

    /// What it does next, before what it does by itself.
    pub fn next(&self, act: Act) {
        self.state.lock().unwrap().script.push_back(act);
    }

    /// Forgets what it was to do next.
    pub fn forget(&self) {
        self.state.lock().unwrap().script.clear();
    }

    /// From now on it decides by what is asked.
    pub fn decide(&self, decide: impl Fn(&Got) -> Act + Send + Sync + 'static) {
        self.state.lock().unwrap().mind = Some(Mind(Arc::new(decide)));
    }

    /// Everything that it got.
    #[must_use]
    pub fn got(&self) -> Vec<Got> {
        self.state.lock().unwrap().got.clone()
    }
}

impl Act {
    /// A refusal or any other plain answer.
    #[must_use]
    pub fn json(status: u16, body: &Value) -> Self {
        Self::text(status, "application/json", body.to_string())
    }

    #[must_use]
    pub fn text(status: u16, kind: &str, text: impl Into<String>) -> Self {
        let headers = vec![("content-type".to_owned(), kind.to_owned())];
        Self::Say {
            status,
            headers,
            pieces: vec![Piece::Text(text.into())],
        }
    }

    /// A stream of these pieces.
    #[must_use]
    pub fn stream(pieces: Vec<Piece>) -> Self {
        let headers = vec![("content-type".to_owned(), "text/event-stream".to_owned())];
        Self::Say {
            status: 200,
            headers,
            pieces,
        }
    }

    /// The same, with a header more.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Self::Say { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }
}

/// A chunk of a chat that says a text.
#[must_use]
pub fn chat_text(text: &str) -> Piece {
    chat_chunk(
        &json!([{ "index": 0, "delta": { "content": text }, "finish_reason": null }]),
        &Value::Null,
    )
}

/// The end of a chat, with this usage.
#[must_use]
pub fn chat_end(input: u64, output: u64) -> Vec<Piece> {
    let usage = json!({
        "prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output,
    });
    vec![
        chat_chunk(
            &json!([{ "index": 0, "delta": {}, "finish_reason": "stop" }]),
            &Value::Null,
        ),
        chat_chunk(&json!([]), &usage),
        Piece::Text("data: [DONE]\n\n".to_owned()),
    ]
}

fn chat_chunk(choices: &Value, usage: &Value) -> Piece {
    let chunk = json!({
        "id": "chatcmpl-fake", "object": "chat.completion.chunk", "created": 1,
        "model": "upstream-name", "choices": choices, "usage": usage,
    });
    Piece::Text(format!("data: {chunk}\n\n"))
}

/// A chat that says these texts and then used so much.
#[must_use]
pub fn chat_stream(texts: &[&str], input: u64, output: u64) -> Act {
    let said = texts.iter().map(|text| chat_text(text));
    Act::stream(said.chain(chat_end(input, output)).collect())
}

/// A whole chat.
#[must_use]
pub fn chat_reply(text: &str, input: u64, output: u64) -> Act {
    let message = json!({ "role": "assistant", "content": text });
    Act::json(
        200,
        &json!({
            "id": "chatcmpl-fake", "object": "chat.completion", "created": 1, "model": "upstream-name",
            "choices": [{ "index": 0, "message": message, "finish_reason": "stop" }],
            "usage": {
                "prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output,
            },
        }),
    )
}

/// Anthropic's events that say a text and then used so much.
#[must_use]
pub fn messages_stream(text: &str, input: u64, output: u64) -> Act {
    let event = |name: &str, data: &Value| Piece::Text(format!("event: {name}\ndata: {data}\n\n"));
    Act::stream(vec![
        event(
            "message_start",
            &json!({ "type": "message_start", "message": {
                "id": "msg_fake", "type": "message", "role": "assistant", "model": "upstream-name",
                "content": [], "stop_reason": null, "stop_sequence": null,
                "usage": { "input_tokens": input, "output_tokens": 1 },
            }}),
        ),
        event(
            "content_block_start",
            &json!({ "type": "content_block_start", "index": 0,
                "content_block": { "type": "text", "text": "" } }),
        ),
        event(
            "content_block_delta",
            &json!({ "type": "content_block_delta", "index": 0,
                "delta": { "type": "text_delta", "text": text } }),
        ),
        event(
            "content_block_stop",
            &json!({ "type": "content_block_stop", "index": 0 }),
        ),
        event(
            "message_delta",
            &json!({ "type": "message_delta",
                "delta": { "stop_reason": "end_turn", "stop_sequence": null },
                "usage": { "output_tokens": output } }),
        ),
        event("message_stop", &json!({ "type": "message_stop" })),
    ])
}

/// A whole message of Anthropic's.
#[must_use]
pub fn messages_reply(text: &str, input: u64, output: u64) -> Act {
    Act::json(
        200,
        &json!({
            "id": "msg_fake", "type": "message", "role": "assistant", "model": "upstream-name",
            "content": [{ "type": "text", "text": text }], "stop_reason": "end_turn",
            "stop_sequence": null, "usage": { "input_tokens": input, "output_tokens": output },
        }),
    )
}

async fn answer(State(upstream): State<FakeUpstream>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let got = Got {
        path: parts.uri.path().to_owned(),
        headers: parts.headers,
        body,
    };
    let (planned, mind) = {
        let mut told = upstream.state.lock().unwrap();
        told.got.push(got.clone());
        (told.script.pop_front(), told.mind.clone())
    };
    let act = match (planned, mind) {
        (Some(act), _) => act,
        (None, Some(Mind(decide))) => decide(&got),
        (None, None) => by_itself(&got),
    };
    match act {
        Act::Hang(gate) => {
            gate.pass().await;
            Response::new(Body::empty())
        }
        Act::Say {
            status,
            headers,
            pieces,
        } => {
            let mut response = Response::new(Body::from_stream(spoken(pieces)));
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            for (name, value) in headers {
                let name: HeaderName = name.parse().unwrap();
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            response
        }
    }
}

/// "Hello there", for 10 tokens of input and 20 of output.
fn by_itself(got: &Got) -> Act {
    let streamed = got.body.windows(13).any(|w| w == br#""stream":true"#);
    match (got.path.ends_with("/messages"), streamed) {
        (true, true) => messages_stream("Hello there", 10, 20),
        (true, false) => messages_reply("Hello there", 10, 20),
        (false, true) => chat_stream(&["Hello", " there"], 10, 20),
        (false, false) => chat_reply("Hello there", 10, 20),
    }
}

fn spoken(pieces: Vec<Piece>) -> impl stream::Stream<Item = Result<Bytes, std::io::Error>> {
    stream::iter(pieces).filter_map(|piece| async {
        match piece {
            Piece::Text(text) => Some(Ok(Bytes::from(text))),
            Piece::Bytes(bytes) => Some(Ok(bytes)),
            Piece::Gate(gate) => {
                gate.pass().await;
                None
            }
            Piece::Sent => {
                // Nothing to say for a moment: the connection writes what it has.
                tokio::task::yield_now().await;
                None
            }
            Piece::Cut => Some(Err(std::io::ErrorKind::ConnectionReset.into())),
        }
    })
}
