//! Bedrock's Converse.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Call, Event, Finish, Heard, Trouble, Used, count, each, text, trouble};

pub(super) fn plain(json: &Value) -> Heard {
    let mut heard = Heard::default();
    if !json["output"]["message"].is_object() {
        return Heard::failed(Trouble::Garbage);
    }
    for block in each(&json["output"]["message"]["content"]) {
        say(block, &mut heard);
    }
    if let Some(finish) = finish(&json["stopReason"]) {
        heard.finish(finish);
    }
    heard.used = used(&json["usage"]);
    heard
}

pub(super) fn stream(frames: &[Event]) -> Heard {
    let mut heard = Heard::default();
    let mut blocks: BTreeMap<u64, Value> = BTreeMap::new();
    let mut ended = None;
    for Event { name, json } in frames {
        let block = blocks.entry(count(&json["contentBlockIndex"])).or_default();
        match name.as_str() {
            "contentBlockStart" => block.clone_from(&json["start"]),
            "contentBlockDelta" => grow(block, &json["delta"]),
            "messageStop" => ended = finish(&json["stopReason"]),
            "metadata" => heard.used = used(&json["usage"]),
            "messageStart" | "contentBlockStop" => {}
            exception if exception.ends_with("Exception") => {
                let said = json!(exception);
                heard.error = Some(match text(&said) {
                    _ if json["originalStatusCode"].is_u64() => {
                        trouble(0, &[&json["originalStatusCode"]])
                    }
                    "modelStreamErrorException" => Trouble::Fault,
                    _ => trouble(0, &[&said]),
                });
                break;
            }
            _ => {}
        }
    }
    for block in blocks.values() {
        say(block, &mut heard);
    }
    if let Some(ended) = ended.filter(|_| heard.error.is_none()) {
        heard.finish(ended);
    }
    heard
}

fn grow(block: &mut Value, delta: &Value) {
    let more = |value: &Value, more: &str| json!(text(value).to_owned() + more);
    if let Some(said) = delta["text"].as_str() {
        block["text"] = more(&block["text"], said);
    }
    if let Some(thought) = delta["reasoningContent"]["text"].as_str() {
        let grown = more(&block["reasoningContent"]["reasoningText"]["text"], thought);
        block["reasoningContent"]["reasoningText"]["text"] = grown;
    }
    if let Some(input) = delta["toolUse"]["input"].as_str() {
        block["toolUse"]["written"] = more(&block["toolUse"]["written"], input);
    }
}

fn say(block: &Value, heard: &mut Heard) {
    heard.text += text(&block["text"]);
    for part in each(&block["citationsContent"]["content"]) {
        heard.text += text(&part["text"]);
    }
    heard.thought += text(&block["reasoningContent"]["reasoningText"]["text"]);
    let call = &block["toolUse"];
    // Tools of the provider's own are called and answered there.
    if call["toolUseId"].is_string() && call["type"] != "server_tool_use" {
        let written = text(&call["written"]);
        let input = match &call["input"] {
            Value::Null if written.is_empty() => "{}".to_owned(),
            Value::Null => written.to_owned(),
            input => input.to_string(),
        };
        heard.calls.push(Call {
            id: text(&call["toolUseId"]).to_owned(),
            name: text(&call["name"]).to_owned(),
            arguments: input,
        });
    }
}

fn finish(word: &Value) -> Option<Finish> {
    Some(match word.as_str()? {
        "end_turn" | "stop_sequence" => Finish::Stop,
        "max_tokens" | "model_context_window_exceeded" => Finish::Length,
        "tool_use" => Finish::Calls,
        "guardrail_intervened" | "content_filtered" => Finish::Refused,
        _ => Finish::Other,
    })
}

fn used(usage: &Value) -> Option<Used> {
    usage["outputTokens"].as_u64()?;
    let (read, write) = (
        count(&usage["cacheReadInputTokens"]),
        count(&usage["cacheWriteInputTokens"]),
    );
    Some(Used {
        input: count(&usage["inputTokens"]) + read + write,
        cache_read: read,
        cache_write: write,
        output: count(&usage["outputTokens"]),
        reasoning: 0,
    })
}
