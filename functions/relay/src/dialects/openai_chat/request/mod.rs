//! Requests, in both directions.

pub(super) mod read;
pub(super) mod write;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use shared::domain::provider::Provider;
    use shared::domain::provider::card::{Auth, Quirk};

    use super::*;
    use crate::dialects::neutral::request::{Effort, Source, ToolChoice};
    use crate::dialects::neutral::{Block, Field, Kind, Opaque, Origin, Request, Role, Turn};
    use crate::dialects::{Destination, Written};

    const PLAIN: Provider = Provider {
        name: "plain",
        label: "Plain",
        base_url: None,
        speaks: &[],
        auth: Auth::None,
        credential: &[],
        names: &[],
        quirks: &[Quirk::MaxTokens],
        docs: "",
    };
    const ALL: Provider = Provider {
        quirks: &[Quirk::Openai, Quirk::CacheControl, Quirk::ReasoningContent],
        ..PLAIN
    };
    const MEASURED: Provider = Provider {
        quirks: &[Quirk::ReasoningDetails, Quirk::CacheControl],
        ..PLAIN
    };

    fn of(value: &Value) -> Request {
        read::read(value.to_string().as_bytes()).unwrap()
    }

    fn write_to(request: &Request, card: &Provider, model: &str) -> Written {
        let to = Destination {
            model,
            stream: false,
            card,
        };
        write::write(request, &to).unwrap()
    }

    fn again(value: &Value, card: &Provider, model: &str) -> Value {
        let written = write_to(&of(value), card, model);
        serde_json::from_slice(&written.body).unwrap()
    }

    #[test]
    fn a_request_comes_back_as_it_was() {
        let request = json!({
            "model": "gpt-5.2",
            "messages": [
                {"role": "developer", "content": [{"type": "text", "text": "Be brief", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]},
                {"role": "user", "name": "ada", "content": [
                    {"type": "text", "text": "Look", "x": {"deep": 1.0}},
                    {"type": "image_url", "image_url": {"url": "https://a/b.png", "detail": "high"}},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}},
                    {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "mp3"}},
                    {"type": "file", "file": {"file_data": "data:application/pdf;base64,QUJD", "filename": "a.pdf"}},
                    {"type": "file", "file": {"file_id": "file-1"}},
                    {"type": "new_part", "new": [1, {"a": null}]},
                ]},
                {"role": "assistant", "content": null, "reasoning_content": "Hm.", "tool_calls": [
                    {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{\"id\": 9007199254740993, \"x\":1.0}"}},
                    {"id": "call_2", "type": "custom", "custom": {"name": "shell", "input": "ls \"-l\""}},
                ]},
                {"role": "tool", "tool_call_id": "call_1", "content": "1"},
                {"role": "tool", "tool_call_id": "call_2", "content": [{"type": "text", "text": "2"}, {"type": "text", "text": "3"}]},
                {"role": "assistant", "content": "Done", "audio": {"id": "audio_1"}},
                {"role": "developer", "content": "Now in French"},
                {"role": "assistant", "content": null, "refusal": "No."},
                {"role": "user", "content": "Why?"},
            ],
            "tools": [
                {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object", "properties": {"b": {}, "a": {"minimum": 1.0}}}, "strict": true, "more": 1}, "cache_control": {"type": "ephemeral"}},
                {"type": "function", "function": {"name": "g"}},
                {"type": "custom", "custom": {"name": "shell", "description": "d", "format": {"type": "text"}}},
                {"type": "new_tool", "new_tool": {"a": 1}},
            ],
            "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {"name": "f"}}, {"type": "custom", "custom": {"name": "shell"}}]}},
            "parallel_tool_calls": false,
            "max_completion_tokens": 100,
            "seed": 9007199254740993_u64,
            "stop": ["a", "b"],
            "n": 1,
            "reasoning_effort": "low",
            "response_format": {"type": "json_schema", "json_schema": {"name": "n", "description": "d", "strict": true, "schema": {"type": "object"}, "new": 1}},
            "user": "u",
            "store": true,
            "metadata": {"k": "v"},
            "service_tier": "flex",
        });
        assert_eq!(again(&request, &ALL, "gpt-5.2"), request);
        let sampled = json!({
            "model": "gpt-4o",
            "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}],
            "temperature": 0.70, "top_p": 1, "presence_penalty": 0.5, "frequency_penalty": -1,
            "logit_bias": {"50256": -100}, "logprobs": true, "top_logprobs": 3,
            "response_format": {"type": "json_object"},
            "unknown": {"a": [1, 2.50]},
        });
        assert_eq!(again(&sampled, &ALL, "gpt-4o"), sampled);
        let details = json!({
            "model": "m",
            "messages": [
                {"role": "user", "content": [
                    {"type": "video_url", "video_url": {"url": "https://a/b.mp4"}},
                    {"type": "file", "file": {"file_data": "https://a/b.pdf", "filename": "b.pdf"}},
                ]},
                {"role": "assistant", "content": "a", "reasoning_details": [
                    {"type": "reasoning.text", "text": "t", "signature": "s", "format": "f", "index": 0},
                    {"type": "reasoning.encrypted", "data": "d", "id": "i", "index": 1},
                ]},
                {"role": "assistant", "content": "b", "reasoning": "plain"},
            ],
            "reasoning": {"effort": "high", "exclude": true},
            "top_k": 5,
        });
        assert_eq!(again(&details, &MEASURED, "m"), details);
    }

    #[test]
    fn numbers_and_schemas_keep_their_text() {
        let body = br#"{"messages":[{"role":"user","content":"u"}],"temperature":0.70,
            "tools":[{"type":"function","function":{"name":"f","parameters":{"b": 1.0, "a":1e400}}}]}"#;
        let written = write_to(&read::read(body).unwrap(), &PLAIN, "m");
        let text = String::from_utf8(written.body.to_vec()).unwrap();
        assert!(text.contains(r#""temperature":0.70"#), "{text}");
        assert!(
            text.contains(r#""parameters":{"b": 1.0, "a":1e400}"#),
            "{text}"
        );
    }

    #[test]
    fn wrong_types_name_their_place() {
        for (body, field) in [
            (json!({"messages": "hi"}), "messages"),
            (json!({"messages": [7]}), "messages[0]"),
            (json!({"messages": [{"content": "x"}]}), "messages[0].role"),
            (
                json!({"messages": [{"role": "king", "content": "x"}]}),
                "messages[0].role",
            ),
            (
                json!({"messages": [{"role": "user", "content": 7}]}),
                "messages[0].content",
            ),
            (
                json!({"messages": [{"role": "user", "content": [{"text": "x"}]}]}),
                "messages[0].content[0].type",
            ),
            (
                json!({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}),
                "messages[0].content[0].image_url",
            ),
            (
                json!({"messages": [{"role": "tool", "content": "x"}]}),
                "messages[0].tool_call_id",
            ),
            (
                json!({"messages": [{"role": "assistant", "tool_calls": [{"id": "a", "function": {}}]}]}),
                "messages[0].tool_calls[0].function.name",
            ),
            (
                json!({"messages": [], "tools": [{"type": "function"}]}),
                "tools[0].function",
            ),
            (
                json!({"messages": [], "tools": [{"type": "function", "function": {"name": "f", "parameters": 1}}]}),
                "tools[0].function.parameters",
            ),
            (
                json!({"messages": [], "tool_choice": "maybe"}),
                "tool_choice",
            ),
            (json!({"messages": [], "temperature": "hot"}), "temperature"),
            (json!({"messages": [], "stop": [1]}), "stop"),
            (
                json!({"messages": [], "response_format": {"type": "xml"}}),
                "response_format.type",
            ),
            (
                json!({"messages": [], "response_format": {"type": "json_schema"}}),
                "response_format.json_schema",
            ),
            (json!({"messages": [], "max_tokens": 1.5}), "max_tokens"),
        ] {
            let failure = read::read(body.to_string().as_bytes()).unwrap_err();
            assert_eq!(failure.field.as_deref(), Some(field), "{body}");
        }
    }

    #[test]
    fn members_of_imitators_are_understood() {
        for (members, enabled, effort, budget) in [
            (
                json!({"reasoning_effort": "high"}),
                None,
                Some(Effort::High),
                None,
            ),
            (
                json!({"reasoning": {"max_tokens": 2000}}),
                None,
                None,
                Some(2000),
            ),
            (
                json!({"reasoning": {"effort": "low", "enabled": true}}),
                Some(true),
                Some(Effort::Low),
                None,
            ),
            (
                json!({"thinking": {"type": "enabled", "budget_tokens": 9}}),
                Some(true),
                None,
                Some(9),
            ),
            (
                json!({"thinking": {"type": "disabled"}}),
                Some(false),
                None,
                None,
            ),
            (
                json!({"enable_thinking": true, "thinking_budget": 7}),
                Some(true),
                None,
                Some(7),
            ),
        ] {
            let mut body = members.clone();
            body["messages"] = json!([]);
            let reasoning = of(&body).reasoning.unwrap();
            let read = (reasoning.enabled, reasoning.effort, reasoning.budget);
            assert_eq!(read, (enabled, effort, budget), "{members}");
        }
    }

    #[test]
    fn functions_from_before_there_were_tools_become_tools() {
        let request = of(&json!({
            "messages": [
                {"role": "user", "content": "u"},
                {"role": "assistant", "content": null, "function_call": {"name": "f", "arguments": "{}"}},
                {"role": "function", "name": "f", "content": "1"},
            ],
            "functions": [{"name": "f", "parameters": {"type": "object"}}],
            "function_call": {"name": "f"},
        }));
        assert_eq!(request.tool_choice, Some(ToolChoice::Named("f".to_owned())));
        let written: Value = serde_json::from_slice(&write_to(&request, &PLAIN, "m").body).unwrap();
        let (call, result) = (&written["messages"][1], &written["messages"][2]);
        assert_eq!(call["tool_calls"][0]["id"], result["tool_call_id"]);
        assert_eq!(result["role"], "tool");
        assert_eq!(written["tools"][0]["function"]["name"], "f");
    }

    #[test]
    fn what_callers_carry_for_others_is_opened() {
        let claude = Opaque::new(Origin::Anthropic, "sig");
        let gemini = Opaque::new(Origin::google(), "thought");
        let sealed = claude.seal(Origin::OpenaiChat);
        let request = of(&json!({"messages": [{"role": "assistant", "content": "a",
            "reasoning_content": "Hm.",
            "reasoning_details": [{"type": "reasoning.text", "signature": sealed, "index": 0, "length": 3}],
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": ""},
                "extra_content": {"google": {"thought_signature": "thought"}}}],
        }]}));
        let blocks = &request.turns[0].content.blocks;
        assert!(matches!(&blocks[0].kind, Kind::Reasoning(text) if text == "Hm."));
        assert_eq!(blocks[0].opaque, Some(claude));
        assert_eq!(blocks[2].opaque, Some(gemini));
        // None of it is this provider's own.
        let written = write_to(&request, &PLAIN, "m");
        let text = String::from_utf8(written.body.to_vec()).unwrap();
        assert!(
            !text.contains("th1.") && !text.contains("thought"),
            "{text}"
        );
        assert!(written.notes.dropped.contains(&Field::ReasoningHistory));
        assert!(text.contains(r#""arguments":"{}""#), "{text}");
    }

    #[test]
    fn media_of_results_follow_after_all_of_them() {
        let picture = Block::new(Kind::Image(super::super::media::read_url(
            "data:image/png;base64,QQ",
        )));
        let result = |id: &str, block: Block, failed| {
            Block::new(Kind::ToolResult(
                crate::dialects::neutral::request::ToolResult {
                    id: id.to_owned(),
                    name: None,
                    content: crate::dialects::neutral::request::Content::blocks(vec![block]),
                    failed,
                },
            ))
        };
        let turn = |role, blocks| {
            Turn::new(
                role,
                crate::dialects::neutral::request::Content::blocks(blocks),
            )
        };
        let request = Request {
            turns: vec![
                turn(Role::User, vec![Block::text("go")]),
                turn(
                    Role::Assistant,
                    vec![
                        Block::text(""),
                        Block::call("a", "f", "{}"),
                        Block::call("b", "f", "{}"),
                    ],
                ),
                turn(
                    Role::User,
                    vec![
                        Block::text("and?"),
                        result("a", picture, None),
                        result("b", Block::text("boom"), Some(true)),
                    ],
                ),
            ],
            ..Request::default()
        };
        let written = write_to(&request, &PLAIN, "m");
        let written: Value = serde_json::from_slice(&written.body).unwrap();
        let messages = written["messages"].as_array().unwrap();
        let roles: Vec<&str> = messages
            .iter()
            .map(|m| m["role"].as_str().unwrap())
            .collect();
        assert_eq!(roles, ["user", "assistant", "tool", "tool", "user"]);
        assert_eq!(messages[3]["content"], "Error: boom");
        let parts = messages[4]["content"].as_array().unwrap();
        let kinds: Vec<&str> = parts.iter().map(|p| p["type"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["text", "image_url", "text"]);
    }

    #[test]
    fn models_that_reason_get_no_chance() {
        let request = of(
            &json!({"messages": [{"role": "system", "content": "s"}], "temperature": 0.5,
            "top_p": 0.5, "max_tokens": 9, "reasoning_effort": "max"}),
        );
        let written = write_to(&request, &ALL, "o3-mini");
        let body: Value = serde_json::from_slice(&written.body).unwrap();
        assert_eq!(body["messages"][0]["role"], "developer");
        assert_eq!(body["max_completion_tokens"], 9);
        assert_eq!(body["reasoning_effort"], "high");
        assert!(body.get("temperature").is_none() && body.get("top_p").is_none());
        let dropped = [Field::Temperature, Field::TopP];
        assert!(
            dropped
                .iter()
                .all(|field| written.notes.dropped.contains(field))
        );
        assert!(written.notes.emulated.contains(&Field::Reasoning));
    }

    #[test]
    fn a_custom_tool_is_a_function_where_there_are_none() {
        let request = of(&json!({
            "messages": [{"role": "assistant", "content": null, "tool_calls": [
                {"id": "c", "type": "custom", "custom": {"name": "sh", "input": "ls"}}]}],
            "tools": [{"type": "custom", "custom": {"name": "sh"}}],
            "tool_choice": {"type": "custom", "custom": {"name": "sh"}},
        }));
        let body: Value = serde_json::from_slice(&write_to(&request, &PLAIN, "m").body).unwrap();
        assert_eq!(
            body["tools"][0]["function"]["parameters"]["required"],
            json!(["input"])
        );
        assert_eq!(body["tool_choice"]["type"], "function");
        let call = &body["messages"][0]["tool_calls"][0]["function"];
        assert_eq!(call["arguments"], r#"{"input":"ls"}"#);
    }

    #[test]
    fn switches_of_thinking_are_those_that_a_provider_knows() {
        const SWITCH: Provider = Provider {
            quirks: &[Quirk::ThinkingSwitch],
            ..PLAIN
        };
        const ENABLE: Provider = Provider {
            quirks: &[Quirk::EnableThinking],
            ..PLAIN
        };
        for (asked, card, expected) in [
            (
                json!({"reasoning_effort": "none"}),
                SWITCH,
                json!({"thinking": {"type": "disabled"}}),
            ),
            (
                json!({"reasoning_effort": "high"}),
                SWITCH,
                json!({"thinking": {"type": "enabled"}, "reasoning_effort": "high"}),
            ),
            (
                json!({"thinking": {"type": "disabled"}}),
                ENABLE,
                json!({"enable_thinking": false}),
            ),
            (
                json!({"thinking": {"type": "enabled", "budget_tokens": 5}}),
                ENABLE,
                json!({"enable_thinking": true, "thinking_budget": 5}),
            ),
            (json!({"thinking": {"type": "disabled"}}), PLAIN, json!({})),
            (
                json!({"thinking": {"type": "enabled", "budget_tokens": 3000}}),
                PLAIN,
                json!({"reasoning_effort": "medium"}),
            ),
            (
                json!({"enable_thinking": true, "thinking_budget": 5}),
                MEASURED,
                json!({"reasoning": {"max_tokens": 5, "enabled": true}}),
            ),
        ] {
            let mut body = asked.clone();
            body["messages"] = json!([{"role": "user", "content": "u"}]);
            let mut written = again(&body, &card, "m");
            let object = written.as_object_mut().unwrap();
            object.remove("model");
            object.remove("messages");
            assert_eq!(written, expected, "{asked}");
        }
    }

    #[test]
    fn several_answers_are_refused() {
        let request = of(&json!({"messages": [], "n": 2}));
        let to = Destination {
            model: "m",
            stream: true,
            card: &PLAIN,
        };
        let failure = write::write(&request, &to).unwrap_err();
        assert_eq!(failure.field.as_deref(), Some("n"));
    }

    #[test]
    fn usage_is_always_asked_for() {
        let request = of(
            &json!({"messages": [], "stream": true, "stream_options": {"include_obfuscation": false}}),
        );
        let to = Destination {
            model: "m",
            stream: true,
            card: &PLAIN,
        };
        let body: Value =
            serde_json::from_slice(&write::write(&request, &to).unwrap().body).unwrap();
        assert_eq!(
            body["stream_options"],
            json!({"include_usage": true, "include_obfuscation": false})
        );
        assert!(matches!(
            super::super::media::read_url("x").source,
            Source::Url(_)
        ));
    }

    #[test]
    fn a_schema_is_told_in_words_to_who_knows_none() {
        const WORDS: Provider = Provider {
            quirks: &[Quirk::Refuses("json_schema")],
            ..PLAIN
        };
        let request = json!({"model": "m", "messages": [{"role": "user", "content": "u"}],
            "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}});
        let written = write_to(&of(&request), &WORDS, "m");
        assert!(written.notes.emulated.contains(&Field::Format));
        let body: Value = serde_json::from_slice(&written.body).unwrap();
        assert_eq!(body["response_format"], json!({"type": "json_object"}));
        assert!(
            body["messages"][0]["content"]
                .as_str()
                .unwrap()
                .contains(r#"{"type":"object"}"#)
        );
    }

    #[test]
    fn foreign_members_are_noted_and_not_written() {
        let mut request =
            of(&json!({"messages": [{"role": "user", "content": "u"}], "user": "x".repeat(90)}));
        request
            .extras
            .0
            .push(crate::dialects::neutral::request::Extra {
                dialect: shared::domain::dialect::Dialect::Anthropic,
                name: "container".to_owned(),
                value: serde_json::value::RawValue::from_string("1".to_owned()).unwrap(),
            });
        let written = write_to(&request, &PLAIN, "m");
        let body: Value = serde_json::from_slice(&written.body).unwrap();
        assert!(body.get("container").is_none());
        assert!(
            written
                .notes
                .dropped
                .contains(&Field::Other("container".to_owned()))
        );
        assert_eq!(body["user"].as_str().unwrap().len(), 64);
    }
}
