//! State that a provider hands out comes back to it through every caller, who carries it without
//! knowing; and it goes to nobody else.

use serde_json::{Value, json};
use shared::domain::dialect::Dialect;

use crate::golden::{plain, request_text, write_plain};
use crate::stage::{CALLERS, UPSTREAMS, caller, converted, nothing, wanted};

/// The state in the answer `reasoning_replay` of a provider.
fn state(of: Dialect) -> &'static [&'static str] {
    match of {
        Dialect::OpenaiResponses => &["c2VhbGVk"],
        Dialect::Anthropic => &["c2lnbmVk", "aGlkZGVu"],
        Dialect::Gemini => &["c2lnbmVk"],
        Dialect::Bedrock => &["c2lnbmVk", "YUdsa1pHVnU="],
        _ => &[],
    }
}

/// What a caller asks next, after an answer that calls a tool: the answer as it came, and a result.
fn next(from: Dialect, answer: &Value) -> Value {
    let mut request: Value = serde_json::from_str(&request_text(from, "reasoning_replay")).unwrap();
    let (history, said) = match from {
        Dialect::OpenaiChat => {
            let message = answer["choices"][0]["message"].clone();
            let id = message["tool_calls"][0]["id"].clone();
            let result = json!({ "role": "tool", "tool_call_id": id, "content": "18" });
            ("messages", vec![message, result])
        }
        Dialect::OpenaiResponses => {
            let mut items = answer["output"].as_array().unwrap().clone();
            // State of a call stands behind it, as an item of its own.
            let id = items.iter().find_map(|item| item.get("call_id")).unwrap();
            let result = json!({ "type": "function_call_output", "call_id": id, "output": "18" });
            items.push(result);
            ("input", items)
        }
        Dialect::Anthropic => {
            let content = answer["content"].clone();
            let id = content.as_array().unwrap().last().unwrap()["id"].clone();
            let result = json!([{ "type": "tool_result", "tool_use_id": id, "content": "18" }]);
            let said = vec![
                json!({ "role": "assistant", "content": content }),
                json!({ "role": "user", "content": result }),
            ];
            ("messages", said)
        }
        _ => {
            let response = json!({ "name": "get_weather", "response": { "result": "18" } });
            let result = json!([{ "functionResponse": response }]);
            let said = vec![
                answer["candidates"][0]["content"].clone(),
                json!({ "role": "user", "parts": result }),
            ];
            ("contents", said)
        }
    };
    let history = request[history].as_array_mut().unwrap();
    history.truncate(1);
    history.extend(said);
    request
}

#[test]
fn state_comes_back_to_who_has_made_it_and_to_nobody_else() {
    let mut wrong = Vec::new();
    for from in CALLERS {
        let asked = wanted(from, &request_text(from, "reasoning_replay"), false);
        for of in UPSTREAMS {
            let body = write_plain(caller(from), of, &asked, &plain(of, "reasoning_replay"));
            let answer: Value = serde_json::from_slice(&body).unwrap();
            let again = wanted(from, &next(from, &answer).to_string(), false);
            for to in UPSTREAMS {
                let written = converted(&again, from, to).unwrap();
                let written = String::from_utf8(written.body.to_vec()).unwrap();
                // Claude's state is good wherever Claude runs, and there is no other way to say it.
                let claude = [Dialect::Anthropic, Dialect::Bedrock];
                let fitting = of == to || claude.contains(&of) && claude.contains(&to);
                let there = state(of)
                    .iter()
                    .filter(|state| written.contains(*state))
                    .count();
                let right = if of == to {
                    there == state(of).len()
                } else {
                    fitting || there == 0
                };
                if !right || written.contains("th1.") {
                    wrong.push(format!("{from}, {of}'s to {to}: {written}"));
                }
            }
        }
    }
    nothing(&wrong);
}
