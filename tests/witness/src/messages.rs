//! Anthropic's Messages.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Call, Event, Finish, Heard, Trouble, Used, count, each, text, trouble};

pub(super) fn plain(message: &Value) -> Heard {
    let mut heard = Heard::default();
    if message["type"] == "error" || message["error"].is_object() {
        heard.error = Some(trouble(0, &[&message["error"]["type"]]));
        return heard;
    }
    if !message["content"].is_array() {
        return Heard::failed(Trouble::Garbage);
    }
    for block in each(&message["content"]) {
        say(block, &mut heard);
    }
    if let Some(finish) = finish(&message["stop_reason"]) {
        heard.finish(finish);
    }
    heard.used = used(&message["usage"]);
    heard
}

pub(super) fn stream(events: &[Event]) -> Heard {
    let mut heard = Heard::default();
    let mut usage = Map::new();
    let mut blocks: BTreeMap<u64, Value> = BTreeMap::new();
    let mut ended = None;
    for Event { name, json } in events {
        let block = blocks.entry(count(&json["index"])).or_default();
        match text(&json["type"]) {
            "message_start" => merge(&mut usage, &json["message"]["usage"]),
            "content_block_start" => {
                block.clone_from(&json["content_block"]);
            }
            "content_block_delta" => grow(block, &json["delta"]),
            "message_delta" => {
                merge(&mut usage, &json["usage"]);
                ended = finish(&json["delta"]["stop_reason"]).or(ended);
            }
            "message_stop" => break,
            "error" => {
                heard.error = Some(trouble(0, &[&json["error"]["type"]]));
                break;
            }
            _ if name == "error" => {
                heard.error = Some(Trouble::Fault);
                break;
            }
            _ => {}
        }
    }
    for block in blocks.values() {
        say(block, &mut heard);
    }
    heard.used = used(&Value::Object(usage));
    if let Some(ended) = ended.filter(|_| heard.error.is_none()) {
        heard.finish(ended);
    }
    heard
}

fn grow(block: &mut Value, delta: &Value) {
    let (member, more) = match text(&delta["type"]) {
        "text_delta" => ("text", &delta["text"]),
        "thinking_delta" => ("thinking", &delta["thinking"]),
        "input_json_delta" => ("written", &delta["partial_json"]),
        _ => return,
    };
    let grown = text(&block[member]).to_owned() + text(more);
    block[member] = json!(grown);
}

fn say(block: &Value, heard: &mut Heard) {
    match text(&block["type"]) {
        "text" => heard.text += text(&block["text"]),
        "thinking" => heard.thought += text(&block["thinking"]),
        "tool_use" => {
            let written = text(&block["written"]);
            let input = if written.is_empty() {
                block["input"].to_string()
            } else {
                written.to_owned()
            };
            heard.calls.push(Call {
                id: text(&block["id"]).to_owned(),
                name: text(&block["name"]).to_owned(),
                arguments: input,
            });
        }
        _ => {}
    }
}

/// Later values replace earlier ones, and nothing replaces none.
fn merge(usage: &mut Map<String, Value>, more: &Value) {
    for (name, value) in more.as_object().into_iter().flatten() {
        if !value.is_null() {
            usage.insert(name.clone(), value.clone());
        }
    }
}

fn finish(word: &Value) -> Option<Finish> {
    Some(match word.as_str()? {
        "end_turn" | "stop_sequence" | "pause_turn" | "compaction" => Finish::Stop,
        "max_tokens" | "model_context_window_exceeded" => Finish::Length,
        "tool_use" => Finish::Calls,
        "refusal" => Finish::Refused,
        _ => Finish::Other,
    })
}

fn used(usage: &Value) -> Option<Used> {
    usage["output_tokens"].as_u64()?;
    // What a compaction used is told beside the total, and not in it.
    let compactions =
        each(&usage["iterations"]).filter(|iteration| iteration["type"] == "compaction");
    let mut used = Used {
        reasoning: count(&usage["output_tokens_details"]["thinking_tokens"]),
        ..Used::default()
    };
    for part in compactions.chain([usage]) {
        let read = count(&part["cache_read_input_tokens"]);
        let write = count(&part["cache_creation_input_tokens"]);
        used.input += count(&part["input_tokens"]) + read + write;
        used.cache_read += read;
        used.cache_write += write;
        used.output += count(&part["output_tokens"]);
    }
    Some(used)
}
