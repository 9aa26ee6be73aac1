//! A streamed answer: read from providers, written to callers.
//! <https://docs.anthropic.com/en/docs/build-with-claude/streaming>

pub(super) mod read;
pub(super) mod write;

#[cfg(test)]
mod tests {
    use bytes::{Bytes, BytesMut};
    use serde_json::{Value, json};
    use shared::domain::id::RequestId;
    use shared::domain::usage::Usage;

    use super::read::StreamReader;
    use super::write::StreamWriter;
    use crate::dialects::anthropic::reply;
    use crate::dialects::convert::{Reader, Writer};
    use crate::dialects::neutral::order::Place;
    use crate::dialects::neutral::{Block, Event, Kind, Opaque, Opening, Origin, Reason, Reply};
    use crate::dialects::{Asked, UpstreamError, Wanted, sse};

    fn wanted() -> Wanted {
        Wanted {
            body: Bytes::new(),
            model: "asked-for".to_owned(),
            stream: true,
            events: true,
            usage_wanted: true,
            max_output: None,
            answers: 1,
        }
    }

    fn asked(wanted: &Wanted) -> Asked<'_> {
        Asked {
            wanted,
            id: RequestId::from_parts(1, 1),
            at_s: 1,
        }
    }

    /// Reads events, given by their data, and checks that they come in order.
    fn events(data: &[Value]) -> Result<Vec<Event>, UpstreamError> {
        let (mut reader, mut out) = (StreamReader::default(), Vec::new());
        for data in data {
            let event = sse::write(data["type"].as_str(), data.to_string().as_bytes());
            reader.event(&event, &mut out)?;
        }
        reader.end(&mut out);
        let mut place = Place::default();
        for event in &out {
            place = place.after(event).unwrap();
        }
        Ok(out)
    }

    fn written(events: Vec<Event>) -> Vec<Value> {
        let wanted = wanted();
        let (mut writer, mut out) = (StreamWriter::new(&asked(&wanted)), BytesMut::new());
        for event in events {
            writer.write(event, &mut out);
        }
        let text = String::from_utf8(out.to_vec()).unwrap();
        let written = text.split_terminator("\n\n").map(|event| {
            let name = sse::name(event.as_bytes()).unwrap().to_owned();
            let data: Value =
                serde_json::from_slice(&sse::data(event.as_bytes()).unwrap()).unwrap();
            assert_eq!(data["type"].as_str().unwrap().as_bytes(), name);
            data
        });
        written.collect()
    }

    /// The message that a client puts together.
    fn folded(events: &[Value]) -> Value {
        let mut message = json!({"content": []});
        let mut json = String::new();
        for event in events {
            match event["type"].as_str().unwrap() {
                "message_start" => message = event["message"].clone(),
                "content_block_start" => {
                    let content = message["content"].as_array_mut().unwrap();
                    assert_eq!(event["index"], content.len());
                    content.push(event["content_block"].clone());
                    json.clear();
                }
                "content_block_delta" => {
                    let block = message["content"]
                        .as_array_mut()
                        .unwrap()
                        .last_mut()
                        .unwrap();
                    let delta = &event["delta"];
                    let name = match delta["type"].as_str().unwrap() {
                        "text_delta" => "text",
                        "thinking_delta" => "thinking",
                        "signature_delta" => "signature",
                        "compaction_delta" => {
                            for (name, value) in delta.as_object().unwrap() {
                                if name != "type" {
                                    block[name] = value.clone();
                                }
                            }
                            continue;
                        }
                        "citations_delta" => {
                            if block["citations"].is_null() {
                                block["citations"] = json!([]);
                            }
                            let citations = block["citations"].as_array_mut().unwrap();
                            citations.push(delta["citation"].clone());
                            continue;
                        }
                        _ => {
                            json.push_str(delta["partial_json"].as_str().unwrap());
                            continue;
                        }
                    };
                    let whole = format!(
                        "{}{}",
                        block[name].as_str().unwrap_or_default(),
                        delta[name].as_str().unwrap()
                    );
                    block[name] = whole.into();
                }
                "content_block_stop" if !json.is_empty() => {
                    let block = message["content"]
                        .as_array_mut()
                        .unwrap()
                        .last_mut()
                        .unwrap();
                    block["input"] = serde_json::from_str(&json).unwrap();
                    json.clear();
                }
                "message_delta" => {
                    message["stop_reason"] = event["delta"]["stop_reason"].clone();
                    message["stop_sequence"] = event["delta"]["stop_sequence"].clone();
                    message["usage"] = event["usage"].clone();
                }
                _ => {}
            }
        }
        message
    }

    fn start() -> Value {
        json!({"type": "message_start", "message": {"id": "msg_1", "type": "message", "role": "assistant",
            "model": "claude-x", "content": [], "usage": {"input_tokens": 9, "cache_read_input_tokens": 4, "output_tokens": 1}}})
    }

    fn block(index: u64, block: &Value, deltas: &[Value]) -> Vec<Value> {
        let mut events =
            vec![json!({"type": "content_block_start", "index": index, "content_block": block})];
        for delta in deltas {
            events.push(json!({"type": "content_block_delta", "index": index, "delta": delta}));
            events.push(json!({"type": "ping"}));
        }
        events.push(json!({"type": "content_block_stop", "index": index}));
        events
    }

    fn finish(reason: &str) -> Vec<Value> {
        vec![
            json!({"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": null}, "usage": {"output_tokens": 12}}),
            json!({"type": "message_stop"}),
        ]
    }

    fn rich_stream() -> Vec<Value> {
        let mut data = vec![start()];
        data.extend(block(
            0,
            &json!({"type": "thinking", "thinking": "", "signature": ""}),
            &[
                json!({"type": "thinking_delta", "thinking": "hm"}),
                json!({"type": "signature_delta", "signature": "c2ln"}),
            ],
        ));
        data.extend(block(
            1,
            &json!({"type": "thinking", "thinking": ""}),
            &[json!({"type": "signature_delta", "signature": "b25seQ=="})],
        ));
        data.extend(block(
            2,
            &json!({"type": "redacted_thinking", "data": "ZGF0YQ=="}),
            &[],
        ));
        data.extend(block(
            3,
            &json!({"type": "server_tool_use", "id": "srv", "name": "web_search", "input": {}}),
            &[
                json!({"type": "input_json_delta", "partial_json": ""}),
                json!({"type": "input_json_delta", "partial_json": "{\"q\":"}),
                json!({"type": "input_json_delta", "partial_json": "1.0}"}),
            ],
        ));
        data.extend(block(
            4,
            &json!({"type": "web_search_tool_result", "tool_use_id": "srv", "content": [1]}),
            &[],
        ));
        data.extend(block(
            5,
            &json!({"type": "text", "text": ""}),
            &[
                json!({"type": "text_delta", "text": "A \u{1F600}"}),
                json!({"type": "text_delta", "text": "b"}),
                json!({"type": "citations_delta", "citation": {"type": "page_location", "cited_text": "x"}}),
            ],
        ));
        data.extend(block(
            6,
            &json!({"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}),
            &[
                json!({"type": "input_json_delta", "partial_json": ""}),
                json!({"type": "input_json_delta", "partial_json": "{\"a\": "}),
                json!({"type": "input_json_delta", "partial_json": "[1]}"}),
            ],
        ));
        data.extend(block(
            7,
            &json!({"type": "tool_use", "id": "toolu_2", "name": "g", "input": {}}),
            &[json!({"type": "input_json_delta", "partial_json": ""})],
        ));
        data.extend(block(
            8,
            &json!({"type": "compaction", "content": null}),
            &[json!({"type": "compaction_delta", "content": "short", "encrypted_content": "e"})],
        ));
        data.extend(finish("tool_use"));
        data
    }

    fn rich_answer() -> Value {
        json!({
            "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-x",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
                {"type": "thinking", "thinking": "", "signature": "b25seQ=="},
                {"type": "redacted_thinking", "data": "ZGF0YQ=="},
                {"type": "server_tool_use", "id": "srv", "name": "web_search", "input": {"q": 1.0}},
                {"type": "web_search_tool_result", "tool_use_id": "srv", "content": [1]},
                {"type": "text", "text": "A \u{1F600}b", "citations": [{"type": "page_location", "cited_text": "x"}]},
                {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": [1]}},
                {"type": "tool_use", "id": "toolu_2", "name": "g", "input": {}},
                {"type": "compaction", "content": "short", "encrypted_content": "e"}
            ],
            "stop_reason": "tool_use", "stop_sequence": null,
            "usage": {"input_tokens": 9, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 4,
                "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
                "output_tokens": 12}
        })
    }

    #[test]
    fn a_stream_says_what_the_plain_answer_says() {
        let stream = events(&rich_stream()).unwrap();
        assert_eq!(folded(&written(stream.clone())), rich_answer());
        let plain = reply::read::read(rich_answer().to_string().as_bytes()).unwrap();
        let wanted = wanted();
        let as_value = |reply: &Reply| -> Value {
            serde_json::from_slice(&reply::write::write(reply, &asked(&wanted))).unwrap()
        };
        assert_eq!(as_value(&Reply::fold(stream)), rich_answer());
        assert_eq!(as_value(&plain), rich_answer());
        assert_eq!(folded(&written(plain.unfold())), rich_answer());
    }

    #[test]
    fn usage_that_is_known_stands_at_the_start() {
        let written = written(events(&rich_stream()).unwrap());
        assert_eq!(written[0]["message"]["usage"]["input_tokens"], 9);
        assert_eq!(written[0]["message"]["usage"]["cache_read_input_tokens"], 4);
    }

    #[test]
    fn a_block_without_its_end_ends_with_the_message() {
        let mut data = vec![start()];
        let mut call = block(
            0,
            &json!({"type": "tool_use", "id": "t", "name": "f", "input": {}}),
            &[json!({"type": "input_json_delta", "partial_json": "{\"a\": \"cut"})],
        );
        call.pop();
        data.extend(call);
        data.extend(finish("max_tokens"));
        let reply = Reply::fold(events(&data).unwrap());
        assert_eq!(reply.finish.reason, Reason::Length);
        assert!(
            matches!(&reply.blocks[0].kind, Kind::ToolUse(call) if call.arguments == "{\"a\": \"cut")
        );
    }

    #[test]
    fn a_cut_stream_has_no_end() {
        let mut data = vec![start()];
        data.extend(block(
            0,
            &json!({"type": "text", "text": ""}),
            &[json!({"type": "text_delta", "text": "a"})],
        ));
        let out = events(&data).unwrap();
        assert!(
            !out.iter()
                .any(|event| matches!(event, Event::Finish(_) | Event::End))
        );
        data.push(finish("end_turn")[0].clone());
        let out = events(&data).unwrap();
        assert!(matches!(out.last(), Some(Event::End)));
    }

    #[test]
    fn a_second_message_is_no_part_of_the_first() {
        let mut data = vec![start(), start()];
        data.extend(block(0, &json!({"type": "text", "text": "a"}), &[]));
        data.extend(finish("end_turn"));
        data.extend([start()]);
        data.extend(block(0, &json!({"type": "text", "text": "b"}), &[]));
        data.extend(finish("end_turn"));
        let reply = Reply::fold(events(&data).unwrap());
        assert_eq!(reply.blocks.len(), 1);

        let mut other = start();
        other["message"]["id"] = "msg_2".into();
        let error = events(&[start(), other]).unwrap_err();
        assert_eq!(error.status, 502);
    }

    #[test]
    fn an_error_in_a_stream_tells_its_status() {
        let error = json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}});
        let error = events(&[start(), error]).unwrap_err();
        assert_eq!((error.status, error.message.as_str()), (529, "Overloaded"));
    }

    #[test]
    fn a_refusal_ends_as_one_with_nothing_said() {
        let data = [
            start(),
            json!({"type": "message_delta", "delta": {"stop_reason": "refusal", "stop_details": {"category": "x"}}, "usage": {}}),
            json!({"type": "message_stop"}),
        ];
        let out = events(&data).unwrap();
        let reply = Reply::fold(out.clone());
        assert_eq!(
            (reply.finish.reason, reply.blocks.len()),
            (Reason::Refusal, 0)
        );
        assert_eq!(folded(&written(out))["stop_reason"], "refusal");
    }

    #[test]
    fn servers_that_leave_things_out_are_understood() {
        let (mut reader, mut out) = (StreamReader::default(), Vec::new());
        for event in [
            "data:{\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":100,\"output_tokens\":0}}}\n\n",
            "data:{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"\\ud83d\"}}\n\n",
            "data:{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"\\ude00\"}}\n\n",
            ": note\n\n",
            "data:{\"type\":\"message_delta\",\"delta\":{},\"usage\":{\"input_tokens\":30,\"cache_read_input_tokens\":70,\"output_tokens\":4}}\n\n",
            "data:{\"type\":\"message_stop\"}\n\n",
            "data: [DONE]\n\n",
        ] {
            reader.event(event.as_bytes(), &mut out).unwrap();
        }
        let reply = Reply::fold(out);
        assert!(matches!(&reply.blocks[0].kind, Kind::Text(text) if text == "\u{1F600}"));
        let tokens = reply.tokens.unwrap();
        assert_eq!(
            (tokens.input, tokens.cache_read, tokens.output),
            (30, 70, 4)
        );
        assert_eq!(reply.finish.reason, Reason::Stop);
    }

    #[test]
    fn the_state_of_a_call_stands_before_it() {
        let state = Opaque::new(Origin::Gemini, "sig");
        let call = Opening::ToolUse {
            id: String::new(),
            name: "f".to_owned(),
        };
        let out = written(vec![
            Event::Start {
                id: None,
                model: None,
            },
            Event::Open(call),
            Event::Delta("{}".to_owned()),
            Event::Opaque(state.clone()),
            Event::Close,
            Event::Open(Opening::Refusal),
            Event::Delta("no".to_owned()),
            Event::Close,
            Event::Finish(crate::dialects::neutral::Finish::default()),
            Event::Usage(Usage {
                input: 3,
                output: 2,
                ..Usage::default()
            }),
            Event::End,
        ]);
        let message = folded(&out);
        assert_eq!(message["model"], "asked-for");
        assert_eq!(
            message["content"][0]["signature"],
            state.seal(Origin::Anthropic)
        );
        assert_eq!(message["content"][1]["input"], json!({}));
        assert!(
            message["content"][1]["id"]
                .as_str()
                .unwrap()
                .starts_with("toolu_")
        );
        assert_eq!(message["stop_reason"], "refusal");
        assert_eq!(message["usage"]["input_tokens"], 3);
        assert_eq!(out[0]["message"]["usage"]["input_tokens"], 0);
    }

    #[test]
    fn a_text_that_is_only_state_is_a_thought() {
        let state = Opaque::new(Origin::Gemini, "sig");
        let text = Block::text("").with_opaque(Some(state));
        let reply = Reply {
            blocks: vec![Block::text("a"), text.clone()],
            ..Reply::default()
        };
        let wanted = wanted();
        let plain: Value =
            serde_json::from_slice(&reply::write::write(&reply, &asked(&wanted))).unwrap();
        let streamed = written(vec![
            Event::Start {
                id: None,
                model: None,
            },
            Event::Whole(Box::new(Block::text("a"))),
            Event::Whole(Box::new(text)),
            Event::Finish(crate::dialects::neutral::Finish::default()),
            Event::End,
        ]);
        assert_eq!(folded(&streamed)["content"], plain["content"]);
        assert_eq!(plain["content"][1]["type"], "thinking");
        assert_eq!(plain["content"].as_array().unwrap().len(), 2);
    }
}
