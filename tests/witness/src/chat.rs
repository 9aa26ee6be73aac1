//! OpenAI's chat, and what others make of it.

use serde_json::Value;

use super::{Call, Event, Finish, Heard, Trouble, Used, count, each, text, trouble};

pub(super) fn plain(provider: &str, json: &Value) -> Heard {
    let mut heard = Heard::default();
    if let Some(error) = error(json) {
        heard.error = Some(error);
        return heard;
    }
    let Some(choice) = json["choices"].get(0) else {
        return Heard::failed(Trouble::Garbage);
    };
    let mut calls = Vec::new();
    say(&choice["message"], &mut heard, &mut calls);
    heard.calls = calls.into_iter().map(|(_, call)| call).collect();
    heard.finish(finish(&choice["finish_reason"]).unwrap_or(Finish::Stop));
    heard.used = used(provider, json);
    heard
}

pub(super) fn stream(provider: &str, events: &[Event], done: bool) -> Heard {
    let mut heard = Heard::default();
    let mut calls = Vec::new();
    let mut ended = None;
    for Event { name, json } in events {
        if let Some(used) = used(provider, json) {
            heard.used = Some(used);
        }
        let failed = error(json).or((name == "error").then_some(Trouble::Fault));
        if let Some(error) = failed {
            heard.error = Some(error);
            break;
        }
        let choice = &json["choices"][0];
        say(&choice["delta"], &mut heard, &mut calls);
        ended = ended.or_else(|| finish(&choice["finish_reason"]));
    }
    heard.calls = calls.into_iter().map(|(_, call)| call).collect();
    // Some servers say that they are done, and not why.
    let done = Some(Finish::Stop).filter(|_| done && heard.error.is_none());
    if let Some(ended) = ended.or(done).filter(|_| heard.error.is_none()) {
        heard.finish(ended);
    }
    heard
}

/// A message, or what is added to one.
fn say(message: &Value, heard: &mut Heard, calls: &mut Vec<(Key, Call)>) {
    heard.text += text(&message["content"]);
    for part in each(&message["content"]) {
        heard.text += text(&part["text"]);
        for thought in each(&part["thinking"]) {
            heard.thought += text(&thought["text"]);
        }
    }
    heard.text += text(&message["refusal"]);
    let thoughts = [&message["reasoning_content"], &message["reasoning"]];
    match thoughts
        .into_iter()
        .map(text)
        .find(|thought| !thought.is_empty())
    {
        Some(thought) => heard.thought += thought,
        None => {
            for detail in each(&message["reasoning_details"]) {
                heard.thought += text(&detail["text"]);
                heard.thought += text(&detail["summary"]);
            }
        }
    }
    for call in each(&message["tool_calls"]) {
        add(call, calls);
    }
}

/// By what the parts of a call belong together.
type Key = (Option<u64>, String);

fn add(part: &Value, calls: &mut Vec<(Key, Call)>) {
    let (index, id) = (part["index"].as_u64(), text(&part["id"]));
    let function = if part["custom"].is_object() {
        &part["custom"]
    } else {
        &part["function"]
    };
    let name = text(&function["name"]);
    let known = calls
        .iter()
        .rposition(|((known_index, known_id), _)| match index {
            Some(_) => {
                *known_index == index && (id.is_empty() || known_id.is_empty() || known_id == id)
            }
            None => !id.is_empty() && known_id == id,
        });
    // Without an index and an id, a name begins a call, and the rest belongs to the last one.
    let last = calls.len().checked_sub(1);
    let known =
        known.or_else(|| last.filter(|_| index.is_none() && id.is_empty() && name.is_empty()));
    let at = known.unwrap_or_else(|| {
        calls.push(((index, id.to_owned()), Call::default()));
        calls.len() - 1
    });
    let (_, call) = &mut calls[at];
    if call.id.is_empty() {
        id.clone_into(&mut call.id);
    }
    if call.name.is_empty() {
        name.clone_into(&mut call.name);
    }
    match &function["arguments"] {
        Value::Object(object) => call.arguments = Value::Object(object.clone()).to_string(),
        arguments => call.arguments += text(arguments),
    }
    call.arguments += text(&function["input"]);
}

fn finish(word: &Value) -> Option<Finish> {
    Some(match word.as_str()? {
        "stop" | "eos" | "end_turn" => Finish::Stop,
        "length" | "model_length" => Finish::Length,
        "tool_calls" | "function_call" => Finish::Calls,
        "content_filter" | "sensitive" | "refusal" => Finish::Refused,
        "" => return None,
        _ => Finish::Other,
    })
}

fn error(json: &Value) -> Option<Trouble> {
    let error = json.get("error").filter(|error| !error.is_null())?;
    let words = [
        &error["status_code"],
        &error["code"],
        &error["type"],
        &error["status"],
    ];
    Some(trouble(0, &words))
}

fn used(provider: &str, json: &Value) -> Option<Used> {
    let places = [
        &json["usage"],
        &json["choices"][0]["usage"],
        &json["x_groq"]["usage"],
    ];
    let usage = places.into_iter().find(|usage| usage.is_object())?;
    let (input, output) = (
        &usage["prompt_tokens_details"],
        &usage["completion_tokens_details"],
    );
    let reasoning = count(&output["reasoning_tokens"]);
    let cached = [
        &input["cached_tokens"],
        &usage["prompt_cache_hit_tokens"],
        &usage["cached_tokens"],
    ];
    // xAI tells reasoning apart from the completion.
    let apart = if provider == "xai" { reasoning } else { 0 };
    Some(Used {
        input: count(&usage["prompt_tokens"]),
        cache_read: cached.into_iter().map(count).max().unwrap_or(0),
        cache_write: count(&input["cache_write_tokens"]),
        output: count(&usage["completion_tokens"]) + apart,
        reasoning,
    })
}
