//! Answers as their vendors write them around a usage: whole, and as the events of a stream.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use shared::domain::dialect::Dialect;
use witness::trace;

use super::case::Case;

/// What every answer says.
const WORDS: &str = "Good day.";

/// The whole answer; `None` where only events were written by hand.
pub(super) fn plain(case: &Case) -> Option<Vec<u8>> {
    let made = || Some(whole(case, case.told.as_ref()?).to_string());
    let by_hand = case.plain.clone();
    by_hand.or_else(made).map(String::into_bytes)
}

/// The stream; `None` where only a whole answer was written by hand.
pub(super) fn stream(case: &Case) -> Option<Vec<u8>> {
    let lines = if case.stream.is_empty() {
        let events = events(case, case.told.as_ref()?);
        events.iter().map(Value::to_string).collect()
    } else {
        case.stream.clone()
    };
    if case.invoked {
        let frames = lines.iter().map(|line| invoked(line));
        return Some(frames.collect::<Vec<_>>().concat());
    }
    let named = [
        Dialect::Anthropic,
        Dialect::OpenaiResponses,
        Dialect::Cohere,
    ];
    if named.contains(&case.dialect) {
        return Some(
            lines
                .iter()
                .map(|line| event(line))
                .collect::<String>()
                .into_bytes(),
        );
    }
    let mut stream = trace::framed(case.dialect, &lines.join("\n"));
    if case.dialect == Dialect::OpenaiCompletions {
        stream.extend_from_slice(b"data: [DONE]\n\n");
    }
    Some(stream)
}

/// An event under its name, which its data have, too.
fn event(data: &str) -> String {
    let json: Value = serde_json::from_str(data).unwrap();
    format!(
        "event: {}\ndata: {data}\n\n",
        json["type"].as_str().unwrap()
    )
}

/// An event of Anthropic's in a frame of Bedrock's.
fn invoked(event: &str) -> Vec<u8> {
    let payload = json!({ "bytes": STANDARD.encode(event) }).to_string();
    let headers = [
        (":event-type", "chunk"),
        (":content-type", "application/json"),
        (":message-type", "event"),
    ];
    trace::frame(&headers, payload.as_bytes())
}

/// With what else the case says of the answer.
fn with(mut answer: Value, beside: &Map<String, Value>) -> Value {
    answer.as_object_mut().unwrap().extend(beside.clone());
    answer
}

fn whole(case: &Case, told: &Value) -> Value {
    let model = &case.model;
    let answer = match case.dialect {
        Dialect::OpenaiChat => {
            json!({"id":"c1","object":"chat.completion","created":1,"model":model,
            "choices":[{"index":0,"message":{"role":"assistant","content":WORDS,"refusal":null},
                "logprobs":null,"finish_reason":"stop"}],"usage":told})
        }
        Dialect::OpenaiCompletions => json!({"id":"c1","object":"text_completion","created":1,
            "model":model,"choices":[{"index":0,"text":WORDS,"logprobs":null,
                "finish_reason":"stop"}],"usage":told}),
        Dialect::OpenaiResponses => response(case, told),
        Dialect::Anthropic => {
            let mut content = case.items.clone();
            content.push(json!({"type":"text","text":WORDS}));
            json!({"id":"msg_1","type":"message","role":"assistant","model":model,
                "content":content,"stop_reason":"end_turn","stop_sequence":null,"usage":told})
        }
        Dialect::Gemini => {
            json!({"candidates":[{"content":{"parts":[{"text":WORDS}],"role":"model"},
            "finishReason":"STOP","index":0}],"usageMetadata":told,"modelVersion":model,
            "responseId":"r1"})
        }
        Dialect::Bedrock => {
            let mut content = case.items.clone();
            content.push(json!({"text":WORDS}));
            json!({"output":{"message":{"role":"assistant","content":content}},
                "stopReason":"end_turn","usage":told,"metrics":{"latencyMs":5}})
        }
        Dialect::Cohere => {
            json!({"id":"c1","finish_reason":"COMPLETE","message":{"role":"assistant",
            "content":[{"type":"text","text":WORDS}]},"usage":told})
        }
        other => panic!("{other} has no such answers"),
    };
    with(answer, &case.beside)
}

fn response(case: &Case, told: &Value) -> Value {
    let mut output = case.items.clone();
    output.push(
        json!({"type":"message","id":"msg_1","status":"completed","role":"assistant",
        "content":[{"type":"output_text","text":WORDS,"annotations":[]}]}),
    );
    json!({"id":"resp_1","object":"response","created_at":1,"status":"completed","error":null,
        "incomplete_details":null,"model":case.model,"output":output,"tools":[],"usage":told})
}

fn events(case: &Case, told: &Value) -> Vec<Value> {
    match case.dialect {
        Dialect::OpenaiChat | Dialect::OpenaiCompletions => chunks(case, told),
        Dialect::OpenaiResponses => responses_events(case, told),
        Dialect::Anthropic => messages_events(case, told),
        Dialect::Gemini => {
            let mut first = whole(
                case,
                &json!({"promptTokenCount":1,"candidatesTokenCount":1}),
            );
            first["candidates"][0]
                .as_object_mut()
                .unwrap()
                .remove("finishReason");
            let mut last = whole(case, told);
            last["candidates"][0]["content"]["parts"][0]["text"] = json!("");
            vec![first, last]
        }
        Dialect::Bedrock => converse_events(case, told),
        Dialect::Cohere => vec![
            json!({"type":"message-start","id":"c1","delta":{"message":{"role":"assistant"}}}),
            json!({"type":"content-start","index":0,
                "delta":{"message":{"content":{"type":"text","text":""}}}}),
            json!({"type":"content-delta","index":0,
                "delta":{"message":{"content":{"text":WORDS}}}}),
            json!({"type":"content-end","index":0}),
            json!({"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":told}}),
        ],
        other => panic!("{other} has no streams"),
    }
}

fn chunks(case: &Case, told: &Value) -> Vec<Value> {
    let old = case.dialect == Dialect::OpenaiCompletions;
    let choice = |words: &str, reason: Value| {
        if old {
            json!([{"index":0,"text":words,"finish_reason":reason}])
        } else {
            json!([{"index":0,"delta":{"content":words},"finish_reason":reason}])
        }
    };
    let chunk = |choices: Value, usage: Value| {
        let chunk = json!({"id":"c1","object":"chat.completion.chunk","created":1,
            "model":case.model,"choices":choices,"usage":usage});
        with(chunk, &case.beside)
    };
    vec![
        chunk(choice(WORDS, Value::Null), Value::Null),
        chunk(choice("", json!("stop")), Value::Null),
        chunk(json!([]), told.clone()),
    ]
}

fn responses_events(case: &Case, told: &Value) -> Vec<Value> {
    let whole = with(response(case, told), &case.beside);
    let begun = json!({"id":"resp_1","object":"response","status":"in_progress","model":case.model,
        "output":[],"usage":null});
    let mut events = vec![json!({"type":"response.created","response":begun})];
    let items = whole["output"].as_array().unwrap();
    for (at, item) in items.iter().enumerate() {
        let mut added = item.clone();
        added["status"] = json!("in_progress");
        if added["type"] == "message" {
            added["content"] = json!([]);
        }
        events.push(json!({"type":"response.output_item.added","output_index":at,"item":added}));
        if item["type"] == "message" {
            events.push(
                json!({"type":"response.output_text.delta","output_index":at,
                "item_id":"msg_1","content_index":0,"delta":WORDS}),
            );
        }
        events.push(json!({"type":"response.output_item.done","output_index":at,"item":item}));
    }
    events.push(json!({"type":"response.completed","response":whole}));
    events
}

/// Anthropic's: all of the input at the start with a token of output, the whole at the end, but for
/// what only the start tells.
fn messages_events(case: &Case, told: &Value) -> Vec<Value> {
    let without = |names: &[&str]| {
        let mut usage = told.clone();
        let members = usage.as_object_mut().unwrap();
        members.retain(|name, _| !names.contains(&name.as_str()));
        usage
    };
    let mut first = without(&["server_tool_use", "iterations", "output_tokens_details"]);
    first["output_tokens"] = json!(1);
    let last = without(&["cache_creation", "service_tier", "speed"]);
    let message = json!({"id":"msg_1","type":"message","role":"assistant","model":case.model,
        "content":[],"stop_reason":null,"stop_sequence":null,"usage":first});
    let mut delta = json!({"stop_reason":"end_turn","stop_sequence":null});
    delta.as_object_mut().unwrap().extend(case.beside.clone());
    let mut events = vec![json!({"type":"message_start","message":message})];
    let text = json!({"type":"text","text":""});
    let blocks = case.items.iter().chain(std::iter::once(&text));
    for (at, block) in blocks.enumerate() {
        events.push(json!({"type":"content_block_start","index":at,"content_block":block}));
        if block["type"] == "text" {
            events.push(json!({"type":"content_block_delta","index":at,
                "delta":{"type":"text_delta","text":WORDS}}));
        }
        events.push(json!({"type":"content_block_stop","index":at}));
    }
    events.push(json!({"type":"message_delta","delta":delta,"usage":last}));
    events.push(json!({"type":"message_stop"}));
    events
}

fn converse_events(case: &Case, told: &Value) -> Vec<Value> {
    let mut events = vec![json!({"messageStart":{"role":"assistant"}})];
    for (at, item) in case.items.iter().enumerate() {
        events.push(json!({"contentBlockStart":{"contentBlockIndex":at,"start":item}}));
        events.push(json!({"contentBlockStop":{"contentBlockIndex":at}}));
    }
    let at = case.items.len();
    events.push(json!({"contentBlockDelta":{"contentBlockIndex":at,"delta":{"text":WORDS}}}));
    events.push(json!({"contentBlockStop":{"contentBlockIndex":at}}));
    events.push(json!({"messageStop":{"stopReason":"end_turn"}}));
    let metadata = json!({"usage":told,"metrics":{"latencyMs":5}});
    events.push(json!({"metadata":with(metadata, &case.beside)}));
    events
}
