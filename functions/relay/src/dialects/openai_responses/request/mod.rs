//! Requests: a caller's read into the neutral form, a provider's written from it.

pub(super) mod read;
pub(super) mod write;

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::{Value, json};
    use shared::domain::provider::{self, Provider};

    use super::{read, write};
    use crate::dialects::neutral::request::{
        Block, Content, Effort, Format, Kind, Medium, Reasoning, Schema, Source, Tool, ToolChoice,
        ToolInput, ToolResult, Turn,
    };
    use crate::dialects::neutral::{Field, Opaque, Origin, Request, Role};
    use crate::dialects::openai_responses::express;
    use crate::dialects::{Destination, Written};

    fn to<'a>(model: &'a str, card: &'a Provider) -> Destination<'a> {
        let stream = false;
        Destination {
            model,
            stream,
            card,
        }
    }

    fn openai() -> &'static Provider {
        provider::find("openai").unwrap()
    }

    fn reading(body: &Value) -> Request {
        let wanted = express::request::read(Bytes::from(body.to_string())).unwrap();
        read::read(&wanted).unwrap()
    }

    fn writing(request: &Request, model: &str) -> (Value, Written) {
        let written = write::write(request, &to(model, openai())).unwrap();
        (serde_json::from_slice(&written.body).unwrap(), written)
    }

    fn refusal(body: &Value) -> String {
        let wanted = express::request::read(Bytes::from(body.to_string())).unwrap();
        let failure = read::read(&wanted).unwrap_err();
        failure.field.unwrap().into_owned()
    }

    #[test]
    fn a_request_is_the_same_there_and_back() {
        let rich = json!({
            "model": "m",
            "instructions": "Be brief.",
            "input": [
                {"role": "developer", "content": "d"},
                {"type": "message", "role": "user", "id": "msg_0", "content": [
                    {"type": "input_text", "text": "look", "x": 1},
                    {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "low"},
                    {"type": "input_image", "file_id": "file_1", "detail": "auto"},
                    {"type": "input_image", "image_url": "https://a/b.png"},
                    {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,BBBB"},
                    {"type": "input_file", "file_data": "CCCC"},
                    {"type": "input_file", "file_url": "https://a/b.pdf"},
                    {"type": "input_audio", "input_audio": {"data": "DDDD", "format": "wav"}},
                    {"type": "input_hologram", "depth": 9007199254740993_u64}]},
                {"type": "reasoning", "id": "rs_1", "encrypted_content": "gAAA", "content": null,
                 "summary": [{"type": "summary_text", "text": "a\n\nb"}, {"type": "summary_text", "text": "c"}]},
                {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f",
                 "arguments": "{\"a\": 1.0}", "status": "completed"},
                {"type": "function_call_output", "call_id": "call_1", "output": "done"},
                {"type": "reasoning", "id": "rs_2", "summary": [], "content": [
                    {"type": "reasoning_text", "text": "hm"}]},
                {"type": "custom_tool_call", "id": "ctc_1", "call_id": "call_2", "name": "old",
                 "input": "*** \"x\"\n"},
                {"type": "custom_tool_call_output", "call_id": "call_2", "output": [
                    {"type": "input_text", "text": "t"},
                    {"type": "input_image", "image_url": "data:image/jpeg;base64,EEEE"}]},
                {"type": "reasoning", "id": "rs_3", "summary": [], "content": []},
                {"type": "web_search_call", "id": "ws_1", "status": "completed"},
                {"type": "local_shell_call_output", "id": "lsh_1", "output": "{}"},
                {"type": "item_reference", "id": "msg_9"},
                {"type": "message", "role": "assistant", "id": "msg_1", "status": "completed",
                 "phase": "final_answer", "content": [
                    {"type": "output_text", "text": "hi", "annotations": [], "logprobs": []},
                    {"type": "refusal", "refusal": "no"}]},
                {"role": "assistant", "content": "plain"},
                {"role": "user", "content": ""},
            ],
            "tools": [
                {"type": "function", "name": "f", "description": null, "strict": true,
                 "parameters": {"type": "object", "properties": {"b": {}, "a": {}}}},
                {"type": "function", "name": "bare", "parameters": null},
                {"type": "custom", "name": "c", "description": "any", "format": {"type": "text"}},
                {"type": "web_search", "filters": {"x": 1}}],
            "tool_choice": {"type": "allowed_tools", "mode": "required", "tools": [
                {"type": "function", "name": "f"}, {"type": "custom", "name": "c"}]},
            "parallel_tool_calls": false,
            "max_output_tokens": 100,
            "temperature": 0.10,
            "top_p": null,
            "reasoning": {"effort": "xhigh", "summary": "detailed", "context": "auto", "mode": null},
            "text": {"verbosity": "low", "format": {"type": "json_schema", "name": "n",
                "schema": {"type": "object"}, "strict": true}},
            "include": ["reasoning.encrypted_content", "message.output_text.logprobs"],
            "store": false,
            "metadata": {"a": "b"},
            "truncation": "auto",
            "user": "u",
            "prompt_cache_key": "k",
            "service_tier": "flex",
            "previous_response_id": null,
            "unheard_of": [1.0, {"y": null}],
        });
        assert_eq!(writing(&reading(&rich), "m").0, rich);
    }

    #[test]
    fn other_spellings_come_back_as_well() {
        for (member, value) in [
            ("input", json!("just text")),
            ("input", json!([])),
            ("instructions", json!("")),
            ("tool_choice", json!("none")),
            ("tool_choice", json!({"type": "web_search"})),
            ("text", json!({})),
            ("text", json!({"format": {"type": "text"}})),
            ("text", json!({"format": {"type": "grammar", "x": 1}})),
            ("reasoning", json!({"effort": null, "summary": null})),
        ] {
            let mut body = json!({
                "model": "m", "input": [{"role": "user", "content": "x"}],
                "store": true, "include": [],
            });
            body[member] = value;
            assert_eq!(writing(&reading(&body), "m").0, body, "{member}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (input, field) in [
            (json!([7]), "input[0]"),
            (json!([{"role": "bot", "content": "x"}]), "input[0].role"),
            (json!([{"role": "user"}]), "input[0].content"),
            (
                json!([{"role": "user", "content": [{"type": "input_text"}]}]),
                "input[0].content[0].text",
            ),
            (
                json!([{"type": "function_call", "name": "f", "arguments": "{}"}]),
                "input[0].call_id",
            ),
            (
                json!([{"type": "function_call", "name": "f", "call_id": "c", "arguments": {}}]),
                "input[0].arguments",
            ),
        ] {
            assert_eq!(refusal(&json!({"model": "m", "input": input})), field);
        }
        for (member, value, field) in [
            (
                "previous_response_id",
                json!("resp_1"),
                "previous_response_id",
            ),
            ("conversation", json!("conv_1"), "conversation"),
            ("prompt", json!({"id": "p"}), "prompt"),
            ("background", json!(true), "background"),
            ("temperature", json!("hot"), "temperature"),
            ("reasoning", json!({"effort": "loud"}), "reasoning.effort"),
            ("tools", json!([{"type": "function"}]), "tools[0].name"),
            ("tool_choice", json!("maybe"), "tool_choice"),
            (
                "text",
                json!({"format": {"type": "json_schema"}}),
                "text.format.schema",
            ),
        ] {
            let mut body = json!({"model": "m", "input": "x"});
            body[member] = value;
            assert_eq!(refusal(&body), field);
        }
    }

    #[test]
    fn a_custom_tool_takes_one_text_and_state_goes_home() {
        let request = reading(&json!({"model": "m", "input": [
            {"type": "custom_tool_call", "call_id": "c", "name": "patch", "input": "a\nb"},
            {"type": "reasoning", "summary": [], "encrypted_content": "th1.gemini.c2ln.before"},
            {"type": "reasoning", "summary": [], "encrypted_content": "th1.anthropic.cmVk.redacted"},
        ]}));
        assert_eq!(request.turns.len(), 2);
        let block = &request.turns[0].content.blocks[0];
        let Kind::ToolUse(call) = &block.kind else {
            panic!()
        };
        assert_eq!(call.arguments, r#"{"input":"a\nb"}"#);
        assert_eq!(block.opaque, Some(Opaque::new(Origin::Gemini, "sig")));
        let block = &request.turns[1].content.blocks[0];
        assert!(matches!(block.kind, Kind::Redacted));
    }

    fn foreign() -> Request {
        let thought =
            |text: &str, opaque| Block::new(Kind::Reasoning(text.to_owned())).with_opaque(opaque);
        let native = Some(Opaque::new(Origin::OpenaiResponses, "gAAA"));
        let image = Block::new(Kind::Image(Medium {
            mime: Some("image/png".to_owned()),
            source: Source::Base64("AAAA".to_owned()),
            ..Medium::default()
        }));
        let result = |id: &str, blocks, failed| {
            Block::new(Kind::ToolResult(ToolResult {
                id: id.to_owned(),
                name: None,
                content: Content::blocks(blocks),
                failed,
            }))
        };
        let said = |role, blocks| Turn::new(role, Content::blocks(blocks));
        Request {
            instructions: Content::blocks(vec![Block::text("a"), Block::text("b")]),
            turns: vec![
                said(Role::User, vec![Block::text("hi")]),
                said(
                    Role::Assistant,
                    vec![
                        thought("mine", native.clone()),
                        Block::text("so"),
                        Block::call("toolu_1", "ns.f", ""),
                        Block::call("toolu_2", "c", r#"{"input":"raw"}"#),
                        thought("theirs", Some(Opaque::new(Origin::Anthropic, "sig"))),
                    ],
                ),
                said(
                    Role::User,
                    vec![
                        result("toolu_1", vec![Block::text("bad")], Some(true)),
                        result("toolu_2", vec![Block::text("see"), image], None),
                        Block::text("go on"),
                    ],
                ),
                said(Role::Assistant, vec![thought("alone", native)]),
            ],
            tools: vec![
                Tool {
                    name: "ns.f".to_owned(),
                    description: None,
                    input: ToolInput::Schema(None),
                    strict: None,
                    cache: None,
                    extras: crate::dialects::neutral::request::Extras::default(),
                },
                Tool {
                    name: "c".to_owned(),
                    description: None,
                    input: ToolInput::Text,
                    strict: None,
                    cache: None,
                    extras: crate::dialects::neutral::request::Extras::default(),
                },
            ],
            tool_choice: Some(ToolChoice::Named("ns.f".to_owned())),
            ..Request::default()
        }
    }

    #[test]
    fn another_dialects_conversation_becomes_items() {
        let (body, written) = writing(&foreign(), "my-model");
        let name = body["tools"][0]["name"].as_str().unwrap().to_owned();
        assert_eq!(written.renames.tools.get(&name).unwrap(), "ns.f");
        assert_eq!(
            body,
            json!({
                "model": "my-model",
                "instructions": "a\n\nb",
                "input": [
                    {"role": "user", "content": [{"type": "input_text", "text": "hi"}]},
                    {"type": "reasoning", "summary": [{"type": "summary_text", "text": "mine"}],
                     "encrypted_content": "gAAA"},
                    {"role": "assistant", "content": [{"type": "output_text", "text": "so"}]},
                    {"type": "function_call", "call_id": "toolu_1", "name": name, "arguments": "{}"},
                    {"type": "custom_tool_call", "call_id": "toolu_2", "name": "c", "input": "raw"},
                    {"type": "function_call_output", "call_id": "toolu_1", "output": "Error: bad"},
                    {"type": "custom_tool_call_output", "call_id": "toolu_2", "output": [
                        {"type": "input_text", "text": "see"},
                        {"type": "input_image", "image_url": "data:image/png;base64,AAAA"}]},
                    {"role": "user", "content": [{"type": "input_text", "text": "go on"}]},
                ],
                "tools": [
                    {"type": "function", "name": name, "strict": false,
                     "parameters": {"type": "object", "properties": {}}},
                    {"type": "custom", "name": "c"}],
                "tool_choice": {"type": "function", "name": name},
                "store": false,
            })
        );
        assert!(written.notes.dropped.contains(&Field::ReasoningHistory));
    }

    #[test]
    fn models_that_reason_get_what_they_take() {
        let mut request = Request {
            turns: vec![Turn::new(Role::User, Content::text("x"))],
            max_output: Some(1),
            reasoning: Some(Reasoning {
                budget: Some(20_000),
                told: Some(true),
                ..Reasoning::default()
            }),
            format: Some(Format::Schema(Schema {
                name: None,
                description: None,
                schema: serde_json::value::to_raw_value(&json!({"type": "object"})).unwrap(),
                strict: None,
            })),
            ..Request::default()
        };
        request.sampling.temperature = serde_json::value::to_raw_value(&1).ok();
        let (body, written) = writing(&request, "gpt-5");
        assert_eq!(
            body["reasoning"],
            json!({"effort": "high", "summary": "auto"})
        );
        assert_eq!(body["include"], json!(["reasoning.encrypted_content"]));
        assert_eq!(body["text"]["format"]["name"], "response");
        assert_eq!(body["max_output_tokens"], 16);
        assert!(body.get("temperature").is_none());
        assert!(written.notes.dropped.contains(&Field::Temperature));

        request.reasoning.as_mut().unwrap().effort = Some(Effort::High);
        let (body, written) = writing(&request, "gpt-4o");
        assert!(body.get("reasoning").is_none() && body.get("include").is_none());
        assert_eq!(body["temperature"], 1);
        assert!(written.notes.dropped.contains(&Field::Reasoning));
    }

    #[test]
    fn texts_that_end_an_answer_are_refused() {
        let mut request = Request::default();
        request.sampling.stop.push("END".to_owned());
        let failure = write::write(&request, &to("m", openai())).unwrap_err();
        assert_eq!(failure.field.as_deref(), Some("stop"));
    }

    #[test]
    fn a_count_asks_for_nothing_that_it_does_not_need() {
        let written = br#"{"model":"m","input":"x","store":false,"stream":true,"temperature":1}"#;
        let count = serde_json::to_value(write::count(written)).unwrap();
        assert_eq!(count, json!({"model": "m", "input": "x"}));
    }
}
