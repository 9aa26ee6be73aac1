//! A request, whole: read from callers, written to providers.

pub(super) mod count;
pub(super) mod read;
pub(super) mod write;

/// Where members stand that are part of another: `metadata.tenant` is `tenant` in `metadata`.
const METADATA: &str = "metadata.";
const THINKING: &str = "thinking.";
const OUTPUT: &str = "output_config.";
const FORMAT: &str = "output_config.format.";
const CHOICE: &str = "tool_choice.";
const CACHE: &str = "cache_control.";
const SOURCE: &str = "source.";
/// All of them, the longer ones first.
const PARTS: [&str; 7] = [FORMAT, METADATA, THINKING, OUTPUT, CHOICE, CACHE, SOURCE];

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use shared::domain::provider;

    use super::*;
    use crate::dialects::Destination;
    use crate::dialects::neutral::{Field, Notes};

    fn destination(model: &str) -> Destination<'_> {
        Destination {
            model,
            stream: false,
            card: provider::find("anthropic").unwrap(),
        }
    }

    #[track_caller]
    fn comes_back(request: &Value) -> Notes {
        let model = request["model"].as_str().unwrap();
        let read = read::read(request.to_string().as_bytes()).unwrap();
        let written = write::write(&read, &destination(model)).unwrap();
        let back: Value = serde_json::from_slice(&written.body).unwrap();
        assert_eq!(&back, request);
        written.notes
    }

    #[test]
    fn a_rich_request_comes_back_as_it_was() {
        let notes = comes_back(&json!({
            "model": "claude-sonnet-4-5",
            "max_tokens": 9000,
            "system": [
                {"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
                {"type": "text", "text": "Be short."}
            ],
            "messages": [
                {"role": "user", "content": "Hi"},
                {"role": "assistant", "content": [
                    {"type": "thinking", "thinking": "", "signature": "c2ln"},
                    {"type": "redacted_thinking", "data": "ZGF0YQ=="},
                    {"type": "text", "text": "Look:", "citations": null},
                    {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {"q": 1.0}},
                    {"type": "web_search_tool_result", "tool_use_id": "srv_1", "content": []},
                    {"type": "tool_use", "id": "toolu_1", "name": "see", "input": {"n": 9_007_199_254_740_993_u64}},
                    {"type": "tool_use", "id": "toolu_2", "name": "see", "input": {}, "caller": {"type": "direct"}}
                ]},
                {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": "toolu_1", "content": "it\u{2019}s red", "is_error": false},
                    {"type": "tool_result", "tool_use_id": "toolu_2", "is_error": true, "content": [
                        {"type": "text", "text": "no"},
                        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}},
                        {"type": "search_result", "source": "a", "title": "b", "content": []}
                    ], "cache_control": {"type": "ephemeral", "scope": "global"}},
                    {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
                    {"type": "image", "source": {"type": "file", "file_id": "file_011"}},
                    {"type": "document", "title": "T", "context": "C", "citations": {"enabled": true},
                     "source": {"type": "text", "media_type": "text/plain", "data": "words"}},
                    {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "part"}]}},
                    {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0x"}},
                    {"type": "container_upload", "file_id": "file_012"},
                    {"type": "text", "text": "And now?", "cache_control": {"type": "ephemeral"}}
                ]}
            ],
            "tools": [
                {"name": "see", "description": "Sees.", "input_schema": {"type": "object", "properties": {"b": {}, "a": {}}, "additionalProperties": false},
                 "strict": true, "defer_loading": true, "cache_control": {"type": "ephemeral", "ttl": "5m"}},
                {"type": "web_search_20250305", "name": "web_search", "max_uses": 3}
            ],
            "tool_choice": {"type": "auto", "disable_parallel_tool_use": true},
            "thinking": {"type": "enabled", "budget_tokens": 2048, "display": "summarized"},
            "output_config": {
                "format": {"type": "json_schema", "schema": {"type": "object", "properties": {}, "additionalProperties": false}},
                "task_budget": {"total": 5}
            },
            "stop_sequences": ["END"],
            "top_p": 0.95,
            "metadata": {"user_id": "u1", "tenant": "t"},
            "service_tier": "auto",
            "context_management": {"edits": []},
            "mcp_servers": [],
            "container": "c1"
        }));
        assert_eq!(notes, Notes::default());
    }

    #[test]
    fn newer_members_come_back_as_they_were() {
        comes_back(&json!({
            "model": "claude-opus-4-8",
            "max_tokens": 0,
            "cache_control": {"type": "ephemeral", "ttl": "5m"},
            "system": "Be kind.",
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
                {"role": "system", "content": "From now on, rhyme."},
                {"role": "assistant", "content": "Oh my."},
                {"role": "user", "content": "Go on."}
            ],
            "thinking": {"type": "adaptive", "block_binding": {"x": 1}},
            "output_config": {"effort": "xhigh"}
        }));
        comes_back(&json!({
            "model": "claude-opus-4-6",
            "max_tokens": 10,
            "messages": [{"role": "user", "content": "Hi"}],
            "output_config": {"effort": "low"},
            "temperature": 1.0,
            "top_k": 4
        }));
        comes_back(&json!({
            "model": "claude-opus-5",
            "max_tokens": 10,
            "messages": [{"role": "user", "content": "Hi"}],
            "thinking": {"type": "disabled"},
            "tools": [{"name": "f", "input_schema": {"type": "object"}}],
            "tool_choice": {"type": "tool", "name": "f"}
        }));
    }

    #[test]
    fn a_wrong_member_is_named_by_its_place() {
        for (body, field) in [
            (
                r#"{"messages":[{"role":"user","content":[{"type":"text","text":7}]}]}"#,
                "messages[0].content[0].text",
            ),
            (
                r#"{"messages":[{"role":"robot","content":""}]}"#,
                "messages[0].role",
            ),
            (
                r#"{"messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64"}}]}]}"#,
                "messages[0].content[0].source.data",
            ),
            (r#"{"messages":[],"max_tokens":"many"}"#, "max_tokens"),
            (
                r#"{"messages":[],"tools":[{"description":"x"}]}"#,
                "tools[0].name",
            ),
            (
                r#"{"messages":[],"thinking":{"type":"deep"}}"#,
                "thinking.type",
            ),
            (
                r#"{"messages":[],"tool_choice":{"type":"tool"}}"#,
                "tool_choice.name",
            ),
            (r#"{"messages":[],"system":{}}"#, "system"),
        ] {
            let failure = read::read(body.as_bytes()).unwrap_err();
            assert_eq!(failure.field.as_deref(), Some(field), "{failure}");
            assert!(failure.public.contains(field), "{failure}");
        }
    }

    #[test]
    fn what_others_say_is_noted() {
        let mut request =
            read::read(br#"{"max_tokens":5,"messages":[{"role":"user","content":"x"}]}"#).unwrap();
        request.sampling.seed = serde_json::from_str("7").ok();
        request.sampling.temperature = serde_json::from_str("1.7").ok();
        let written = write::write(&request, &destination("claude-sonnet-4-0")).unwrap();
        assert!(written.notes.dropped.contains(&Field::Seed));
        assert!(written.notes.emulated.contains(&Field::Temperature));
        let body: Value = serde_json::from_slice(&written.body).unwrap();
        assert_eq!(body["temperature"], json!(1));
    }
}
