//! What a stream without usage is billed for: its text, its thoughts, its calls, and nothing else.

use relay::dialects::estimate::Delivered;
use relay::dialects::watch::{Seen, Verdict, Watch};
use relay::dialects::{self, convert::Converter};
use shared::domain::dialect::Dialect::{
    self, Anthropic, Gemini, OpenaiChat, OpenaiCompletions, OpenaiResponses,
};

use crate::stage;

const THOUGHT: &str = "The user greets, so greet back.";
const TEXT: &str = "Hello! How can I \"help\" you today?";
const TOOL: &str = "get_weather";
const ARGUMENTS: &str = r#"{"city":"Paris","days":3}"#;

fn request(dialect: Dialect) -> &'static str {
    match dialect {
        Gemini => r#"{"contents":[{"parts":[{"text":"hi"}]}]}"#,
        OpenaiResponses => r#"{"model":"m","input":"hi"}"#,
        OpenaiCompletions => r#"{"model":"m","prompt":"hi"}"#,
        _ => r#"{"model":"m","max_tokens":99,"messages":[{"role":"user","content":"hi"}]}"#,
    }
}

/// The data of a stream that is cut before it tells any usage.
fn stream(dialect: Dialect) -> Vec<String> {
    let [thought, text, arguments] =
        [THOUGHT, TEXT, ARGUMENTS].map(|text| serde_json::Value::from(text).to_string());
    match dialect {
        OpenaiChat => vec![
            r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}"#.to_owned(),
            format!(
                r#"{{"choices":[{{"index":0,"delta":{{"content":"","reasoning":{thought},"reasoning_content":{thought}}}}}]}}"#
            ),
            format!(r#"{{"choices":[{{"index":0,"delta":{{"content":{text}}}}}]}}"#),
            format!(
                r#"{{"choices":[{{"index":0,"delta":{{"tool_calls":[{{"index":0,"id":"c","type":"function","function":{{"name":"{TOOL}","arguments":""}}}}]}}}}]}}"#
            ),
            format!(
                r#"{{"choices":[{{"index":0,"delta":{{"tool_calls":[{{"index":0,"function":{{"arguments":{arguments}}}}}]}}}}]}}"#
            ),
        ],
        OpenaiCompletions => vec![format!(
            r#"{{"choices":[{{"index":0,"text":{text}}}]}}"#
        )],
        OpenaiResponses => vec![
            r#"{"type":"response.created","response":{"id":"r","model":"m","instructions":"not this"}}"#.to_owned(),
            r#"{"type":"response.output_item.added","output_index":0,"item":{"id":"rs","type":"reasoning","summary":[]}}"#.to_owned(),
            format!(
                r#"{{"type":"response.reasoning_summary_text.delta","item_id":"rs","output_index":0,"summary_index":0,"delta":{thought}}}"#
            ),
            format!(
                r#"{{"type":"response.output_item.done","output_index":0,"item":{{"id":"rs","type":"reasoning","summary":[{{"type":"summary_text","text":{thought}}}]}}}}"#
            ),
            r#"{"type":"response.output_item.added","output_index":1,"item":{"id":"m","type":"message","role":"assistant","content":[]}}"#.to_owned(),
            format!(
                r#"{{"type":"response.output_text.delta","item_id":"m","output_index":1,"content_index":0,"delta":{text}}}"#
            ),
            format!(
                r#"{{"type":"response.output_item.done","output_index":1,"item":{{"id":"m","type":"message","role":"assistant","content":[{{"type":"output_text","text":{text}}}]}}}}"#
            ),
            format!(
                r#"{{"type":"response.output_item.added","output_index":2,"item":{{"id":"f","type":"function_call","call_id":"c","name":"{TOOL}","arguments":""}}}}"#
            ),
            format!(
                r#"{{"type":"response.function_call_arguments.delta","item_id":"f","output_index":2,"delta":{arguments}}}"#
            ),
        ],
        Anthropic => vec![
            r#"{"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"m","content":[],"usage":{"input_tokens":7,"output_tokens":1}}}"#.to_owned(),
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":""}}"#.to_owned(),
            format!(
                r#"{{"type":"content_block_delta","index":0,"delta":{{"type":"thinking_delta","thinking":{thought}}}}}"#
            ),
            r#"{"type":"content_block_stop","index":0}"#.to_owned(),
            r#"{"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}"#.to_owned(),
            format!(
                r#"{{"type":"content_block_delta","index":1,"delta":{{"type":"text_delta","text":{text}}}}}"#
            ),
            r#"{"type":"content_block_stop","index":1}"#.to_owned(),
            format!(
                r#"{{"type":"content_block_start","index":2,"content_block":{{"type":"tool_use","id":"t","name":"{TOOL}","input":{{}}}}}}"#
            ),
            format!(
                r#"{{"type":"content_block_delta","index":2,"delta":{{"type":"input_json_delta","partial_json":{arguments}}}}}"#
            ),
        ],
        _ => vec![
            format!(r#"{{"candidates":[{{"content":{{"parts":[{{"text":{thought},"thought":true}}]}}}}]}}"#),
            format!(r#"{{"candidates":[{{"content":{{"parts":[{{"text":{text}}}]}}}}]}}"#),
            format!(
                r#"{{"candidates":[{{"content":{{"parts":[{{"functionCall":{{"name":"{TOOL}","args":{ARGUMENTS}}}}}]}}}}]}}"#
            ),
        ],
    }
}

/// What a provider says instead of going on.
fn error(dialect: Dialect) -> &'static str {
    match dialect {
        Anthropic => {
            r#"{"type":"error","error":{"type":"overloaded_error","message":"A long text about load that nobody has generated."}}"#
        }
        OpenaiResponses => {
            r#"{"type":"response.failed","response":{"id":"r","status":"failed","error":{"code":"server_error","message":"A long text about load that nobody has generated."}}}"#
        }
        _ => {
            r#"{"error":{"code":503,"status":"UNAVAILABLE","message":"A long text about load that nobody has generated."}}"#
        }
    }
}

fn tokens(texts: &[&str]) -> u64 {
    let mut delivered = Delivered::default();
    for text in texts {
        delivered.add(text.as_bytes());
    }
    delivered.tokens()
}

fn all_of(dialect: Dialect) -> u64 {
    match dialect {
        OpenaiCompletions => tokens(&[TEXT]),
        _ => tokens(&[THOUGHT, TEXT, TOOL, ARGUMENTS]),
    }
}

fn watched(dialect: Dialect, events: &[&str]) -> Seen {
    let wanted = stage::wanted(dialect, request(dialect), true);
    let mut watch = dialects::caller(dialect).watch(&wanted);
    for data in events {
        watch.event(format!("data: {data}\n\n").as_bytes());
    }
    watch.seen().clone()
}

#[test]
fn thoughts_calls_and_text_of_a_cut_stream_count_in_the_express_lane() {
    for dialect in [
        OpenaiChat,
        OpenaiCompletions,
        OpenaiResponses,
        Anthropic,
        Gemini,
    ] {
        let data = stream(dialect);
        let events: Vec<&str> = data.iter().map(String::as_str).collect();
        let seen = watched(dialect, &events);
        assert!(seen.began && !seen.complete, "{dialect:?}");
        assert_eq!(seen.delivered.tokens(), all_of(dialect), "{dialect:?}");
    }
}

#[test]
fn thoughts_calls_and_text_of_a_cut_stream_count_in_the_conversion_lane() {
    for (from, to) in [
        (OpenaiChat, Anthropic),
        (OpenaiResponses, OpenaiChat),
        (Anthropic, OpenaiChat),
        (Gemini, OpenaiResponses),
    ] {
        let wanted = stage::wanted(to, request(to), true);
        let writer = dialects::caller(to).writer(&stage::asked(&wanted));
        let reader = dialects::provider(from).reader(&stage::destination(from, true));
        let mut converter = Converter::new(reader, writer, dialects::convert::Renames::default());
        for data in stream(from) {
            converter.event(format!("data: {data}\n\n").as_bytes());
        }
        let seen = converter.seen();
        assert_eq!(seen.delivered.tokens(), all_of(from), "{from:?} to {to:?}");
    }
}

#[test]
fn a_providers_error_is_nobodys_output() {
    for dialect in [
        OpenaiChat,
        OpenaiCompletions,
        OpenaiResponses,
        Anthropic,
        Gemini,
    ] {
        let wanted = stage::wanted(dialect, request(dialect), true);
        let mut watch = dialects::caller(dialect).watch(&wanted);
        for data in stream(dialect) {
            watch.event(format!("data: {data}\n\n").as_bytes());
        }
        let verdict = watch.event(format!("data: {}\n\n", error(dialect)).as_bytes());
        assert!(matches!(verdict, Verdict::Fail(_)), "{dialect:?}");
        let counted = watch.seen().delivered.tokens();
        assert_eq!(counted, all_of(dialect), "{dialect:?}");
    }
}

#[test]
fn a_plain_answer_counts_its_calls() {
    for (dialect, body) in [
        (
            OpenaiChat,
            format!(
                r#"{{"id":"x","choices":[{{"message":{{"role":"assistant","content":null,"tool_calls":[{{"id":"c","type":"function","function":{{"name":"{TOOL}","arguments":{}}}}}]}}}}]}}"#,
                serde_json::Value::from(ARGUMENTS)
            ),
        ),
        (
            Anthropic,
            format!(
                r#"{{"id":"m","type":"message","content":[{{"type":"tool_use","id":"t","name":"{TOOL}","input":{ARGUMENTS}}}]}}"#
            ),
        ),
        (
            Gemini,
            format!(
                r#"{{"candidates":[{{"content":{{"parts":[{{"functionCall":{{"name":"{TOOL}","args":{ARGUMENTS}}}}}]}}}}]}}"#
            ),
        ),
        (
            OpenaiResponses,
            format!(
                r#"{{"status":"completed","output":[{{"type":"function_call","call_id":"c","name":"{TOOL}","arguments":{}}}]}}"#,
                serde_json::Value::from(ARGUMENTS)
            ),
        ),
    ] {
        let seen = dialects::caller(dialect)
            .read_reply(body.as_bytes())
            .unwrap();
        let (counted, expected) = (seen.delivered.tokens(), tokens(&[TOOL, ARGUMENTS]));
        assert!(
            counted.abs_diff(expected) <= 1,
            "{dialect:?}: {counted} for {expected}"
        );
    }
}
