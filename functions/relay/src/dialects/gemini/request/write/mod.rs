//! The neutral form → a request of Gemini's dialect. <https://ai.google.dev/api/generate-content>

mod config;
mod model;
mod parts;
mod tools;
mod turns;

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::value::RawValue;
use shared::domain::dialect::Dialect;
use shared::domain::provider::Provider;
use shared::failure::Failure;

use self::model::Model;
use super::super::names;
use super::super::spelling::{Spelling, snake};
use super::{CONFIG, IN_CONFIG, IN_SYSTEM, IN_TOOL_CONFIG, TOOL_CONFIG};
use crate::dialects::convert::Renames;
use crate::dialects::json::{Fields, Json, Object};
use crate::dialects::neutral::request::{Extra, Extras, Tool, ToolInput};
use crate::dialects::neutral::{Field, Kind, Notes, Request};
use crate::dialects::{Destination, Written};

/// A request that is being written.
#[derive(Debug)]
struct Writing<'a> {
    model: Model,
    card: &'a Provider,
    spelling: Spelling,
    notes: Notes,
    renames: Renames,
    /// The names of the tools that were called, by the ids of the calls.
    called: BTreeMap<&'a str, &'a str>,
}

/// Whether a model wants its calls back with their signatures.
pub(in crate::dialects::gemini) fn wants_signatures(model: &str) -> bool {
    model::Model::of(model).third
}

/// Writes it. What a caller of the same dialect has written comes back as it came, but for three
/// things that are added: `responseMimeType` to a schema, a placeholder for the signature that a call
/// to Gemini 3 lacks, and a first turn where there is none.
pub(in crate::dialects::gemini) fn write(
    request: &Request,
    to: &Destination<'_>,
) -> Result<Written, Failure> {
    let mut writing = Writing {
        model: Model::of(to.model),
        card: to.card,
        spelling: Spelling::of(&request.extras),
        notes: Notes::default(),
        renames: Renames::default(),
        called: called(request),
    };
    let config = writing.config(request)?;
    let (system, contents) = writing.conversation(request)?;
    let tools = writing.tools(&request.tools);
    let tool_config = writing.tool_config(request);
    let mut body = Object::new();
    if let Some(system) = system {
        body.put(writing.spelling.write("systemInstruction"), system);
    }
    body.put("contents", Json::Array(contents));
    if !tools.is_empty() {
        body.put("tools", Json::Array(tools));
    }
    if let Some(tool_config) = tool_config {
        body.put(writing.spelling.write("toolConfig"), tool_config);
    }
    if !config.is_empty() || request.extras.get(Dialect::Gemini, CONFIG).is_some() {
        body.put(writing.spelling.write("generationConfig"), config);
    }
    writing.rest(request, &mut body);
    Ok(Written {
        body: body.to_bytes(),
        notes: writing.notes,
        renames: writing.renames,
    })
}

/// The tools that were called, by the ids of the calls.
fn called(request: &Request) -> BTreeMap<&str, &str> {
    let blocks = request.turns.iter().flat_map(|turn| &turn.content.blocks);
    let calls = blocks.filter_map(|block| match &block.kind {
        Kind::ToolUse(call) => Some((call.id.as_str(), call.name.as_str())),
        _ => None,
    });
    calls.collect()
}

impl Writing<'_> {
    /// The members of the request itself that only this dialect understands; and what is lost of others.
    fn rest(&mut self, request: &Request, body: &mut Object) {
        self.lose(&request.extras, "");
        self.notes.drop_if(request.user.as_ref(), Field::User);
        self.notes.drop_if(request.cache.as_ref(), Field::Cache);
        if request.parallel_tools == Some(false) {
            self.notes.drop(Field::ParallelTools);
        }
        for extra in request.extras.of(Dialect::Gemini) {
            let name = plain(extra);
            let written = [CONFIG, TOOL_CONFIG, "=spelling"].contains(&extra.name.as_str())
                || [IN_CONFIG, IN_SYSTEM, IN_TOOL_CONFIG]
                    .iter()
                    .any(|prefix| name.starts_with(prefix));
            if !written {
                body.put(name.to_owned(), &extra.value);
            }
        }
    }

    /// Notes what other dialects' members are lost.
    fn lose(&mut self, extras: &Extras, place: &str) {
        for extra in extras.foreign(Dialect::Gemini) {
            let name = format!("{place}{}", extra.name);
            self.notes.drop(Field::Other(name));
        }
    }

    /// A tool's name as Gemini takes it.
    fn tool_name(&mut self, name: &str) -> String {
        let written = names::sanitise(name);
        if written != name {
            let tools = &mut self.renames.tools;
            tools.insert(written.clone(), name.to_owned());
        }
        written
    }
}

/// The name of a member that an extra holds, without the mark that no other dialect misses it.
fn plain(extra: &Extra) -> &str {
    let name = extra.name.as_str();
    name.strip_prefix(Extras::SPELLING).unwrap_or(name)
}

/// Whether a tool is a function that the caller runs.
fn is_function(tool: &Tool) -> bool {
    !matches!(tool.input, ToolInput::Foreign(..))
}

/// A request to count tokens, made from one for an answer.
/// <https://ai.google.dev/api/tokens#request-body>
pub(in crate::dialects::gemini) fn count_request(written: &[u8], to: &Destination<'_>) -> Bytes {
    let fields = std::str::from_utf8(written).ok().and_then(Fields::parse);
    let members = fields.into_iter().flat_map(Fields::rest);
    let mut request = Object::new();
    if super::super::on_vertex(to) {
        const COUNTED: [&str; 4] = ["contents", "systemInstruction", "tools", "generationConfig"];
        let counted = |name: &str| COUNTED.iter().any(|one| *one == name || snake(one) == name);
        for (name, value) in members.filter(|(name, _)| counted(name)) {
            request.put(name, value.to_owned());
        }
        return request.to_bytes();
    }
    let (kind, name) = super::super::resource(to.model);
    request.put("model", format!("{kind}/{name}"));
    let named = |(name, _): &(String, &RawValue)| name == "model";
    for (name, value) in members.filter(|member| !named(member)) {
        request.put(name, value.to_owned());
    }
    Object::new()
        .with("generateContentRequest", request)
        .to_bytes()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::dialects::neutral::request::{
        Content, Effort, Format, Medium, Reasoning, Schema, Source, ToolChoice, ToolResult,
    };
    use crate::dialects::neutral::{Block, Opaque, Origin, Role, Turn};
    use shared::domain::provider::card::{Auth, Tongue};

    static CARD: Provider = Provider {
        name: "google",
        label: "Google",
        base_url: None,
        speaks: &[Tongue::of(Dialect::Gemini)],
        auth: Auth::None,
        credential: &[],
        names: &[],
        quirks: &[],
        docs: "",
    };

    fn to(model: &str) -> Destination<'_> {
        Destination {
            model,
            stream: false,
            card: &CARD,
        }
    }

    fn written(request: &Request, model: &str) -> (Value, Written) {
        let written = write(request, &to(model)).unwrap();
        (serde_json::from_slice(&written.body).unwrap(), written)
    }

    #[track_caller]
    fn comes_back(body: &Value) {
        let request = super::super::read(body.to_string().as_bytes()).unwrap();
        let (again, written) = written(&request, "gemini-2.5-flash");
        assert_eq!(&again, body);
        assert_eq!(written.notes, Notes::default());
    }

    #[test]
    fn what_a_schema_is_for_is_told() {
        let request = Request {
            format: Some(Format::Schema(Schema {
                name: None,
                description: Some("What it is for.".to_owned()),
                schema: serde_json::from_str(r#"{"type":"object"}"#).unwrap(),
                strict: None,
            })),
            ..Request::default()
        };
        let (_, written) = written(&request, "gemini-2.5-flash");
        assert_eq!(written.notes.emulated, [Field::Format].into());
    }

    #[test]
    fn a_request_of_this_dialect_comes_back_as_it_came() {
        comes_back(&json!({
            "model": "models/x",
            "systemInstruction": {"role": "user", "parts": [{"text": "Be kind."}]},
            "contents": [
                {"role": "user", "parts": [{"text": "Look", "partMetadata": {"a": 1.0}},
                    {"inlineData": {"mimeType": "image/png", "data": "aa+/", "displayName": "a"}},
                    {"fileData": {"mimeType": "video/mp4", "fileUri": "gs://b/v"},
                        "videoMetadata": {"fps": 2}}]},
                {"role": "model", "parts": [{"text": "Hm", "thought": true}, {"text": ""},
                    {"text": "so", "thoughtSignature": "c2ln", "thought": false},
                    {"functionCall": {"name": "f", "args": {"n": 12345678901234567890_u64}},
                        "thoughtSignature": "c2ln"},
                    {"functionCall": {"name": "g", "id": "x", "args": {}}},
                    {"executableCode": {"language": "PYTHON", "code": "1"}}]},
                {"role": "function", "parts": [
                    {"functionResponse": {"name": "f", "response": {"output": "o"}}},
                    {"functionResponse": {"name": "g", "id": "x", "response": {"error": "no"},
                        "parts": [{"inlineData": {"mimeType": "image/png", "data": "aa=="}}],
                        "scheduling": "SILENT"}}]},
                {"parts": [{"functionResponse": {"name": "h", "response": {"result": {"a": 1}}}}]},
                {"parts": [{"functionResponse": {"name": "h", "response": {"result": "{}"}}}]},
                {"parts": [{"functionResponse": {"name": "h", "response": {"result": "o"}}}]},
            ],
            "tools": [
                {"functionDeclarations": [
                    {"name": "f", "description": "", "parameters": {"type": "OBJECT"},
                        "response": {"type": "STRING"}}]},
                {"functionDeclarations": [{"name": "g", "behavior": "NON_BLOCKING"},
                    {"name": "h", "parametersJsonSchema": {"type": "object"}}],
                    "googleSearch": {}},
                {"codeExecution": {}}],
            "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]},
                "retrievalConfig": {"languageCode": "en"}},
            "generationConfig": {"maxOutputTokens": 5, "temperature": 1.0, "topP": 0.5, "topK": 40,
                "stopSequences": ["x"], "seed": 7, "candidateCount": 1, "presencePenalty": 0.1,
                "responseLogprobs": true, "logprobs": 3, "responseMimeType": "application/json",
                "responseSchema": {"type": "STRING", "enum": ["a"]}, "responseModalities": ["TEXT"],
                "thinkingConfig": {"includeThoughts": true, "thinkingBudget": -1, "new": 1},
                "speechConfig": {"a": 1}},
            "safetySettings": [{"category": "C", "threshold": "T"}],
            "cachedContent": "cachedContents/x",
            "labels": {"a": "b"}
        }));
    }

    #[test]
    fn snake_case_comes_back_as_snake_case() {
        comes_back(&json!({
            "system_instruction": {"parts": [{"text": "a"}]},
            "contents": [
                {"role": "user", "parts": [{"inline_data": {"mime_type": "a/b", "data": "_-8="}}]},
                {"role": "model", "parts": [{"function_call": {"name": "f"}, "thought_signature": "c"}]}],
            "tools": [{"function_declarations": [
                {"name": "f", "parameters_json_schema": {"type": "object"}}]}],
            "tool_config": {"function_calling_config": {"mode": "AUTO"}},
            "generation_config": {"max_output_tokens": 1, "response_mime_type": "text/plain",
                "thinking_config": {"thinking_level": "LOW"}},
        }));
        comes_back(&json!({"contents": [{"parts": []}], "generationConfig": {}}));
    }

    fn call_and_answer() -> Request {
        let result = |content| {
            Block::new(Kind::ToolResult(ToolResult {
                id: "c1".to_owned(),
                name: None,
                content,
                failed: None,
            }))
        };
        let image = Block::new(Kind::Image(Medium {
            mime: None,
            source: Source::Base64("/9j/x".to_owned()),
            ..Medium::default()
        }));
        let said = Content::blocks(vec![Block::text("done"), image]);
        Request {
            instructions: Content::text("Be kind."),
            turns: vec![
                Turn::new(Role::User, Content::text("go")),
                Turn::new(
                    Role::Assistant,
                    Content::blocks(vec![
                        Block::new(Kind::Reasoning("hm".to_owned()))
                            .with_opaque(Some(Opaque::new(Origin::Anthropic, "s"))),
                        Block::text(""),
                        Block::call("c1", "my tool", "{\"a\":1}"),
                        Block::call("c2", "other", ""),
                    ]),
                ),
                Turn::new(Role::User, Content::text("and now?")),
                Turn::new(Role::Tool, Content::blocks(vec![result(said)])),
            ],
            tools: vec![Tool {
                name: "my tool".to_owned(),
                description: None,
                input: ToolInput::Schema(None),
                strict: Some(true),
                cache: None,
                extras: Extras::default(),
            }],
            tool_choice: Some(ToolChoice::Named("my tool".to_owned())),
            ..Request::default()
        }
    }

    #[test]
    fn gemini_3_gets_a_placeholder_for_the_first_signature_and_media_inside() {
        let (body, written) = written(&call_and_answer(), "gemini-3-flash");
        let parts = &body["contents"][1]["parts"];
        assert_eq!(
            parts[0]["thoughtSignature"],
            "skip_thought_signature_validator"
        );
        assert_eq!(parts[0]["functionCall"]["args"], json!({"a": 1}));
        let name = parts[0]["functionCall"]["name"].as_str().unwrap();
        assert_eq!(written.renames.tools[name], "my tool");
        assert_eq!(parts[1]["thoughtSignature"], Value::Null);
        let answer = &body["contents"][2]["parts"][0]["functionResponse"];
        assert_eq!(answer["name"], *name);
        assert_eq!(answer["id"], "c1");
        assert_eq!(answer["response"], json!({"output": "done"}));
        assert_eq!(answer["parts"][0]["inlineData"]["mimeType"], "image/jpeg");
        assert_eq!(body["contents"][3]["parts"][0]["text"], "and now?");
        assert_eq!(body["tools"][0]["functionDeclarations"][0]["name"], *name);
        let calling = &body["toolConfig"]["functionCallingConfig"];
        assert_eq!(calling["allowedFunctionNames"], json!([name]));
        let dropped: Vec<_> = written.notes.dropped.into_iter().collect();
        assert_eq!(dropped, [Field::StrictTools, Field::ReasoningHistory]);
    }

    #[test]
    fn others_get_no_placeholder_and_media_beside() {
        let (body, _) = written(&call_and_answer(), "gemini-2.5-flash");
        assert!(!body.to_string().contains("thoughtSignature"));
        let contents = body["contents"].as_array().unwrap();
        assert_eq!(contents.len(), 4);
        let user = contents[3]["parts"].as_array().unwrap();
        assert!(user.iter().any(|part| part["inlineData"].is_object()));
        assert_eq!(contents[2]["parts"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn there_is_always_a_first_turn_of_the_user() {
        let mut request = Request {
            instructions: Content::text("Say hi."),
            ..Request::default()
        };
        let (body, _) = written(&request, "gemini-2.5-flash");
        let said = json!([{"role": "user", "parts": [{"text": "Say hi."}]}]);
        assert_eq!(body, json!({"contents": said}));
        request.turns = vec![
            Turn::new(Role::Developer, Content::text("Be kind.")),
            Turn::new(Role::Assistant, Content::text("Hi.")),
            Turn::new(Role::Assistant, Content::text("Yes?")),
            Turn::new(Role::System, Content::text("Stop.")),
        ];
        let (body, _) = written(&request, "gemini-2.5-flash");
        assert_eq!(body["systemInstruction"]["parts"][1]["text"], "Be kind.");
        assert_eq!(body["contents"][0]["role"], "user");
        assert_eq!(body["contents"][1]["parts"][1]["text"], "Yes?");
        let marked = "<system>\nStop.\n</system>";
        assert_eq!(body["contents"][2]["parts"][0]["text"], marked);
    }

    #[test]
    fn a_format_beside_functions_is_asked_for_in_words_where_it_must() {
        let mut request = call_and_answer();
        request.format = Some(Format::Schema(Schema {
            name: None,
            description: None,
            schema: serde_json::from_str(r#"{"type":"object"}"#).unwrap(),
            strict: None,
        }));
        request.reasoning = Some(Reasoning {
            effort: Some(Effort::Low),
            ..Reasoning::default()
        });
        let (body, written_25) = written(&request, "gemini-2.5-flash");
        assert_eq!(
            body["generationConfig"],
            json!({"thinkingConfig": {"thinkingBudget": 2048, "includeThoughts": true}})
        );
        assert!(
            body["systemInstruction"]
                .to_string()
                .contains("JSON schema")
        );
        assert!(written_25.notes.emulated.contains(&Field::Format));
        let (body, _) = written(&request, "gemini-3-flash");
        let config = &body["generationConfig"];
        assert_eq!(config["responseJsonSchema"], json!({"type": "object"}));
        assert_eq!(config["thinkingConfig"]["thinkingLevel"], "LOW");
    }

    #[test]
    fn what_cannot_be_served_is_refused() {
        let mut request = Request::default();
        request.sampling.answers = Some(2);
        assert!(write(&request, &to("m")).is_err());
        request.sampling.answers = Some(1);
        request.sampling.stop = vec![String::new(); 6];
        assert!(write(&request, &to("m")).is_err());
        request.sampling.stop.clear();
        request.sampling.seed = serde_json::from_str("99999999999").ok();
        let (body, written) = written(&request, "m");
        assert_eq!(body["generationConfig"]["seed"], 1_215_752_191);
        assert!(written.notes.emulated.contains(&Field::Seed));
    }

    #[test]
    fn a_request_to_count_holds_the_request() {
        let body = br#"{"model":"old","contents":[]}"#;
        assert_eq!(
            count_request(body, &to("gemini-x")),
            r#"{"generateContentRequest":{"model":"models/gemini-x","contents":[]}}"#
        );
    }
}
