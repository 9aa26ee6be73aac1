//! Cohere's chat.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Call, Event, Finish, Heard, Trouble, Used, count, each, text};

pub(super) fn plain(json: &Value) -> Heard {
    let mut heard = Heard::default();
    let message = &json["message"];
    if !message.is_object() {
        return Heard::failed(Trouble::Garbage);
    }
    heard.thought += text(&message["tool_plan"]);
    for part in each(&message["content"]) {
        heard.text += text(&part["text"]);
        heard.thought += text(&part["thinking"]);
    }
    heard.calls = each(&message["tool_calls"]).map(call).collect();
    end(json, &mut heard);
    heard
}

pub(super) fn stream(events: &[Event]) -> Heard {
    let mut heard = Heard::default();
    let mut calls: BTreeMap<u64, Call> = BTreeMap::new();
    for Event { json, .. } in events {
        let message = &json["delta"]["message"];
        let index = count(&json["index"]);
        match text(&json["type"]) {
            "tool-plan-delta" => heard.thought += text(&message["tool_plan"]),
            "content-delta" => {
                heard.text += text(&message["content"]["text"]);
                heard.thought += text(&message["content"]["thinking"]);
            }
            "tool-call-start" => {
                calls.insert(index, call(&message["tool_calls"]));
            }
            "tool-call-delta" => {
                let more = text(&message["tool_calls"]["function"]["arguments"]);
                calls.entry(index).or_default().arguments += more;
            }
            "message-end" => {
                heard.calls = calls.values().cloned().collect();
                end(&json["delta"], &mut heard);
            }
            _ => {}
        }
    }
    heard.calls = calls.into_values().collect();
    heard
}

fn call(call: &Value) -> Call {
    Call {
        id: text(&call["id"]).to_owned(),
        name: text(&call["function"]["name"]).to_owned(),
        arguments: text(&call["function"]["arguments"]).to_owned(),
    }
}

fn end(json: &Value, heard: &mut Heard) {
    let finish = match text(&json["finish_reason"]) {
        "COMPLETE" | "STOP_SEQUENCE" => Finish::Stop,
        "MAX_TOKENS" => Finish::Length,
        "TOOL_CALL" => Finish::Calls,
        "ERROR_TOXIC" => Finish::Refused,
        "ERROR" | "TIMEOUT" => {
            heard.error = Some(Trouble::Fault);
            return;
        }
        "" => return,
        _ => Finish::Other,
    };
    heard.finish(finish);
    let usage = &json["usage"];
    let (billed, cached) = (&usage["billed_units"], count(&usage["cached_tokens"]));
    heard.used = billed.is_object().then(|| Used {
        input: count(&billed["input_tokens"]),
        cache_read: cached.min(count(&billed["input_tokens"])),
        cache_write: 0,
        output: count(&billed["output_tokens"]),
        reasoning: 0,
    });
}
