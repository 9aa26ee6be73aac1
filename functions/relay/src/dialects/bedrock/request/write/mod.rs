//! A request → `Converse` or `ConverseStream`.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>

mod cache;
mod content;
mod media;
mod names;
mod sampling;
mod schema;
mod thinking;
mod tools;

use shared::domain::dialect::Dialect;
use shared::failure::Failure;

use crate::dialects::bedrock::model::Model;
use crate::dialects::convert::Renames;
use crate::dialects::envelope::betas::{self, Host};
use crate::dialects::json::{Fields, Json, Object, Raw, array, text};
use crate::dialects::neutral::request::ToolInput;
use crate::dialects::neutral::{Field, Notes, Request};
use crate::dialects::{Destination, Written};

use cache::Points;
use content::Scribe;
use media::Documents;
use names::Names;
use sampling::Chance;
use thinking::Mind;
use tools::{Bench, Kit};

/// Members of Converse that no other dialect has: whoever writes them means them.
const OWN: [&str; 6] = [
    "guardrailConfig",
    "promptVariables",
    "additionalModelResponseFieldPaths",
    "requestMetadata",
    "performanceConfig",
    "serviceTier",
];

/// What goes to the model past Converse.
const MORE: &str = "additionalModelRequestFields";

pub(in crate::dialects::bedrock) fn write(
    request: &Request,
    to: &Destination<'_>,
) -> Result<Written, Failure> {
    let model = Model(to.model);
    let mut notes = Notes::default();
    let mut names = Names::default();
    let mut points = Points::of(request, model);
    let mind = thinking::write(request, model, &mut notes);
    let chance = sampling::write(request, model, &mind, &mut notes)?;
    let mut kit = Kit::of(
        request,
        &mut Bench {
            model,
            mind: &mind,
            names: &mut names,
            points: &mut points,
            notes: &mut notes,
        },
    );
    let mut scribe = Scribe {
        model,
        names: &mut names,
        points: &mut points,
        notes: &mut notes,
        documents: Documents::default(),
        text_tools: text_tools(request),
    };
    let mut system = scribe.system(request);
    let messages = scribe.messages(request)?;
    if let Some(told) = kit.told.take() {
        system.push(Object::new().with("text", told).into());
    }
    let mut own = Own::read(request, model, &mut notes);
    let mut body = Object::new().with("messages", messages);
    if !system.is_empty() {
        body.put("system", system);
    }
    if !chance.config.is_empty() {
        body.put("inferenceConfig", chance.config.clone());
    }
    if let Some(config) = kit.config() {
        body.put("toolConfig", config);
    }
    let output = Object::new()
        .maybe("textFormat", kit.text_format.take())
        .maybe("effort", mind.effort);
    if !output.is_empty() {
        body.put("outputConfig", output);
    }
    if chance.ends && !own.has("additionalModelResponseFieldPaths") {
        let path = if to.stream {
            "/delta/stop_sequence"
        } else {
            "/stop_sequence"
        };
        body.put("additionalModelResponseFieldPaths", vec![path]);
    }
    let more = own.more(mind, chance, &mut kit);
    if !more.is_empty() {
        body.put(MORE, more);
    }
    for (name, value) in own.members {
        body.put(name, value);
    }
    notes.drop_if(request.user.as_ref(), Field::User);
    Ok(Written {
        body: body.to_bytes(),
        notes,
        renames: Renames {
            tools: names.0,
            format_tool: kit.format_tool,
        },
    })
}

/// The tools that take any text.
fn text_tools(request: &Request) -> Vec<&str> {
    let tools = request.tools.iter();
    let text = tools.filter(|tool| matches!(tool.input, ToolInput::Text));
    text.map(|tool| tool.name.as_str()).collect()
}

/// What the caller has written in Bedrock's own words, whatever the dialect.
#[derive(Debug, Default)]
struct Own {
    members: Vec<(&'static str, Json)>,
    more: Option<Raw>,
    betas: Vec<String>,
}

impl Own {
    fn read(request: &Request, model: Model<'_>, notes: &mut Notes) -> Self {
        let mut own = Self::default();
        for extra in request.extras.foreign(Dialect::Bedrock) {
            let word = text(&extra.value);
            let known = OWN.into_iter().find(|known| *known == extra.name);
            if let Some(name) = known {
                own.members.push((name, Json::Raw(extra.value.clone())));
            } else if extra.name == MORE {
                own.more = Some(extra.value.clone());
            } else if extra.name == betas::MEMBER && model.claude().is_some() {
                let flags = array(&extra.value).into_iter().filter_map(text);
                own.betas
                    .extend(betas::sort(Host::Converse, flags, notes).kept);
            } else if extra.name == "service_tier"
                && let Some(tier) = word.as_deref().and_then(tier)
            {
                let tier = Object::of_type(tier);
                own.members.push(("serviceTier", tier.into()));
            } else {
                notes.drop(Field::Other(extra.name.clone()));
            }
        }
        own
    }

    fn has(&self, name: &str) -> bool {
        self.members.iter().any(|(known, _)| *known == name)
    }

    /// `additionalModelRequestFields`: the caller's own word counts, where both say something.
    fn more(&mut self, mind: Mind, chance: Chance, kit: &mut Kit) -> Object {
        let mut more = Object::new();
        let given = self.more.take();
        for (name, value) in given
            .as_ref()
            .and_then(|raw| Fields::of(raw))
            .into_iter()
            .flat_map(Fields::rest)
        {
            more.put(name, value.to_owned());
        }
        let betas = std::mem::take(&mut self.betas);
        let betas = (!betas.is_empty()).then(|| (betas::MEMBER, Json::from(betas)));
        let choice = kit.own_choice.take();
        let choice = choice.map(|choice| ("tool_choice", Json::from(choice)));
        let ours = mind.fields.into_iter().chain(chance.fields);
        for (name, value) in ours.chain(choice).chain(betas) {
            if !more.has(name) {
                more.put(name, value);
            }
        }
        more
    }
}

/// A tier of service, where the caller's word is Bedrock's, too.
fn tier(word: &str) -> Option<&'static str> {
    let known = ["default", "flex", "priority"];
    known.into_iter().find(|known| *known == word)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use shared::domain::provider;

    use super::*;
    use crate::dialects::neutral::request::{
        Cache, Content, Effort, Extra, Format, Lifetime, Medium, Reasoning, Schema, Source, Tool,
        ToolChoice, ToolResult, Turn,
    };
    use crate::dialects::neutral::{Block, Kind, Opaque, Origin, Role};

    const SONNET: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
    const OPUS: &str = "us.anthropic.claude-opus-4-8";
    const OLD: &str = "us.anthropic.claude-3-7-sonnet-20250219-v1:0";
    const NOVA: &str = "us.amazon.nova-pro-v1:0";
    const LLAMA: &str = "us.meta.llama4-scout-17b-instruct-v1:0";

    fn written(request: &Request, model: &str) -> Result<Written, Failure> {
        let card = provider::find("bedrock").unwrap();
        let stream = false;
        let to = Destination {
            model,
            stream,
            card,
        };
        write(request, &to)
    }

    #[track_caller]
    fn body(request: &Request, model: &str) -> (Value, Notes) {
        let written = written(request, model).unwrap();
        (
            serde_json::from_slice(&written.body).unwrap(),
            written.notes,
        )
    }

    fn raw(json: &str) -> Raw {
        Raw::from(serde_json::value::RawValue::from_string(json.to_owned()).unwrap())
    }

    fn user(text: &str) -> Turn {
        Turn::new(Role::User, Content::text(text))
    }

    fn asking() -> Request {
        Request {
            turns: vec![user("hi")],
            ..Request::default()
        }
    }

    fn tool(name: &str) -> Tool {
        Tool {
            name: name.to_owned(),
            description: Some(String::new()),
            input: ToolInput::Schema(Some(raw(r#"{"type":"object","properties":{"n":{}}}"#))),
            strict: None,
            cache: None,
            extras: Default::default(),
        }
    }

    fn result(id: &str, text: &str, failed: Option<bool>) -> Block {
        Block::new(Kind::ToolResult(ToolResult {
            id: id.to_owned(),
            name: None,
            content: Content::text(text),
            failed,
        }))
    }

    fn thinking(budget: u64) -> Option<Reasoning> {
        Some(Reasoning {
            enabled: Some(true),
            budget: Some(budget),
            ..Reasoning::default()
        })
    }

    const CACHED: Option<Cache> = Some(Cache { lifetime: None });

    #[test]
    fn a_conversation_takes_turns() {
        let mut request = asking();
        request.instructions = Content::text("Be brief.");
        request.turns = vec![
            Turn::new(Role::System, Content::text("And kind.")),
            user("weather?"),
            Turn::new(
                Role::Assistant,
                Content::blocks(vec![
                    Block::text(" "),
                    Block::call("call|1", "get.weather", r#"{"n":1.0}"#),
                    Block::call("b", "get.weather", ""),
                ]),
            ),
            Turn::new(
                Role::Tool,
                Content::blocks(vec![result("call|1", "", None)]),
            ),
            Turn::new(
                Role::User,
                Content::blocks(vec![Block::text("go on"), result("b", "7", Some(true))]),
            ),
            Turn::new(Role::Developer, Content::text("Now in French.")),
        ];
        let written = written(&request, SONNET).unwrap();
        let body: Value = serde_json::from_slice(&written.body).unwrap();
        let safe = written.renames.tools.keys().next().unwrap().as_str();
        let id = body["messages"][1]["content"][0]["toolUse"]["toolUseId"].as_str();
        let id = id.unwrap();
        assert!(id.starts_with("call_1_"), "{id}");
        assert_eq!(
            body,
            json!({
                "messages": [
                    {"role": "user", "content": [{"text": "weather?"}]},
                    {"role": "assistant", "content": [
                        {"toolUse": {"toolUseId": id, "name": safe, "input": {"n": 1.0}}},
                        {"toolUse": {"toolUseId": "b", "name": safe, "input": {}}},
                    ]},
                    {"role": "user", "content": [
                        {"toolResult": {"toolUseId": id, "content": [{"text": "."}]}},
                        {"toolResult": {"toolUseId": "b", "content": [{"text": "7"}], "status": "error"}},
                        {"text": "go on"},
                        {"text": "<system>\nNow in French.\n</system>"},
                    ]},
                ],
                "system": [{"text": "Be brief."}, {"text": "And kind."}],
                "toolConfig": {"tools": [
                    {"toolSpec": {"name": safe, "inputSchema": {"json": {"type": "object", "properties": {}}}}},
                ]},
            })
        );
        assert_eq!(written.renames.tools[safe], "get.weather");
    }

    #[test]
    fn an_answer_begun_is_no_beginning() {
        let mut request = asking();
        request.turns = vec![Turn::new(Role::Assistant, Content::text("So"))];
        let (body, _) = body(&request, SONNET);
        assert_eq!(
            body["messages"][0],
            json!({"role": "user", "content": [{"text": "."}]})
        );
        assert!(body.get("toolConfig").is_none() && body.get("system").is_none());
    }

    #[test]
    fn a_tool_that_takes_text_takes_it_as_a_member() {
        let mut request = asking();
        request.tools = vec![Tool {
            input: ToolInput::Text,
            ..tool("patch")
        }];
        let call = Content::blocks(vec![Block::call("a", "patch", "*** Begin")]);
        request.turns.push(Turn::new(Role::Assistant, call));
        let results = Content::blocks(vec![result("a", "done", None)]);
        request.turns.push(Turn::new(Role::Tool, results));
        request
            .turns
            .push(Turn::new(Role::Assistant, Content::text("So: \n")));
        let (body, notes) = body(&request, SONNET);
        let input = &body["messages"][1]["content"][0]["toolUse"]["input"];
        assert_eq!(input, &json!({"input": "*** Begin"}));
        let schema = &body["toolConfig"]["tools"][0]["toolSpec"]["inputSchema"]["json"];
        assert_eq!(schema["required"], json!(["input"]));
        assert!(notes.emulated.contains(&Field::Tool("patch".to_owned())));
        assert_eq!(body["messages"][3]["content"], json!([{"text": "So:"}]));
    }

    #[test]
    fn chance_is_told_as_each_model_takes_it() {
        let mut request = asking();
        request.max_output = Some(9);
        request.sampling.temperature = Some(raw("1.5"));
        request.sampling.top_p = Some(raw("0.90"));
        request.sampling.top_k = Some(raw("40"));
        request.sampling.stop = vec!["END".to_owned(), " ".to_owned()];
        request.sampling.seed = Some(raw("1"));
        let (claude, notes) = body(&request, SONNET);
        assert_eq!(
            claude["inferenceConfig"],
            json!({"maxTokens": 9, "temperature": 1, "stopSequences": ["END"]})
        );
        assert_eq!(claude[MORE], json!({"top_k": 40}));
        assert_eq!(
            claude["additionalModelResponseFieldPaths"],
            json!(["/stop_sequence"])
        );
        assert_eq!(notes.emulated, [Field::Temperature].into());
        assert_eq!(
            notes.dropped,
            [Field::TopP, Field::Seed, Field::Stop].into()
        );
        let (nova, _) = body(&request, NOVA);
        assert_eq!(nova["inferenceConfig"]["topP"], json!(0.9));
        assert_eq!(nova[MORE], json!({"inferenceConfig": {"topK": 40}}));
        let (opus, notes) = body(&request, OPUS);
        assert_eq!(
            opus["inferenceConfig"],
            json!({"maxTokens": 9, "stopSequences": ["END"]})
        );
        assert!(notes.dropped.contains(&Field::Temperature));
        request.sampling.answers = Some(2);
        assert_eq!(
            written(&request, NOVA).unwrap_err().field.as_deref(),
            Some("n")
        );
    }

    #[test]
    fn tools_are_chosen_as_converse_can_say_it() {
        let mut request = asking();
        request.tools = vec![tool("f"), tool("g")];
        request.parallel_tools = Some(false);
        let choice = |request: &mut Request, choice: ToolChoice, model: &str| {
            request.tool_choice = Some(choice);
            let (body, notes) = body(request, model);
            let tools = body["toolConfig"]["tools"].as_array().unwrap().len();
            let own = body[MORE]["tool_choice"].clone();
            (body["toolConfig"]["toolChoice"].clone(), own, tools, notes)
        };
        let one = json!({"disable_parallel_tool_use": true});
        let (said, own, tools, _) = choice(&mut request, ToolChoice::Any, SONNET);
        assert_eq!((said, own, tools), (json!({"any": {}}), one, 2));
        let named = ToolChoice::Named("g".to_owned());
        let (said, _, _, notes) = choice(&mut request, named.clone(), NOVA);
        assert_eq!(said, json!({"tool": {"name": "g"}}));
        assert!(notes.dropped.contains(&Field::ParallelTools));
        let (said, _, _, notes) = choice(&mut request, named, LLAMA);
        assert_eq!(said, Value::Null);
        assert!(notes.dropped.contains(&Field::ToolChoice));
        let (said, own, tools, _) = choice(&mut request, ToolChoice::None, SONNET);
        assert_eq!(
            (said, own, tools),
            (Value::Null, json!({"type": "none"}), 2)
        );
        let (said, own, tools, notes) = choice(&mut request, ToolChoice::None, NOVA);
        assert_eq!((said, own, tools), (Value::Null, Value::Null, 2));
        assert!(notes.dropped.contains(&Field::ToolChoice));
        let among = ToolChoice::Among {
            names: vec!["g".to_owned()],
            required: true,
        };
        let (said, _, tools, _) = choice(&mut request, among, SONNET);
        assert_eq!((said, tools), (json!({"any": {}}), 1));
        request.tool_choice = None;
        let own = body(&request, SONNET).0[MORE]["tool_choice"].clone();
        assert_eq!(
            own,
            json!({"type": "auto", "disable_parallel_tool_use": true})
        );
    }

    #[test]
    fn a_form_is_native_or_a_tool() {
        let mut request = asking();
        let schema = r#"{"type":"object","properties":{"n":{"type":"number","minimum":1.0}}}"#;
        request.format = Some(Format::Schema(Schema {
            name: Some("out".to_owned()),
            description: None,
            schema: raw(schema),
            strict: Some(true),
        }));
        let (native, notes) = body(&request, SONNET);
        let format = &native["outputConfig"]["textFormat"];
        assert_eq!(
            format["structure"]["jsonSchema"],
            json!({"name": "out", "schema": r#"{"type":"object","properties":{"n":{"type":"number","description":"minimum: 1.0"}},"additionalProperties":false}"#})
        );
        assert_eq!(format["type"], "json_schema");
        assert_eq!(notes, Notes::default());
        let forced = written(&request, NOVA).unwrap();
        assert_eq!(forced.renames.format_tool.as_deref(), Some("out_json"));
        let json: Value = serde_json::from_slice(&forced.body).unwrap();
        assert_eq!(
            json["toolConfig"]["toolChoice"],
            json!({"tool": {"name": "out_json"}})
        );
        let (llama, notes) = body(&request, LLAMA);
        assert!(
            llama["system"][0]["text"]
                .as_str()
                .unwrap()
                .ends_with(schema)
        );
        assert!(notes.emulated.contains(&Field::Format));
        request.reasoning = thinking(2_000);
        let old = written(&request, OLD).unwrap();
        let json: Value = serde_json::from_slice(&old.body).unwrap();
        assert_eq!(json["toolConfig"]["toolChoice"], json!({"auto": {}}));
        assert_eq!(
            json["system"][0]["text"],
            "Give your answer by calling the tool out_json."
        );
        assert!(old.renames.format_tool.is_some());
        request.format = Some(Format::Json);
        assert!(body(&request, SONNET).0["system"][0]["text"].is_string());
    }

    #[test]
    fn thinking_is_told_as_each_model_takes_it() {
        let mut request = asking();
        request.sampling.temperature = Some(raw("0.5"));
        request.max_output = Some(4_000);
        request.reasoning = thinking(8_000);
        let (budget, notes) = body(&request, SONNET);
        assert_eq!(
            budget[MORE]["thinking"],
            json!({"type": "enabled", "budget_tokens": 3_999})
        );
        assert!(notes.dropped.contains(&Field::Temperature));
        request.max_output = Some(900);
        let (none, notes) = body(&request, SONNET);
        assert!(none.get(MORE).is_none() && notes.dropped.contains(&Field::Reasoning));
        request.max_output = None;
        request.reasoning = Some(Reasoning {
            effort: Some(Effort::ExtraHigh),
            ..Reasoning::default()
        });
        let (adaptive, _) = body(&request, OPUS);
        assert_eq!(
            adaptive[MORE]["thinking"],
            json!({"type": "adaptive", "display": "summarized"})
        );
        assert_eq!(adaptive["outputConfig"], json!({"effort": "xhigh"}));
        let (nova, _) = body(&request, "us.amazon.nova-2-lite-v1:0");
        assert_eq!(
            nova[MORE],
            json!({"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "high"}})
        );
        assert!(nova.get("inferenceConfig").is_none());
        let (oss, _) = body(&request, "openai.gpt-oss-20b-1:0");
        assert_eq!(oss[MORE], json!({"reasoning_effort": "high"}));
        let (_, notes) = body(&request, LLAMA);
        assert!(notes.dropped.contains(&Field::Reasoning));
        request.reasoning = Some(Reasoning {
            enabled: Some(false),
            ..Reasoning::default()
        });
        assert!(body(&request, SONNET).0.get(MORE).is_none());
        assert_eq!(
            body(&request, OPUS).0[MORE],
            json!({"thinking": {"type": "disabled"}})
        );
    }

    #[test]
    fn without_its_last_thoughts_claude_does_not_think() {
        let call = Block::call("a", "f", "{}");
        let thought = Block::new(Kind::Reasoning("hm".to_owned()));
        let signed = |origin| {
            let opaque = Opaque::new(origin, "Ep==");
            thought.clone().with_opaque(Some(opaque))
        };
        for (thoughts, thinks, told) in [
            (vec![signed(Origin::Anthropic)], true, true),
            (vec![signed(Origin::Gemini)], false, false),
            (vec![thought.clone()], false, false),
            (vec![], false, true),
        ] {
            let mut request = asking();
            request.reasoning = thinking(2_000);
            let blocks = thoughts.into_iter().chain([call.clone()]).collect();
            request
                .turns
                .push(Turn::new(Role::Assistant, Content::blocks(blocks)));
            let results = Content::blocks(vec![result("a", "1", Some(false))]);
            request.turns.push(Turn::new(Role::Tool, results));
            let (body, notes) = body(&request, SONNET);
            assert_eq!(body[MORE]["thinking"].is_object(), thinks);
            let said = &body["messages"][1]["content"][0];
            if thinks {
                let expected = json!({"reasoningContent": {"reasoningText": {"text": "hm", "signature": "Ep=="}}});
                assert_eq!(said, &expected);
            } else {
                assert!(said["toolUse"].is_object(), "{said}");
            }
            assert_eq!(!notes.dropped.contains(&Field::ReasoningHistory), told);
        }
    }

    #[test]
    fn redacted_thoughts_are_wrapped_once_more() {
        let mut request = asking();
        let opaque = Opaque::new(Origin::Anthropic, "Eu8B");
        let block = Block::new(Kind::Redacted).with_opaque(Some(opaque));
        request
            .turns
            .push(Turn::new(Role::Assistant, Content::blocks(vec![block])));
        let (body, _) = body(&request, SONNET);
        assert_eq!(
            body["messages"][1]["content"],
            json!([{"reasoningContent": {"redactedContent": "RXU4Qg=="}}])
        );
    }

    #[test]
    fn the_last_four_cache_points_are_kept() {
        let mut request = asking();
        request.tools = vec![tool("f")];
        request.tools[0].cache = CACHED;
        let texts = (0..4).map(|at| Block {
            cache: Some(Cache {
                lifetime: (at == 3).then_some(Lifetime::Hour),
            }),
            ..Block::text(at.to_string())
        });
        request.turns = vec![Turn::new(Role::User, Content::blocks(texts.collect()))];
        let (claude, notes) = body(&request, SONNET);
        assert_eq!(claude["toolConfig"]["tools"].as_array().unwrap().len(), 1);
        let content = claude["messages"][0]["content"].as_array().unwrap();
        assert_eq!(content.len(), 8);
        assert_eq!(content[1], json!({"cachePoint": {"type": "default"}}));
        assert_eq!(
            content[7],
            json!({"cachePoint": {"type": "default", "ttl": "1h"}})
        );
        assert!(notes.dropped.contains(&Field::Cache));
        let (nova, _) = body(&request, NOVA);
        assert_eq!(nova["messages"][0]["content"].as_array().unwrap().len(), 8);
        let (llama, _) = body(&request, LLAMA);
        assert_eq!(llama["messages"][0]["content"].as_array().unwrap().len(), 4);
        request.tools.clear();
        request.turns = vec![user("hi")];
        request.cache = CACHED;
        let (whole, _) = body(&request, SONNET);
        assert_eq!(
            whole["messages"][0]["content"],
            json!([{"text": "hi"}, {"cachePoint": {"type": "default"}}])
        );
    }

    #[test]
    fn a_document_does_not_stand_alone() {
        let mut request = asking();
        let medium = Medium {
            mime: Some("application/pdf".to_owned()),
            source: Source::Base64("JVBERi0=".to_owned()),
            name: Some("a_b.pdf".to_owned()),
            detail: None,
        };
        let block = Block::new(Kind::Document(medium));
        request.turns = vec![Turn::new(Role::User, Content::blocks(vec![block]))];
        let (body, _) = body(&request, SONNET);
        assert_eq!(
            body["messages"][0]["content"],
            json!([
                {"document": {"format": "pdf", "name": "a-b", "source": {"bytes": "JVBERi0="}}},
                {"text": "."},
            ])
        );
    }

    #[test]
    fn bedrocks_own_members_pass_and_others_are_told() {
        let mut request = asking();
        request.sampling.top_k = Some(raw("4"));
        let extra = |name: &str, value: &str| Extra {
            dialect: Dialect::OpenaiChat,
            name: name.to_owned(),
            value: raw(value),
        };
        request.extras.0 = vec![
            extra("guardrailConfig", r#"{"guardrailIdentifier":"g"}"#),
            extra("additionalModelRequestFields", r#"{"top_k":7,"x":1.0}"#),
            extra("service_tier", r#""flex""#),
            extra("store", "true"),
            extra("=spelling", "{}"),
            extra(betas::MEMBER, r#"["context-1m-2025-08-07","unknown"]"#),
        ];
        let (body, notes) = body(&request, SONNET);
        assert_eq!(body["guardrailConfig"], json!({"guardrailIdentifier": "g"}));
        assert_eq!(body["serviceTier"], json!({"type": "flex"}));
        assert_eq!(
            body[MORE],
            json!({"top_k": 7, "x": 1.0, "anthropic_beta": ["context-1m-2025-08-07"]})
        );
        let dropped = |name: &str| notes.dropped.contains(&Field::Other(name.to_owned()));
        assert!(dropped("store") && !dropped("=spelling"));
    }
}
