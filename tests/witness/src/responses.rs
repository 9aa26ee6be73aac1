//! OpenAI's Responses.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Call, Event, Finish, Heard, Trouble, Used, count, each, text, trouble};

pub(super) fn plain(json: &Value) -> Heard {
    let mut heard = Heard::default();
    if let Some(error) = json.get("error").filter(|error| !error.is_null()) {
        heard.error = Some(trouble(0, &[&error["code"], &error["type"]]));
        return heard;
    }
    if !json["output"].is_array() {
        return Heard::failed(Trouble::Garbage);
    }
    for item in each(&json["output"]) {
        say(item, &mut heard);
    }
    end(json, &mut heard);
    heard
}

pub(super) fn stream(events: &[Event]) -> Heard {
    let mut heard = Heard::default();
    let mut items: BTreeMap<u64, Value> = BTreeMap::new();
    for Event { json, .. } in events {
        let item = items.entry(count(&json["output_index"])).or_default();
        match text(&json["type"]) {
            "response.output_item.added" => item.clone_from(&json["item"]),
            "response.output_item.done" => finish_item(item, &json["item"]),
            "response.output_text.delta" | "response.refusal.delta" => {
                grow(item, "said", &json["delta"]);
            }
            "response.reasoning_summary_text.delta" | "response.reasoning_text.delta" => {
                grow(item, "thought", &json["delta"]);
            }
            "response.function_call_arguments.delta" => grow(item, "arguments", &json["delta"]),
            "response.custom_tool_call_input.delta" => grow(item, "input", &json["delta"]),
            // Some servers tell only the whole.
            "response.output_text.done" if !item["said"].is_string() => {
                grow(item, "said", &json["text"]);
            }
            "response.completed" | "response.incomplete" => end(&json["response"], &mut heard),
            "error" | "response.failed" if heard.error.is_none() => {
                let places = [&json["error"], &json["response"]["error"], json];
                let error = places.into_iter().find(|place| place["code"].is_string());
                let error = error.unwrap_or(&json["error"]);
                heard.error = Some(trouble(0, &[&error["code"], &error["type"]]));
            }
            _ => {}
        }
    }
    let (finish, used, error) = (heard.finish, heard.used, heard.error);
    for item in items.values() {
        say(item, &mut heard);
    }
    heard.finish = None;
    if let Some(finish) = finish.filter(|_| error.is_none()) {
        heard.finish(finish);
    }
    heard.used = used;
    heard
}

fn grow(item: &mut Value, member: &str, more: &Value) {
    let grown = text(&item[member]).to_owned() + text(more);
    item[member] = json!(grown);
}

/// The whole item, unless it says less than its parts did.
fn finish_item(item: &mut Value, whole: &Value) {
    let (mut before, mut after) = (Heard::default(), Heard::default());
    say(item, &mut before);
    say(whole, &mut after);
    let said = |heard: &Heard| heard.text.len() + heard.thought.len();
    if said(&after) >= said(&before) {
        item.clone_from(whole);
    }
}

fn say(item: &Value, heard: &mut Heard) {
    heard.thought += text(&item["thought"]);
    heard.text += text(&item["said"]);
    match text(&item["type"]) {
        "message" if !item["said"].is_string() => {
            for part in each(&item["content"]) {
                heard.text += text(&part["text"]);
                heard.text += text(&part["refusal"]);
            }
        }
        "reasoning" if !item["thought"].is_string() => {
            for part in each(&item["summary"]).chain(each(&item["content"])) {
                heard.thought += text(&part["text"]);
            }
        }
        "function_call" | "custom_tool_call" => heard.calls.push(Call {
            id: text(&item["call_id"]).to_owned(),
            name: text(&item["name"]).to_owned(),
            arguments: text(&item["arguments"]).to_owned() + text(&item["input"]),
        }),
        _ => {}
    }
}

fn end(response: &Value, heard: &mut Heard) {
    let refused = each(&response["output"])
        .flat_map(|item| each(&item["content"]))
        .any(|part| part["refusal"].is_string());
    let finish = match text(&response["status"]) {
        "incomplete" if text(&response["incomplete_details"]["reason"]) == "content_filter" => {
            Finish::Refused
        }
        "incomplete" => Finish::Length,
        "completed" if refused => Finish::Refused,
        "completed" => Finish::Stop,
        "failed" => return heard.error = Some(Trouble::Fault),
        _ => return,
    };
    heard.finish(finish);
    let usage = &response["usage"];
    heard.used = usage.is_object().then(|| Used {
        input: count(&usage["input_tokens"]),
        cache_read: count(&usage["input_tokens_details"]["cached_tokens"]),
        cache_write: count(&usage["input_tokens_details"]["cache_write_tokens"]),
        output: count(&usage["output_tokens"]),
        reasoning: count(&usage["output_tokens_details"]["reasoning_tokens"]),
    });
}
