//! The demo provider: a small upstream inside this process that says the same to the same question,
//! in OpenAI's chat dialect and in Anthropic's, streamed word by word.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use futures_util::stream::{self, StreamExt};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde::Deserialize;
use serde_json::{Value, json};

/// How long a word takes.
const PACE: Duration = Duration::from_millis(25);

/// Its paths, as a demo channel's base URL `…/demo` leads to them.
pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/demo/v1/chat/completions", post(chat))
        .route("/demo/v1/messages", post(messages))
}

#[derive(Debug, Deserialize)]
struct Question {
    model: String,
    #[serde(default)]
    stream: bool,
    #[serde(default)]
    max_tokens: Option<usize>,
    #[serde(default)]
    max_completion_tokens: Option<usize>,
    messages: Vec<Message>,
}

#[derive(Debug, Deserialize)]
struct Message {
    role: String,
    content: Value,
}

/// What there is to say, in words; a word counts as a token.
struct Answer {
    model: String,
    words: Vec<String>,
    asked: usize,
    whole: bool,
}

impl Answer {
    fn to(question: &Question) -> Self {
        let texts: Vec<String> = question.messages.iter().map(|m| text(&m.content)).collect();
        let users = question
            .messages
            .iter()
            .zip(&texts)
            .filter(|(m, _)| m.role == "user");
        let last = users
            .map(|(_, text)| text.as_str())
            .next_back()
            .unwrap_or_default();
        let said = format!(
            "This is Tollhouse's demo channel. You said: {last} No provider was asked, but the call was \
             authenticated, held for, routed, streamed and billed like any other."
        );
        let mut words: Vec<String> = said.split_inclusive(' ').map(str::to_owned).collect();
        let limit = question
            .max_completion_tokens
            .or(question.max_tokens)
            .unwrap_or(usize::MAX);
        let whole = words.len() <= limit;
        words.truncate(limit);
        let asked = texts
            .iter()
            .map(|text| text.split_whitespace().count())
            .sum();
        Self {
            model: question.model.clone(),
            words,
            asked,
            whole,
        }
    }

    fn said(&self) -> usize {
        self.words.len()
    }
}

async fn chat(axum::Json(question): axum::Json<Question>) -> Response {
    let answer = Answer::to(&question);
    let finish = if answer.whole { "stop" } else { "length" };
    let usage = json!({
        "prompt_tokens": answer.asked,
        "completion_tokens": answer.said(),
        "total_tokens": answer.asked + answer.said(),
    });
    if !question.stream {
        let message = json!({ "role": "assistant", "content": answer.words.concat() });
        return axum::Json(json!({
            "id": "chatcmpl-demo", "object": "chat.completion", "created": 0, "model": answer.model,
            "choices": [{ "index": 0, "message": message, "finish_reason": finish }],
            "usage": usage,
        }))
        .into_response();
    }
    let chunk = |choices: Value, usage: &Value| {
        let chunk = json!({
            "id": "chatcmpl-demo", "object": "chat.completion.chunk", "created": 0,
            "model": answer.model, "choices": choices, "usage": usage,
        });
        format!("data: {chunk}\n\n")
    };
    let delta = |delta: Value, finish: Value| {
        chunk(
            json!([{ "index": 0, "delta": delta, "finish_reason": finish }]),
            &Value::Null,
        )
    };
    let mut events = vec![delta(
        json!({ "role": "assistant", "content": "" }),
        Value::Null,
    )];
    events.extend(
        answer
            .words
            .iter()
            .map(|word| delta(json!({ "content": word }), Value::Null)),
    );
    events.push(delta(json!({}), json!(finish)));
    events.push(chunk(json!([]), &usage));
    events.push("data: [DONE]\n\n".to_owned());
    streamed(events)
}

async fn messages(axum::Json(question): axum::Json<Question>) -> Response {
    let answer = Answer::to(&question);
    let stop = if answer.whole {
        "end_turn"
    } else {
        "max_tokens"
    };
    let message = |content: Value, stop: Value, output: usize| {
        json!({
            "id": "msg_demo", "type": "message", "role": "assistant", "model": answer.model,
            "content": content, "stop_reason": stop, "stop_sequence": null,
            "usage": { "input_tokens": answer.asked, "output_tokens": output },
        })
    };
    if !question.stream {
        let content = json!([{ "type": "text", "text": answer.words.concat() }]);
        return axum::Json(message(content, json!(stop), answer.said())).into_response();
    }
    let event = |name: &str, mut data: Value| {
        if let Some(data) = data.as_object_mut() {
            data.insert("type".to_owned(), json!(name));
        }
        format!("event: {name}\ndata: {data}\n\n")
    };
    let start = message(json!([]), Value::Null, 1);
    let mut events = vec![
        event("message_start", json!({ "message": start })),
        event(
            "content_block_start",
            json!({ "index": 0, "content_block": { "type": "text", "text": "" } }),
        ),
    ];
    events.extend(answer.words.iter().map(|word| {
        let delta = json!({ "type": "text_delta", "text": word });
        event("content_block_delta", json!({ "index": 0, "delta": delta }))
    }));
    events.push(event("content_block_stop", json!({ "index": 0 })));
    events.push(event(
        "message_delta",
        json!({
            "delta": { "stop_reason": stop, "stop_sequence": null },
            "usage": { "output_tokens": answer.said() },
        }),
    ));
    events.push(event("message_stop", json!({})));
    streamed(events)
}

/// The events, at a pace that people can follow.
fn streamed(events: Vec<String>) -> Response {
    let paced = stream::iter(events).then(|event| async move {
        tokio::time::sleep(PACE).await;
        Ok::<_, Infallible>(event)
    });
    (
        StatusCode::OK,
        [(CONTENT_TYPE, "text/event-stream")],
        Body::from_stream(paced),
    )
        .into_response()
}

/// The text of a message's content: a string, or parts of which some have a text.
fn text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let texts: Vec<&str> = parts
                .iter()
                .filter_map(|part| part["text"].as_str())
                .collect();
            texts.join(" ")
        }
        _ => String::new(),
    }
}
