//! Gemini's generateContent.

use serde_json::{Map, Value, json};

use super::{Call, Event, Finish, Heard, Trouble, Used, count, each, text, trouble};

pub(super) fn plain(json: &Value) -> Heard {
    all(std::slice::from_ref(json))
}

pub(super) fn stream(events: &[Event]) -> Heard {
    let chunks: Vec<Value> = events.iter().map(|event| event.json.clone()).collect();
    all(&chunks)
}

fn all(chunks: &[Value]) -> Heard {
    let mut heard = Heard::default();
    let mut ended = None;
    // Whether more arguments of the last call are to come.
    let mut open = false;
    for chunk in chunks {
        let chunk = if chunk.is_array() { &chunk[0] } else { chunk };
        if let Some(error) = chunk.get("error") {
            heard.error = Some(trouble(0, &[&error["code"], &error["status"]]));
            break;
        }
        let known = ["candidates", "promptFeedback", "usageMetadata"];
        if !known.iter().any(|member| chunk.get(member).is_some()) {
            return Heard::failed(Trouble::Garbage);
        }
        let candidate = &chunk["candidates"][0];
        for part in each(&candidate["content"]["parts"]) {
            say(part, &mut heard, &mut open);
        }
        if chunk["promptFeedback"]["blockReason"].is_string() {
            ended = Some(Finish::Refused);
        }
        ended = finish(&candidate["finishReason"]).or(ended);
        heard.used = used(&chunk["usageMetadata"]).or(heard.used);
    }
    if let Some(ended) = ended.filter(|_| heard.error.is_none()) {
        heard.finish(ended);
    }
    heard
}

fn say(part: &Value, heard: &mut Heard, open: &mut bool) {
    if part["thought"] == true {
        heard.thought += text(&part["text"]);
    } else {
        heard.text += text(&part["text"]);
    }
    let Some(call) = part.get("functionCall") else {
        return;
    };
    let name = text(&call["name"]);
    if !*open || !name.is_empty() {
        // What closes a call has no name, and may come without one that is open.
        if name.is_empty() {
            return;
        }
        heard.calls.push(Call {
            id: text(&call["id"]).to_owned(),
            name: name.to_owned(),
            arguments: "{}".to_owned(),
        });
    }
    *open = call["willContinue"] == true;
    let last = heard.calls.last_mut().unwrap();
    if call["args"].is_object() {
        last.arguments = call["args"].to_string();
    }
    let mut arguments: Value = serde_json::from_str(&last.arguments).unwrap();
    for piece in each(&call["partialArgs"]) {
        put(&mut arguments, piece);
        last.arguments = arguments.to_string();
    }
}

/// Puts a piece where its path says: `$.a.b[0]`.
fn put(arguments: &mut Value, piece: &Value) {
    let path = text(&piece["jsonPath"])
        .trim_start_matches('$')
        .replace('[', ".")
        .replace(']', "");
    let mut place = arguments;
    for step in path.split('.').filter(|step| !step.is_empty()) {
        place = match step.parse::<usize>() {
            Ok(at) => {
                if !place.is_array() {
                    *place = json!([]);
                }
                let array = place.as_array_mut().unwrap();
                array.resize(array.len().max(at + 1), Value::Null);
                &mut array[at]
            }
            Err(_) => {
                if !place.is_object() {
                    *place = Value::Object(Map::new());
                }
                place
                    .as_object_mut()
                    .unwrap()
                    .entry(step)
                    .or_insert(Value::Null)
            }
        };
    }
    *place = match (
        piece.get("stringValue"),
        piece.get("numberValue"),
        piece.get("boolValue"),
    ) {
        (Some(more), ..) => json!(text(place).to_owned() + text(more)),
        (_, Some(number), _) => number.clone(),
        (_, _, Some(yes)) => yes.clone(),
        _ => Value::Null,
    };
}

fn finish(word: &Value) -> Option<Finish> {
    Some(match word.as_str()? {
        "STOP" => Finish::Stop,
        "MAX_TOKENS" => Finish::Length,
        "SAFETY"
        | "RECITATION"
        | "LANGUAGE"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION"
        | "MODEL_ARMOR" => Finish::Refused,
        "FINISH_REASON_UNSPECIFIED" => return None,
        _ => Finish::Other,
    })
}

fn used(usage: &Value) -> Option<Used> {
    usage["promptTokenCount"]
        .as_u64()
        .or_else(|| usage["totalTokenCount"].as_u64())?;
    let thoughts = count(&usage["thoughtsTokenCount"]);
    Some(Used {
        input: count(&usage["promptTokenCount"]) + count(&usage["toolUsePromptTokenCount"]),
        cache_read: count(&usage["cachedContentTokenCount"]),
        cache_write: 0,
        output: count(&usage["candidatesTokenCount"]) + thoughts,
        reasoning: thoughts,
    })
}
