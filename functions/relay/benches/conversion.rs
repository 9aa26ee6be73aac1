//! What the dialects cost: requests and streams converted, requests spliced, events watched.
//!
//! `cargo bench --workspace --bench conversion`; figures are in `docs/performance.md`.

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on says where")]

use std::hint::black_box;

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use relay::dialects::convert::{Converter, Renames};
use relay::dialects::watch::Watch;
use relay::dialects::{self, Asked, Destination, InUrl, Wanted};
use relay::upstream::framing::Splitter;
use serde_json::{Value, json};
use shared::domain::dialect::Dialect;
use shared::domain::id::RequestId;
use shared::domain::provider;

const CALLERS: [Dialect; 4] = [
    Dialect::OpenaiChat,
    Dialect::OpenaiResponses,
    Dialect::Anthropic,
    Dialect::Gemini,
];
const PROVIDERS: [Dialect; 5] = [
    Dialect::OpenaiChat,
    Dialect::OpenaiResponses,
    Dialect::Anthropic,
    Dialect::Gemini,
    Dialect::Bedrock,
];
/// Streams of providers that speak in server-sent events.
const SPEAKERS: [Dialect; 2] = [Dialect::OpenaiChat, Dialect::Anthropic];

fn destination(dialect: Dialect) -> Destination<'static> {
    let (card, model) = match dialect {
        Dialect::OpenaiResponses => ("openai", "gpt-5"),
        Dialect::Anthropic => ("anthropic", "claude-sonnet-4-5"),
        Dialect::Gemini => ("gemini", "gemini-2.5-flash"),
        Dialect::Bedrock => ("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        _ => ("openai", "gpt-4.1"),
    };
    Destination {
        model,
        stream: true,
        card: provider::find(card).unwrap(),
    }
}

/// A conversation of about so many bytes, half prose and half a tool's answers.
fn conversation(dialect: Dialect, bytes: usize) -> Value {
    let prose = "All work and no play makes a dull day; \"quoted\" and é.\n".repeat(12);
    let turns = (bytes / (2 * prose.len())).max(1);
    let schema = json!({"type": "object", "properties": {"path": {"type": "string"}}});
    let pairs = (0..turns).flat_map(|turn| match dialect {
        Dialect::OpenaiResponses => vec![
            json!({"type": "message", "role": "user", "content": prose}),
            json!({"type": "function_call", "call_id": format!("call_{turn}"), "name": "read",
                "arguments": "{\"path\":\"a.txt\"}"}),
            json!({"type": "function_call_output", "call_id": format!("call_{turn}"),
                "output": prose}),
        ],
        Dialect::Anthropic => vec![
            json!({"role": "user", "content": [{"type": "text", "text": prose}]}),
            json!({"role": "assistant", "content": [{"type": "tool_use",
                "id": format!("toolu_{turn}"), "name": "read", "input": {"path": "a.txt"}}]}),
            json!({"role": "user", "content": [{"type": "tool_result",
                "tool_use_id": format!("toolu_{turn}"), "content": prose}]}),
        ],
        Dialect::Gemini => vec![
            json!({"role": "user", "parts": [{"text": prose}]}),
            json!({"role": "model", "parts": [{"functionCall": {"name": "read",
                "args": {"path": "a.txt"}}}]}),
            json!({"role": "user", "parts": [{"functionResponse": {"name": "read",
                "response": {"result": prose}}}]}),
        ],
        _ => vec![
            json!({"role": "user", "content": prose}),
            json!({"role": "assistant", "content": null, "tool_calls": [{
                "id": format!("call_{turn}"), "type": "function",
                "function": {"name": "read", "arguments": "{\"path\":\"a.txt\"}"}}]}),
            json!({"role": "tool", "tool_call_id": format!("call_{turn}"), "content": prose}),
        ],
    });
    let turns: Vec<Value> = pairs.collect();
    match dialect {
        Dialect::OpenaiResponses => json!({"model": "m", "stream": true, "input": turns,
            "tools": [{"type": "function", "name": "read", "parameters": schema}]}),
        Dialect::Anthropic => json!({"model": "m", "stream": true, "max_tokens": 1000,
            "messages": turns, "tools": [{"name": "read", "input_schema": schema}]}),
        Dialect::Gemini => json!({"contents": turns, "tools": [{"functionDeclarations": [
            {"name": "read", "parametersJsonSchema": schema}]}]}),
        _ => json!({"model": "m", "stream": true, "messages": turns, "tools": [
            {"type": "function", "function": {"name": "read", "parameters": schema}}]}),
    }
}

fn wanted(dialect: Dialect, bytes: usize) -> Wanted {
    let url = InUrl {
        model: Some("m".to_owned()),
        stream: true,
        events: true,
        counting: false,
    };
    let body = Bytes::from(conversation(dialect, bytes).to_string());
    dialects::caller(dialect).read(body, &url).unwrap()
}

fn requests(bench: &mut Criterion) {
    let mut group = bench.benchmark_group("request");
    for caller in CALLERS {
        let wanted = wanted(caller, 100_000);
        group.throughput(Throughput::Bytes(wanted.body.len() as u64));
        for provider in PROVIDERS.into_iter().filter(|provider| *provider != caller) {
            let to = destination(provider);
            group.bench_function(BenchmarkId::new(caller.name(), provider.name()), |b| {
                b.iter(|| {
                    let request = dialects::caller(caller).read_request(&wanted).unwrap();
                    let provider = dialects::provider(provider);
                    black_box(provider.write_request(&request, &to).unwrap())
                });
            });
        }
    }
    group.finish();
}

fn splices(bench: &mut Criterion) {
    let mut group = bench.benchmark_group("splice");
    for bytes in [1_000, 100_000, 1_000_000] {
        for caller in [Dialect::OpenaiChat, Dialect::Anthropic] {
            let wanted = wanted(caller, bytes);
            group.throughput(Throughput::Bytes(wanted.body.len() as u64));
            group.bench_function(BenchmarkId::new(caller.name(), bytes), |b| {
                let side = dialects::caller(caller);
                b.iter(|| {
                    let read = side.read(wanted.body.clone(), &InUrl::default()).unwrap();
                    black_box(side.express(&read, "another-model").unwrap())
                });
            });
        }
    }
    group.finish();
}

/// A stream of a thousand small pieces of text, as its provider sends it.
fn stream(dialect: Dialect) -> Bytes {
    let word = "word ";
    let mut all = String::new();
    let mut event = |name: Option<&str>, data: &Value| {
        if let Some(name) = name {
            all.push_str(&format!("event: {name}\n"));
        }
        all.push_str(&format!("data: {data}\n\n"));
    };
    if dialect == Dialect::Anthropic {
        event(
            Some("message_start"),
            &json!({"type": "message_start", "message": {"id": "msg_1", "model": "m", "usage":
                {"input_tokens": 10, "output_tokens": 1}}}),
        );
        event(
            Some("content_block_start"),
            &json!({"type": "content_block_start", "index": 0,
                "content_block": {"type": "text", "text": ""}}),
        );
        for _ in 0..1_000 {
            event(
                Some("content_block_delta"),
                &json!({"type": "content_block_delta", "index": 0,
                    "delta": {"type": "text_delta", "text": word}}),
            );
        }
        event(
            Some("content_block_stop"),
            &json!({"type": "content_block_stop", "index": 0}),
        );
        event(
            Some("message_delta"),
            &json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"},
                "usage": {"output_tokens": 1_000}}),
        );
        event(Some("message_stop"), &json!({"type": "message_stop"}));
        return Bytes::from(all);
    }
    for _ in 0..1_000 {
        event(
            None,
            &json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1,
                "model": "m", "choices": [{"index": 0, "delta": {"content": word},
                "finish_reason": null}], "usage": null}),
        );
    }
    event(
        None,
        &json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}),
    );
    event(
        None,
        &json!({"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 1_000}}),
    );
    all.push_str("data: [DONE]\n\n");
    Bytes::from(all)
}

/// Hears a stream as it comes from a socket, in pieces of four kilobytes.
fn hear(stream: &Bytes, watch: &mut dyn Watch) {
    let mut splitter = Splitter::default();
    let mut rest = stream.clone();
    while !rest.is_empty() {
        let piece = rest.split_to(rest.len().min(4_096));
        for event in splitter.push(piece).unwrap().iter() {
            black_box(watch.event(&event));
        }
    }
    assert!(watch.seen().complete);
}

fn streams(bench: &mut Criterion) {
    let id: RequestId = "01J00000000000000000000000".parse().unwrap();
    let mut group = bench.benchmark_group("stream");
    for speaker in SPEAKERS {
        let said = stream(speaker);
        let to = destination(speaker);
        group.throughput(Throughput::Bytes(said.len() as u64));
        let express = wanted(speaker, 1_000);
        group.bench_function(BenchmarkId::new(speaker.name(), "express"), |b| {
            b.iter(|| hear(&said, &mut *dialects::caller(speaker).watch(&express)));
        });
        for caller in CALLERS.into_iter().filter(|caller| *caller != speaker) {
            let wanted = wanted(caller, 1_000);
            let asked = Asked {
                wanted: &wanted,
                id,
                at_s: 1,
            };
            group.bench_function(BenchmarkId::new(speaker.name(), caller.name()), |b| {
                b.iter(|| {
                    let reader = dialects::provider(speaker).reader(&to);
                    let writer = dialects::caller(caller).writer(&asked);
                    let mut converter = Converter::new(reader, writer, Renames::default());
                    hear(&said, &mut converter);
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, requests, splices, streams);
criterion_main!(benches);
