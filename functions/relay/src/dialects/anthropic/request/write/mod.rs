//! Writing a request for a provider.

mod format;
mod names;
mod parts;
mod thinking;
mod tools;
mod turns;

use std::collections::BTreeSet;

use shared::domain::dialect::Dialect;
use shared::failure::Failure;

use super::{CACHE, CHOICE, METADATA, OUTPUT, PARTS, THINKING};
use crate::dialects::anthropic::wire;
use crate::dialects::claude::{self, Claude};
use crate::dialects::convert::Renames;
use crate::dialects::json::{Json, Object, Raw};
use crate::dialects::neutral::request::{Cache, Extras, ToolInput};
use crate::dialects::neutral::{Field, Notes, Request};
use crate::dialects::{Destination, Written};
use format::Form;
use thinking::Thinking;
use turns::Conversation;

/// The most hints to cache that a request may hold.
/// <https://platform.claude.com/docs/en/build-with-claude/prompt-caching>
const MOST_HINTS: usize = 4;

/// The whole request.
///
/// A request that was read from this dialect comes out the same, but for what a provider would
/// refuse, and for this: neighbours of one role become one message, `"type": "custom"` of a tool and
/// `"stream": false` are left out because they say nothing, and `output_format` stands where it
/// belongs today.
pub(in crate::dialects::anthropic) fn write(
    request: &Request,
    to: &Destination<'_>,
) -> Result<Written, Failure> {
    if request.sampling.answers.is_some_and(|answers| answers > 1) {
        let text = "This model's provider gives one answer to a request: 'n' must be 1.";
        return Err(Failure::bad_field("n", text));
    }
    let mut pen = Pen::new(request, to);
    let conversation = turns::arrange(request, &mut pen)?;
    pen.hints_to_skip = hints(request, &conversation).saturating_sub(MOST_HINTS);
    let mut thinking = thinking::choose(request, &mut pen);
    if let Thinking::Budget { .. } = thinking
        && (tools::forces(request, &pen) || conversation.lacks_thought())
    {
        pen.notes.drop(Field::Reasoning);
        thinking = Thinking::Unsaid;
    }
    let form = format::choose(request, &thinking, &mut pen);
    let body = body(request, &conversation, &thinking, &form, &mut pen)?;
    pen.renames.format_tool = form.tool_name();
    Ok(Written {
        body: body.to_bytes(),
        notes: pen.notes,
        renames: pen.renames,
    })
}

/// What a request is written with.
struct Pen<'a> {
    to: &'a Destination<'a>,
    claude: Option<Claude>,
    notes: Notes,
    renames: Renames,
    /// How many of the first hints to cache are left out, because there are too many.
    hints_to_skip: usize,
    /// The tools that take any text: here, that text is a member of an object.
    text_tools: BTreeSet<&'a str>,
}

impl<'a> Pen<'a> {
    fn new(request: &'a Request, to: &'a Destination<'a>) -> Self {
        let takes_text = |input: &ToolInput| matches!(input, ToolInput::Text);
        let tools = request.tools.iter();
        Self {
            to,
            claude: Claude::read(to.model),
            notes: Notes::default(),
            renames: Renames::default(),
            hints_to_skip: 0,
            text_tools: tools
                .filter(|tool| takes_text(&tool.input))
                .map(|tool| tool.name.as_str())
                .collect(),
        }
    }

    /// Puts a hint to cache, and what else it held.
    fn put_cache(&mut self, object: &mut Object, cache: Option<Cache>, extras: &Extras) {
        let Some(cache) = cache else {
            return;
        };
        if self.hints_to_skip > 0 {
            self.hints_to_skip -= 1;
            self.notes.drop(Field::Cache);
            return;
        }
        let mut hint = wire::cache(cache);
        put_parts(&mut hint, CACHE, extras);
        object.put("cache_control", hint);
    }

    /// Puts what only this dialect understands; what only others do is left out.
    fn put_extras(&mut self, object: &mut Object, extras: &Extras, place: &str) {
        for extra in extras.foreign(Dialect::Anthropic) {
            let name = format!("{place}{}", extra.name);
            self.notes.drop(Field::Other(name));
        }
        for extra in extras.of(Dialect::Anthropic) {
            let apart = PARTS.iter().any(|part| extra.name.starts_with(part));
            if !apart && !object.has(&extra.name) {
                object.put(extra.name.clone(), &extra.value);
            }
        }
    }

    /// Puts a member, unless the provider refuses it.
    fn put(
        &mut self,
        object: &mut Object,
        name: &'static str,
        value: Option<impl Into<Json>>,
        field: Field,
    ) {
        if let Some(value) = value {
            if self.to.card.refuses(name) {
                self.notes.drop(field);
            } else {
                object.put(name, value);
            }
        }
    }
}

/// Puts the members that stood in a part of a request.
fn put_parts(object: &mut Object, part: &str, extras: &Extras) {
    for extra in extras.of(Dialect::Anthropic) {
        let longest = PARTS.iter().find(|part| extra.name.starts_with(*part));
        if longest == Some(&part)
            && let Some(name) = extra.name.strip_prefix(part)
        {
            object.put(name.to_owned(), &extra.value);
        }
    }
}

/// How many hints to cache a request holds.
fn hints(request: &Request, conversation: &Conversation<'_>) -> usize {
    let tools = request.tools.iter().filter(|tool| tool.cache.is_some());
    tools.count() + usize::from(request.cache.is_some()) + conversation.hints()
}

fn body(
    request: &Request,
    conversation: &Conversation<'_>,
    thinking: &Thinking,
    form: &Form,
    pen: &mut Pen<'_>,
) -> Result<Object, Failure> {
    let mut object = Object::new().with("model", pen.to.model.to_owned());
    object.put("max_tokens", most_output(request, thinking, pen));
    if pen.to.stream {
        object.put("stream", true);
    }
    // In the order in which the provider caches.
    let tools = tools::write(request, form, pen);
    let system = parts::system(conversation, form.instruction(), pen);
    let messages = parts::messages(conversation, pen)?;
    if let Some(system) = system {
        object.put("system", system);
    }
    object.put("messages", messages);
    // Without tools there may be no choice among them.
    if tools.is_empty() {
        pen.notes.drop_if(
            request
                .tool_choice
                .as_ref()
                .filter(|choice| tools::must(choice)),
            Field::ToolChoice,
        );
    } else {
        object.put("tools", Json::Array(tools));
        if let Some(mut choice) = tools::choice(request, thinking, form, pen) {
            put_parts(&mut choice, CHOICE, &request.extras);
            object.put("tool_choice", choice);
        }
    }
    sampling(request, thinking, &mut object, pen);
    if let Some(mut written) = thinking.write() {
        put_parts(&mut written, THINKING, &request.extras);
        pen.put(&mut object, "thinking", Some(written), Field::Reasoning);
    }
    let mut output = Object::new();
    if let Some(effort) = thinking.effort() {
        output.put("effort", effort.word());
    }
    if let Some(written) = form.write(&request.extras) {
        output.put("format", written);
    }
    put_parts(&mut output, OUTPUT, &request.extras);
    if !output.is_empty() {
        object.put("output_config", output);
    }
    let mut metadata = Object::new().maybe("user_id", request.user.clone());
    put_parts(&mut metadata, METADATA, &request.extras);
    if !metadata.is_empty() {
        pen.put(&mut object, "metadata", Some(metadata), Field::User);
    }
    pen.put_cache(&mut object, request.cache, &request.extras);
    pen.put_extras(&mut object, &request.extras, "");
    Ok(object)
}

/// `max_tokens`, which there must be: the caller's, or all that the model can say. A budget of
/// thoughts is part of it.
fn most_output(request: &Request, thinking: &Thinking, pen: &Pen<'_>) -> u64 {
    request.max_output.unwrap_or_else(|| {
        let most = claude::most_output(pen.to.model);
        match thinking {
            Thinking::Budget { tokens, .. } if *tokens >= most => tokens.saturating_add(most),
            _ => most,
        }
    })
}

/// How the answer is chosen. While a model thinks, it chooses as it will.
fn sampling(request: &Request, thinking: &Thinking, object: &mut Object, pen: &mut Pen<'_>) {
    let sampling = &request.sampling;
    let notes = &mut pen.notes;
    notes.drop_if(sampling.seed.as_ref(), Field::Seed);
    notes.drop_if(sampling.presence_penalty.as_ref(), Field::PresencePenalty);
    notes.drop_if(sampling.frequency_penalty.as_ref(), Field::FrequencyPenalty);
    notes.drop_if(sampling.logit_bias.as_ref(), Field::LogitBias);
    notes.drop_if(sampling.logprobs.as_ref(), Field::Logprobs);
    let free = pen.claude.is_none_or(Claude::takes_sampling);
    let thinks = thinking.is_on();
    let one = pen
        .claude
        .is_some_and(Claude::takes_one_of_temperature_and_top_p);
    let at_least = |raw: &Raw, least: f64| number(raw).is_none_or(|number| number >= least);

    let keeps = |raw: &&Raw| free && (!thinks || (at_least(raw, 1.0) && number(raw) <= Some(1.0)));
    let temperature = sampling.temperature.as_ref().filter(keeps);
    let keeps = |raw: &&Raw| {
        free && (!thinks || at_least(raw, 0.95)) && (!one || sampling.temperature.is_none())
    };
    let top_p = sampling.top_p.as_ref().filter(keeps);
    let top_k = sampling.top_k.as_ref().filter(|_| free && !thinks);
    for (wanted, kept, field) in [
        (&sampling.temperature, temperature, Field::Temperature),
        (&sampling.top_p, top_p, Field::TopP),
        (&sampling.top_k, top_k, Field::TopK),
    ] {
        if wanted.is_some() && kept.is_none() {
            pen.notes.drop(field);
        }
    }
    let temperature = temperature.map(|raw| match number(raw) {
        // Others count to two.
        Some(high) if high > 1.0 => {
            pen.notes.emulate(Field::Temperature);
            Json::Count(1)
        }
        _ => raw.into(),
    });
    pen.put(object, "temperature", temperature, Field::Temperature);
    pen.put(object, "top_p", top_p, Field::TopP);
    pen.put(object, "top_k", top_k, Field::TopK);
    let stop: Vec<Json> = sampling.stop.iter().map(Json::from).collect();
    if !stop.is_empty() {
        object.put("stop_sequences", Json::Array(stop));
    }
}

/// A number, to compare it; its text is what is written.
fn number(raw: &Raw) -> Option<f64> {
    serde_json::from_str(raw.get()).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use shared::domain::provider;

    use super::*;
    use crate::dialects::neutral::request::{
        Content, Effort, Format, Lifetime, Medium, Reasoning, Schema, Source, Tool, ToolChoice,
        ToolResult, Turn,
    };
    use crate::dialects::neutral::{Block, Kind, Opaque, Origin, Role};

    fn said(role: Role, text: &str) -> Turn {
        Turn::new(role, Content::text(text))
    }

    fn tool(name: &str) -> Tool {
        Tool {
            name: name.to_owned(),
            description: None,
            input: ToolInput::Schema(None),
            strict: None,
            cache: None,
            extras: Extras::default(),
        }
    }

    fn result(id: &str) -> Turn {
        let result = ToolResult {
            id: id.to_owned(),
            name: None,
            content: Content::text("done"),
            failed: None,
        };
        Turn::new(
            Role::Tool,
            Content::blocks(vec![Block::new(Kind::ToolResult(result))]),
        )
    }

    fn effort(effort: Effort) -> Option<Reasoning> {
        Some(Reasoning {
            effort: Some(effort),
            ..Reasoning::default()
        })
    }

    fn written(request: &Request, model: &str) -> (Value, Written) {
        let to = Destination {
            model,
            stream: true,
            card: provider::find("anthropic").unwrap(),
        };
        let written = write(request, &to).unwrap();
        (serde_json::from_slice(&written.body).unwrap(), written)
    }

    #[test]
    fn results_come_first_and_sides_take_turns() {
        let request = Request {
            turns: vec![
                said(Role::System, "Rules."),
                said(Role::Developer, "More."),
                said(Role::Assistant, "First me."),
                said(Role::User, " "),
                said(Role::User, "Look."),
                Turn::new(
                    Role::Assistant,
                    Content::blocks(vec![
                        Block::text("\n"),
                        Block::new(Kind::Reasoning("unsigned".to_owned())),
                        Block::call("call.1", "fs.read", ""),
                        Block::call("2", "f", "{\"cut"),
                    ]),
                ),
                said(Role::User, "wait"),
                result("call.1"),
                result("2"),
                said(Role::System, "Be quick."),
                said(Role::User, "now"),
                said(Role::Assistant, "So: \n"),
            ],
            ..Request::default()
        };
        let (body, written) = written(&request, "claude-sonnet-4-0");
        assert_eq!(body["max_tokens"], 64_000);
        assert_eq!(body["stream"], true);
        assert_eq!(body["system"][1]["text"], "More.");
        let messages = body["messages"].as_array().unwrap();
        let roles: Vec<_> = messages
            .iter()
            .map(|one| one["role"].as_str().unwrap())
            .collect();
        assert_eq!(
            roles,
            [
                "user",
                "assistant",
                "user",
                "assistant",
                "user",
                "assistant"
            ]
        );
        let calls = messages[3]["content"].as_array().unwrap();
        assert_eq!(calls.len(), 2);
        assert_eq!(calls[0]["input"], json!({}));
        assert_eq!(calls[1]["input"], json!({"_raw": "{\"cut"}));
        let after = messages[4]["content"].as_array().unwrap();
        let kinds: Vec<_> = after
            .iter()
            .map(|one| one["type"].as_str().unwrap())
            .collect();
        assert_eq!(
            kinds,
            ["tool_result", "tool_result", "text", "text", "text"]
        );
        assert_eq!(after[0]["tool_use_id"], calls[0]["id"]);
        assert_eq!(after[3]["text"], "<system>\nBe quick.\n</system>");
        assert_eq!(messages[5]["content"], "So:");
        let name = calls[0]["name"].as_str().unwrap();
        assert_eq!(written.renames.tools[name], "fs.read");
        assert!(written.notes.dropped.contains(&Field::ReasoningHistory));
        assert!(written.notes.emulated.contains(&Field::Content("system")));
    }

    #[test]
    fn late_system_words_stay_where_a_model_understands_them() {
        let request = Request {
            turns: vec![
                said(Role::User, "a"),
                said(Role::Developer, "b"),
                said(Role::Assistant, "c"),
                said(Role::System, "d"),
                said(Role::User, "e"),
            ],
            ..Request::default()
        };
        let (body, _) = written(&request, "claude-opus-4-8");
        let expected = json!([
            {"role": "user", "content": "a"},
            {"role": "system", "content": "b"},
            {"role": "assistant", "content": "c"},
            {"role": "user", "content": [
                {"type": "text", "text": "<system>\nd\n</system>"}, {"type": "text", "text": "e"}
            ]}
        ]);
        assert_eq!(body["messages"], expected);
    }

    #[test]
    fn a_request_of_only_a_system_text_still_asks_something() {
        let request = Request {
            turns: vec![said(Role::System, "Write a poem.")],
            ..Request::default()
        };
        let (body, _) = written(&request, "claude-sonnet-4-0");
        assert_eq!(body["messages"][0]["content"][0]["text"], "Write a poem.");
        assert!(body.get("system").is_none());
    }

    #[test]
    fn an_effort_is_what_the_model_knows() {
        let mut request = Request {
            turns: vec![said(Role::User, "a")],
            reasoning: effort(Effort::High),
            ..Request::default()
        };
        request.sampling.temperature = serde_json::from_str("0.5").ok();
        let (body, written_new) = written(&request, "claude-opus-4-6");
        assert_eq!(
            body["thinking"],
            json!({"type": "adaptive", "display": "summarized"})
        );
        assert_eq!(body["output_config"], json!({"effort": "high"}));
        assert!(body.get("temperature").is_none());
        assert!(written_new.notes.dropped.contains(&Field::Temperature));
        let (body, _) = written(&request, "claude-sonnet-4-5");
        assert_eq!(
            body["thinking"],
            json!({"type": "enabled", "budget_tokens": 16_384})
        );
        request.max_output = Some(4_000);
        let (body, _) = written(&request, "claude-sonnet-4-5");
        assert_eq!(body["thinking"]["budget_tokens"], 2_000);
        request.max_output = Some(1_500);
        let (body, written_short) = written(&request, "claude-sonnet-4-5");
        assert!(body.get("thinking").is_none());
        assert!(written_short.notes.dropped.contains(&Field::Reasoning));
        request.reasoning = effort(Effort::None);
        let (body, _) = written(&request, "claude-opus-5");
        assert_eq!(body["thinking"], json!({"type": "disabled"}));
        let (body, _) = written(&request, "claude-fable-5");
        assert_eq!(body["output_config"], json!({"effort": "low"}));
        assert!(body.get("thinking").is_none());
    }

    #[test]
    fn a_turn_without_its_thought_goes_on_without_thinking() {
        let thought = |origin| {
            Block::new(Kind::Reasoning("hm".to_owned()))
                .with_opaque(Some(Opaque::new(origin, "sig")))
        };
        let request = |thought: Block| Request {
            turns: vec![
                said(Role::User, "a"),
                Turn::new(
                    Role::Assistant,
                    Content::blocks(vec![thought, Block::call("1", "f", "{}")]),
                ),
                result("1"),
            ],
            tools: vec![tool("f")],
            reasoning: effort(Effort::Medium),
            ..Request::default()
        };
        let (body, _) = written(&request(thought(Origin::Anthropic)), "claude-sonnet-4-5");
        assert_eq!(body["thinking"]["type"], "enabled");
        assert_eq!(body["messages"][1]["content"][0]["signature"], "sig");
        let (body, written) = written(&request(thought(Origin::Gemini)), "claude-sonnet-4-5");
        assert!(body.get("thinking").is_none());
        assert_eq!(body["messages"][1]["content"][0]["type"], "tool_use");
        assert!(written.notes.dropped.contains(&Field::ReasoningHistory));
    }

    #[test]
    fn a_schema_is_kept_by_what_the_model_has() {
        let schema = Schema {
            name: Some("person".to_owned()),
            description: None,
            schema: serde_json::from_str(r#"{"type":"object","properties":{}}"#).unwrap(),
            strict: Some(true),
        };
        let mut request = Request {
            turns: vec![said(Role::User, "a")],
            format: Some(Format::Schema(schema)),
            ..Request::default()
        };
        let (body, native) = written(&request, "claude-sonnet-4-5");
        assert_eq!(
            body["output_config"]["format"]["schema"]["additionalProperties"],
            false
        );
        assert_eq!(native.renames.format_tool, None);
        let (body, forced) = written(&request, "claude-sonnet-4-0");
        assert_eq!(body["tool_choice"]["name"], "json");
        assert_eq!(forced.renames.format_tool.as_deref(), Some("json"));
        request.tools.push(tool("json"));
        let (body, _) = written(&request, "claude-sonnet-4-0");
        assert_eq!(body["tool_choice"]["type"], "any");
        assert_eq!(body["tools"][1]["name"], "json_");
        request.reasoning = effort(Effort::Low);
        let (body, _) = written(&request, "claude-sonnet-4-0");
        assert_eq!(body["tool_choice"]["type"], "auto");
        assert!(
            body["system"][0]["text"]
                .as_str()
                .unwrap()
                .contains("`json_`")
        );
        request.format = Some(Format::Json);
        let (body, _) = written(&request, "claude-sonnet-4-0");
        assert!(
            body["system"][0]["text"]
                .as_str()
                .unwrap()
                .contains("JSON object")
        );
    }

    #[test]
    fn the_first_hints_too_many_are_left_out() {
        let hint = Some(Cache {
            lifetime: Some(Lifetime::Hour),
        });
        let mut block = Block::text("x");
        block.cache = hint;
        let mut request = Request {
            turns: vec![Turn::new(
                Role::User,
                Content::blocks(vec![block.clone(), block.clone(), block]),
            )],
            tools: vec![tool("f"), tool("g")],
            ..Request::default()
        };
        request.tools[0].cache = hint;
        request.tools[1].cache = hint;
        let (body, written) = written(&request, "claude-sonnet-4-0");
        assert!(body["tools"][0].get("cache_control").is_none());
        assert_eq!(body["tools"][1]["cache_control"]["ttl"], "1h");
        assert!(written.notes.dropped.contains(&Field::Cache));
    }

    #[test]
    fn choices_are_made_of_what_there_is() {
        let mut request = Request {
            turns: vec![said(Role::User, "a")],
            tool_choice: Some(ToolChoice::Auto),
            parallel_tools: Some(false),
            ..Request::default()
        };
        let (body, _) = written(&request, "claude-sonnet-4-0");
        assert!(body.get("tool_choice").is_none());
        request.tools = vec![tool("f"), tool("g")];
        let (body, _) = written(&request, "claude-sonnet-4-0");
        let expected = json!({"type": "auto", "disable_parallel_tool_use": true});
        assert_eq!(body["tool_choice"], expected);
        request.parallel_tools = Some(true);
        request.tool_choice = Some(ToolChoice::Among {
            names: vec!["g".to_owned()],
            required: true,
        });
        let (body, _) = written(&request, "claude-sonnet-4-0");
        assert_eq!(body["tools"].as_array().unwrap().len(), 1);
        assert_eq!(body["tool_choice"]["type"], "any");
        let (body, always) = written(&request, "claude-fable-5");
        assert_eq!(body["tool_choice"]["type"], "auto");
        assert!(always.notes.emulated.contains(&Field::ToolChoice));
    }

    #[test]
    fn media_go_by_what_they_are() {
        let document = |mime: &str, data: &str| {
            let medium = Medium {
                mime: Some(mime.to_owned()),
                source: Source::Base64(data.to_owned()),
                ..Medium::default()
            };
            let content = Content::blocks(vec![Block::new(Kind::Document(medium))]);
            Request {
                turns: vec![Turn::new(Role::User, content)],
                ..Request::default()
            }
        };
        let source = |request: &Request| {
            let (body, _) = written(request, "claude-sonnet-4-0");
            body["messages"][0]["content"][0].clone()
        };
        let picture = source(&document("image/jpg", "iVBORw0KGgo="));
        assert_eq!(picture["type"], "image");
        assert_eq!(picture["source"]["media_type"], "image/png");
        let text = source(&document("text/csv", "YSxi"));
        assert_eq!(
            text["source"],
            json!({"type": "text", "media_type": "text/plain", "data": "a,b"})
        );
        let to = Destination {
            model: "claude-sonnet-4-0",
            stream: false,
            card: provider::find("anthropic").unwrap(),
        };
        assert!(write(&document("application/zip", "//8="), &to).is_err());
        let mut several = document("text/csv", "YSxi");
        several.sampling.answers = Some(2);
        assert!(write(&several, &to).is_err());
    }
}
