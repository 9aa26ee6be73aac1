//! Streamed answers: chunks into the neutral form, and the neutral form into chunks.

mod blocks;
mod calls;
mod delta;
pub(super) mod read;
pub(super) mod write;

#[cfg(test)]
mod tests {
    use bytes::{Bytes, BytesMut};
    use serde_json::{Value, json};
    use shared::domain::id::RequestId;
    use shared::domain::provider;
    use shared::domain::usage::Usage;

    use super::read::Reader;
    use super::write::Writer;
    use crate::dialects::convert::{Reader as _, Writer as _};
    use crate::dialects::neutral::order::Place;
    use crate::dialects::neutral::reply::Citation;
    use crate::dialects::neutral::request::{Medium, Source, ToolUse};
    use crate::dialects::neutral::{Block, Event, Finish, Kind, Opaque, Origin, Reason, Reply};
    use crate::dialects::{Asked, Destination, UpstreamError, Wanted};

    fn to() -> Destination<'static> {
        Destination {
            model: "m",
            stream: true,
            card: provider::find("openai-compatible").unwrap(),
        }
    }

    /// The events that a stream of lines means; each must be in its place.
    fn hear(lines: &[&str]) -> (Vec<Event>, Result<(), UpstreamError>) {
        let (mut reader, mut out) = (Reader::new(&to()), Vec::new());
        let mut said = Ok(());
        for line in lines {
            let event = format!("data: {line}\n\n");
            said = said.and_then(|()| reader.event(event.as_bytes(), &mut out));
        }
        if said.is_ok() {
            reader.end(&mut out);
        }
        let mut place = Place::default();
        for event in &out {
            place = place
                .after(event)
                .unwrap_or_else(|error| panic!("{error}: {event:?}"));
        }
        (out, said)
    }

    fn delta(delta: &str) -> String {
        format!(
            r#"{{"id":"a","model":"m","choices":[{{"index":0,"delta":{delta},"finish_reason":null}}]}}"#
        )
    }

    /// The answer of some deltas.
    fn reply(deltas: &[&str]) -> Reply {
        let mut lines: Vec<String> = deltas.iter().map(|one| delta(one)).collect();
        lines.push(r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#.to_owned());
        lines.push("[DONE]".to_owned());
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let (events, said) = hear(&lines);
        said.unwrap();
        assert!(matches!(events.last(), Some(Event::End)));
        Reply::fold(events)
    }

    fn calls(reply: &Reply) -> Vec<(&str, &str)> {
        let calls = reply.blocks.iter().filter_map(|block| match &block.kind {
            Kind::ToolUse(call) => Some((call.name.as_str(), call.arguments.as_str())),
            _ => None,
        });
        calls.collect()
    }

    fn texts(reply: &Reply) -> Vec<String> {
        let texts = reply.blocks.iter().map(|block| match &block.kind {
            Kind::Text(text) => format!("text {text}"),
            Kind::Reasoning(text) => format!("thought {text}"),
            Kind::Refusal(text) => format!("refusal {text}"),
            Kind::Redacted => "redacted".to_owned(),
            Kind::ToolUse(call) => format!("call {}", call.name),
            Kind::Image(_) => "image".to_owned(),
            Kind::Audio(_) => "audio".to_owned(),
            other => format!("{other:?}"),
        });
        texts.collect()
    }

    #[test]
    fn pieces_find_their_call_however_it_is_marked() {
        let whole = [("f", r#"{"a":1}"#), ("g", r#"{"b":2}"#)];
        for deltas in [
            // By index, interleaved.
            vec![
                r#"{"tool_calls":[{"index":0,"id":"x","function":{"name":"f","arguments":""}},{"index":1,"id":"y","function":{"name":"g","arguments":"{\"b\""}}]}"#,
                r#"{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":1}"}}]}"#,
                r#"{"tool_calls":[{"index":1,"function":{"arguments":":2}"}}]}"#,
            ],
            // An empty id, and an empty or a repeated name.
            vec![
                r#"{"content":"","tool_calls":[{"index":0,"id":"x","type":"function","function":{"name":"f","arguments":""}}]}"#,
                r#"{"content":null,"tool_calls":[{"index":0,"id":"","function":{"name":"","arguments":"{\"a\":"}}]}"#,
                r#"{"tool_calls":[{"index":0,"id":"","function":{"name":"f","arguments":"1}"}}]}"#,
                r#"{"tool_calls":[{"index":0,"id":"","function":{"name":"f","arguments":""}}]}"#,
                r#"{"tool_calls":[{"index":1,"id":"y","function":{"name":"g","arguments":"{\"b\":2}"}}]}"#,
            ],
            // All of index 0, told apart by their ids.
            vec![
                r#"{"tool_calls":[{"index":0,"id":"x","function":{"name":"f","arguments":"{\"a\":1}"}}]}"#,
                r#"{"tool_calls":[{"index":0,"id":"y","function":{"name":"g","arguments":"{\"b\":2}"}}]}"#,
            ],
            // Neither index nor id, each whole, in one chunk or in two.
            vec![
                r#"{"tool_calls":[{"id":"","function":{"name":"f","arguments":"{\"a\":1}"}},{"function":{"name":"g","arguments":"{\"b\":2}"}}]}"#,
            ],
            vec![
                r#"{"tool_calls":[{"function":{"name":"f","arguments":{"a":1}}}]}"#,
                r#"{"tool_calls":[{"function":{"name":"g","arguments":"{\"b\":2}"}}]}"#,
            ],
            // By id alone.
            vec![
                r#"{"tool_calls":[{"id":"x","function":{"name":"f","arguments":"{\"a\""}}]}"#,
                r#"{"tool_calls":[{"id":"x","function":{"arguments":":1}"}}]}"#,
                r#"{"tool_calls":[{"id":"y","function":{"name":"g","arguments":"{\"b\":2}"}}]}"#,
            ],
            // A name that comes late.
            vec![
                r#"{"tool_calls":[{"index":0,"id":"x","function":{"arguments":"{\"a\""}}]}"#,
                r#"{"tool_calls":[{"index":0,"function":{"name":"f","arguments":":1}"}}]}"#,
                r#"{"tool_calls":[{"index":1,"function":{"name":"g","arguments":"{\"b\":2}"}}]}"#,
            ],
        ] {
            let reply = reply(&deltas);
            assert_eq!(calls(&reply), whole, "{deltas:?}");
            let mut ids: Vec<&String> = reply
                .blocks
                .iter()
                .filter_map(|block| match &block.kind {
                    Kind::ToolUse(ToolUse { id, .. }) if !id.is_empty() => Some(id),
                    _ => None,
                })
                .collect();
            ids.dedup();
            assert_eq!(ids.len(), 2, "{deltas:?}");
        }
    }

    #[test]
    fn the_same_tool_twice_is_two_calls() {
        let twice = [
            r#"{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"{\"a\":1}"}}]}"#,
            r#"{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"{\"a\":2}"}}]}"#,
        ];
        let first = reply(&twice);
        assert_eq!(calls(&first), [("f", r#"{"a":1}"#), ("f", r#"{"a":2}"#)]);
        let ids = |reply: &Reply| -> Vec<String> {
            let calls = reply.blocks.iter();
            calls
                .filter_map(|block| match &block.kind {
                    Kind::ToolUse(call) => Some(call.id.clone()),
                    _ => None,
                })
                .collect()
        };
        assert_ne!(ids(&first)[0], ids(&first)[1]);
        assert_eq!(
            ids(&first),
            ids(&reply(&twice)),
            "ids that are made are always the same"
        );
    }

    #[test]
    fn nothing_is_no_block() {
        let reply = reply(&[
            r#"{"role":"assistant","content":"","refusal":"","tool_calls":[],"reasoning":null,"reasoning_details":[{"type":"reasoning.text","text":"","signature":""}]}"#,
            r#"{"content":null,"tool_calls":null}"#,
        ]);
        assert!(reply.blocks.is_empty());
        assert_eq!(reply.finish, Finish::new(Reason::Stop, "stop"));
    }

    #[test]
    fn a_thought_is_told_once_by_whatever_name() {
        for deltas in [
            vec![
                r#"{"reasoning_content":"Hm"}"#,
                r#"{"reasoning_content":"m."}"#,
            ],
            vec![
                r#"{"reasoning":"Hm","reasoning_content":"Hm"}"#,
                r#"{"reasoning":"m."}"#,
            ],
            vec![
                r#"{"reasoning":"Hm","reasoning_details":[{"type":"reasoning.text","text":"Hm","index":0}]}"#,
                r#"{"reasoning":"m.","reasoning_details":[{"type":"reasoning.text","text":"m.","index":0}]}"#,
            ],
            vec![
                r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"Hm"}]}]}"#,
                r#"{"content":[{"type":"thinking","thinking":"m."}]}"#,
            ],
        ] {
            let mut deltas = deltas.clone();
            deltas.push(r#"{"content":"Hi","reasoning_content":null}"#);
            let reply = reply(&deltas);
            assert_eq!(texts(&reply), ["thought Hmm.", "text Hi"], "{deltas:?}");
        }
    }

    #[test]
    fn details_keep_their_states_apart() {
        let reply = reply(&[
            r#"{"reasoning_details":[{"type":"reasoning.text","text":"one","index":0}]}"#,
            r#"{"reasoning_details":[{"type":"reasoning.text","signature":"s","format":"f","index":0}]}"#,
            r#"{"reasoning_details":[{"type":"reasoning.encrypted","data":"d","index":1}]}"#,
            r#"{"reasoning_details":[{"type":"reasoning.summary","summary":"two","index":2}]}"#,
            r#"{"content":"Hi"}"#,
        ]);
        assert_eq!(
            texts(&reply),
            ["thought one", "redacted", "thought two", "text Hi"]
        );
        let state = reply.blocks[0].opaque.as_ref().unwrap();
        assert_eq!(state.origin, Origin::OpenaiChat);
        let state: Value = serde_json::from_str(&state.data).unwrap();
        assert_eq!(
            state,
            json!({"type": "reasoning.text", "index": 0, "signature": "s", "format": "f"})
        );
        assert!(reply.blocks[1].opaque.is_some() && reply.blocks[2].opaque.is_some());
    }

    #[test]
    fn halves_of_a_character_find_each_other() {
        let reply = reply(&[
            r#"{"reasoning_content":"a\ud83d"}"#,
            r#"{"reasoning_content":"\ude00"}"#,
            r#"{"content":"\ud83d"}"#,
            r#"{"content":"\ude00!\ud83d"}"#,
        ]);
        assert_eq!(texts(&reply), ["thought a😀", "text 😀!\u{FFFD}"]);
    }

    #[test]
    fn a_cut_stream_has_no_end() {
        let (events, said) = hear(&[&delta(r#"{"content":"Hi"}"#)]);
        assert!(said.is_ok());
        assert!(
            !events
                .iter()
                .any(|event| matches!(event, Event::Finish(_) | Event::End))
        );
        let finished =
            r#"{"choices":[{"index":0,"delta":{"content":"!"},"finish_reason":"length"}]}"#;
        let (events, _) = hear(&[&delta(r#"{"content":"Hi"}"#), finished]);
        let reply = Reply::fold(events);
        assert_eq!(
            (texts(&reply), reply.finish.reason),
            (vec!["text Hi!".to_owned()], Reason::Length)
        );
        let (events, _) = hear(&[&delta(r#"{"content":"Hi"}"#), "[DONE]"]);
        assert_eq!(Reply::fold(events).finish, Finish::default());
        assert!(hear(&["[DONE]"]).0.is_empty());
    }

    #[test]
    fn an_error_is_one_wherever_it_stands() {
        let hi = delta(r#"{"content":"Hi"}"#);
        for (line, status) in [
            (
                r#"{"error":{"message":"m","code":429},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#,
                429,
            ),
            (
                r#"{"choices":[{"index":0,"delta":{},"error":{"message":"m","code":503},"finish_reason":"error"}]}"#,
                503,
            ),
            (
                r#"{"choices":[{"index":0,"delta":{},"finish_reason":"insufficient_system_resource"}]}"#,
                503,
            ),
            (r#"{"error":"m"}"#, 502),
            (r#"{"code":"rate_limit_exceeded","message":"m"}"#, 429),
            (r#"[{"error":{"message":"m","code":400}}]"#, 400),
        ] {
            let finish = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"length"}]}"#;
            let (events, said) = hear(&[&hi, finish, line]);
            assert_eq!(said.unwrap_err().status, status, "{line}");
            assert!(!events.iter().any(|event| matches!(event, Event::Finish(_))));
        }
        let (mut reader, mut out) = (Reader::new(&to()), Vec::new());
        let event = b"event: error\ndata: {\"error\":{\"message\":\"m\",\"status_code\":400}}\n\n";
        assert_eq!(reader.event(event, &mut out).unwrap_err().status, 400);
        assert!(
            reader
                .event(b"event: error\ndata: oops\n\n", &mut out)
                .is_err()
        );
    }

    #[test]
    fn the_last_usage_counts_wherever_it_stands() {
        for usage in [
            r#"{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":3}}"#,
            r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop","usage":{"prompt_tokens":9,"completion_tokens":3}}]}"#,
            r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"x_groq":{"usage":{"prompt_tokens":9,"completion_tokens":3}}}"#,
        ] {
            let first = r#"{"id":"","model":"","choices":[],"prompt_filter_results":[{}]}"#;
            let early = r#"{"id":"a","choices":[{"index":0,"delta":{"content":"Hi"}}],"usage":{"prompt_tokens":9,"completion_tokens":1}}"#;
            let (events, said) = hear(&[first, early, usage, "[DONE]"]);
            said.unwrap();
            assert!(matches!(&events[0], Event::Start { id: Some(id), .. } if id == "a"));
            let tokens = Reply::fold(events).tokens.unwrap();
            assert_eq!((tokens.input, tokens.output), (9, 3), "{usage}");
        }
    }

    #[test]
    fn sources_stand_with_the_text() {
        let chunk = r#"{"choices":[{"index":0,"delta":{"content":"Hi"}}],"citations":["https://a"],"search_results":[{"title":"A","url":"https://a"}]}"#;
        let (events, _) = hear(&[chunk, &chunk.replace("Hi", "!"), "[DONE]"]);
        let reply = Reply::fold(events);
        assert_eq!(reply.citations.len(), 1);
        assert_eq!(reply.citations[0].1.title.as_deref(), Some("A"));
    }

    #[test]
    fn a_spoken_answer_is_its_transcript_and_its_sound() {
        let reply = reply(&[
            r#"{"role":"assistant","content":null,"audio":{"id":"audio_1","transcript":"He"}}"#,
            r#"{"audio":{"transcript":"llo","data":"QQ=="}}"#,
            r#"{"audio":{"data":"QkM="}}"#,
            r#"{"audio":{"expires_at":5}}"#,
        ]);
        assert_eq!(texts(&reply), ["text Hello", "audio"]);
        assert!(matches!(&reply.blocks[1].kind,
            Kind::Audio(Medium { source: Source::Base64(data), .. }) if data == "QUJD"));
    }

    fn asked(wanted: &Wanted) -> Asked<'_> {
        Asked {
            wanted,
            id: RequestId::from_parts(1, 2),
            at_s: 3,
        }
    }

    fn wanted(body: &str) -> Wanted {
        Wanted {
            body: Bytes::from(body.to_owned()),
            model: "alias".to_owned(),
            stream: true,
            events: true,
            usage_wanted: true,
            max_output: None,
            answers: 1,
        }
    }

    /// The chunks that tell an answer.
    fn chunks(reply: Reply, wanted: &Wanted) -> Vec<Value> {
        let (mut writer, mut out) = (Writer::new(&asked(wanted)), BytesMut::new());
        for event in reply.unfold() {
            writer.write(event, &mut out);
        }
        let out = String::from_utf8(out.to_vec()).unwrap();
        let mut events: Vec<&str> = out.split_terminator("\n\n").collect();
        assert_eq!(events.pop(), Some("data: [DONE]"));
        let data = events
            .into_iter()
            .map(|event| event.strip_prefix("data: ").unwrap());
        data.map(|data| serde_json::from_str(data).unwrap())
            .collect()
    }

    /// Adds up deltas as OpenAI's own clients do.
    fn accumulate(message: &mut Value, delta: &Value) {
        let (Value::Object(known), Value::Object(new)) = (message, delta) else {
            return;
        };
        for (name, value) in new {
            let slot = known.entry(name).or_insert(Value::Null);
            match (&mut *slot, value) {
                (Value::String(text), Value::String(more)) if name != "type" && name != "id" => {
                    text.push_str(more);
                }
                (Value::Object(_), Value::Object(_)) => accumulate(slot, value),
                (Value::Array(list), Value::Array(more)) => {
                    for element in more {
                        let at = |one: &&mut Value| {
                            name == "tool_calls" && one["index"] == element["index"]
                        };
                        match list.iter_mut().find(at) {
                            Some(one) => accumulate(one, element),
                            None => list.push(element.clone()),
                        }
                    }
                }
                (slot, value) => *slot = value.clone(),
            }
        }
    }

    fn rich() -> Reply {
        let mut called = Block::call("c1", "f", r#"{"a":1}"#);
        called.opaque = Some(Opaque::new(Origin::google(), "thought"));
        let cited = Citation {
            url: Some("https://a".to_owned()),
            span: Some((0, 2)),
            ..Citation::default()
        };
        let whole = Citation {
            span: None,
            ..cited.clone()
        };
        Reply {
            blocks: vec![
                Block::new(Kind::Reasoning("Hm é".to_owned()))
                    .with_opaque(Some(Opaque::new(Origin::Anthropic, "sig"))),
                Block::new(Kind::Redacted).with_opaque(Some(Opaque::new(Origin::Anthropic, "red"))),
                Block::text("One "),
                Block::text("twö"),
                called,
                Block::call("c2", "g", ""),
                Block::call("c3", "sh", r#"{"input":"ls"}"#),
                Block::new(Kind::Image(super::super::media::read_url(
                    "data:image/png;base64,QQ",
                ))),
            ],
            citations: vec![(2, whole), (3, cited)],
            finish: Finish::new(Reason::ToolUse, "x"),
            tokens: Some(Usage {
                input: 5,
                output: 7,
                ..Usage::default()
            }),
            ..Reply::default()
        }
    }

    #[test]
    fn the_stream_adds_up_to_the_plain_answer() {
        let custom = r#"{"tools":[{"type":"custom","custom":{"name":"sh"}}]}"#;
        let refused = Reply {
            blocks: vec![Block::new(Kind::Refusal("No.".to_owned()))],
            finish: Finish::new(Reason::Refusal, "x"),
            ..Reply::default()
        };
        let legacy = Reply {
            blocks: vec![Block::text("a"), Block::call("c", "f", "")],
            finish: Finish::new(Reason::ToolUse, "x"),
            ..Reply::default()
        };
        for (body, reply) in [
            (custom, rich()),
            ("{}", refused),
            ("{}", Reply::default()),
            (r#"{"functions":[{"name":"f"}]}"#, legacy),
        ] {
            let wanted = wanted(body);
            let plain = super::super::reply::write::write(&reply, &asked(&wanted));
            let plain: Value = serde_json::from_slice(&plain).unwrap();
            let chunks = chunks(reply, &wanted);
            let mut message = json!({});
            let (mut reason, mut usage) = (Value::Null, Value::Null);
            for chunk in &chunks {
                assert_eq!(chunk["id"], plain["id"]);
                assert_eq!(
                    (&chunk["created"], &chunk["model"]),
                    (&json!(3), &json!("alias"))
                );
                if let Some(choice) = chunk["choices"].get(0) {
                    assert_eq!(chunk["usage"], Value::Null);
                    accumulate(&mut message, &choice["delta"]);
                    reason = choice["finish_reason"].clone();
                } else {
                    usage = chunk["usage"].clone();
                }
            }
            let mut told = plain["choices"][0]["message"].clone();
            let calls = message.get_mut("tool_calls").and_then(Value::as_array_mut);
            for call in calls.into_iter().flatten() {
                call.as_object_mut().unwrap().remove("index");
            }
            // A stream begins with an empty text, and says nothing of annotations that are not there.
            if told["content"].is_null() {
                told["content"] = json!("");
            }
            if told["annotations"] == json!([]) {
                told.as_object_mut().unwrap().remove("annotations");
            }
            assert_eq!(message, told);
            assert_eq!(reason, plain["choices"][0]["finish_reason"]);
            assert_eq!(usage, plain.get("usage").cloned().unwrap_or_default());
        }
    }

    #[test]
    fn calls_are_counted_and_never_without_arguments() {
        let wanted = wanted("{}");
        let chunks = chunks(rich(), &wanted);
        let calls: Vec<&Value> = chunks
            .iter()
            .filter_map(|chunk| chunk["choices"].get(0)?["delta"]["tool_calls"].get(0))
            .collect();
        assert_eq!(
            calls[0],
            &json!({"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": ""}})
        );
        assert_eq!(
            calls[1],
            &json!({"index": 0, "function": {"arguments": "{\"a\":1}"}})
        );
        assert_eq!(
            calls[2]["extra_content"]["google"]["thought_signature"],
            "thought"
        );
        assert_eq!(
            calls[4],
            &json!({"index": 1, "function": {"arguments": "{}"}})
        );
    }

    #[test]
    fn what_a_caller_brings_back_is_what_it_got() {
        let wanted = wanted("{}");
        let plain = super::super::reply::write::write(&rich(), &asked(&wanted));
        let mut plain: Value = serde_json::from_slice(&plain).unwrap();
        let message = plain["choices"][0]["message"].take();
        let body = json!({"messages": [message]}).to_string();
        let request = super::super::request::read::read(body.as_bytes()).unwrap();
        let states = request.turns[0]
            .content
            .blocks
            .iter()
            .filter_map(|block| block.opaque.clone());
        let sent = rich().blocks.into_iter().filter_map(|block| block.opaque);
        assert_eq!(states.collect::<Vec<_>>(), sent.collect::<Vec<_>>());
        let thought = &request.turns[0].content.blocks[0].kind;
        assert!(matches!(thought, Kind::Reasoning(text) if text == "Hm é"));
    }

    #[test]
    fn a_stream_read_again_is_the_plain_answer_read() {
        let body = r#"{"id":"a","model":"m","created":1,"choices":[{"index":0,"message":{"role":"assistant",
            "content":"Hi","reasoning_content":"Hm","tool_calls":[{"id":"","type":"function","function":{"name":"f","arguments":"{}"}}]},
            "finish_reason":"tool_calls"}],"usage":{"prompt_tokens":2,"completion_tokens":3}}"#;
        let plain = super::super::reply::read::read(body.as_bytes(), &to()).unwrap();
        let lines = [
            r#"{"id":"a","model":"m","created":1,"choices":[{"index":0,"delta":{"role":"assistant","content":"","reasoning_content":"Hm"}}]}"#,
            r#"{"id":"a","model":"m","created":1,"choices":[{"index":0,"delta":{"content":"Hi"}}]}"#,
            r#"{"id":"a","model":"m","created":1,"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}"#,
            r#"{"id":"a","choices":[],"usage":{"prompt_tokens":2,"completion_tokens":3}}"#,
        ];
        let stream = Reply::fold(hear(&lines).0);
        assert_eq!(format!("{stream:?}"), format!("{plain:?}"));
        assert!(super::super::reply::read::read(br#"{"choices":[]}"#, &to()).is_none());
        assert!(super::super::reply::read::read(br#"{"error":"no"}"#, &to()).is_none());
    }

    #[test]
    fn state_that_comes_after_its_call_belongs_to_it() {
        let signed = r#"{"tool_calls":[{"index":0,"extra_content":{"google":{"thought_signature":"c2ln"}}}]}"#;
        let reply = reply(&[
            r#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]}"#,
            signed,
        ]);
        assert_eq!(reply.blocks.len(), 1);
        let state = reply.blocks[0].opaque.as_ref();
        assert_eq!(
            state.and_then(|state| state.of(Origin::Gemini)),
            Some("c2ln")
        );
    }
}
