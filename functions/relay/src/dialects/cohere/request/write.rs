//! A neutral request → Cohere's. <https://docs.cohere.com/reference/chat>

use shared::domain::dialect::Dialect;
use shared::failure::Failure;

use super::history::{History, note_extras};
use super::names::Names;
use crate::dialects::convert::Renames;
use crate::dialects::json::{Json, Object, Raw};
use crate::dialects::neutral::request::{
    Effort, Format, Reasoning, Sampling, Tool, ToolChoice, ToolInput,
};
use crate::dialects::neutral::{Field, Notes, Request};
use crate::dialects::{Destination, Written};

/// The most texts that may end an answer.
const MOST_STOPS: usize = 5;
/// The models that are known not to think; whoever else refuses `thinking` says so itself.
const THOUGHTLESS: [&str; 8] = [
    "command-r",
    "command-a-03-2025",
    "command-a-vision",
    "command-a-translate",
    "command-light",
    "command-nightly",
    "c4ai-",
    "aya-",
];

pub(in crate::dialects::cohere) fn write(
    request: &Request,
    to: &Destination<'_>,
) -> Result<Written, Failure> {
    let (mut notes, mut names) = (Notes::default(), Names::default());
    if request.sampling.answers.is_some_and(|answers| answers > 1) {
        let text = "Cohere gives one answer at a time.";
        return Err(Failure::bad_field("n", text));
    }
    let thinks =
        !THOUGHTLESS.iter().any(|model| to.model.starts_with(model)) && to.model != "command";
    let tools = tools(request, &mut names, &mut notes)?;
    let form = form(request, !tools.is_empty(), &mut notes);
    let mut history = History {
        names: &mut names,
        notes: &mut notes,
        thinks,
        messages: Vec::new(),
        documents: Vec::new(),
        images: Vec::new(),
    };
    history.instructions(&request.instructions, form.instruction);
    for turn in &request.turns {
        history.turn(turn);
    }
    history.end();
    let (messages, documents) = (history.messages, history.documents);
    let mut body = Object::new()
        .with("model", to.model.to_owned())
        .with("messages", messages)
        .with("stream", to.stream)
        .maybe("documents", (!documents.is_empty()).then_some(documents))
        .maybe("response_format", form.member)
        .maybe("max_tokens", request.max_output);
    if !tools.is_empty() {
        body.put("tools", tools);
        choice(request.tool_choice.as_ref(), &mut body, &mut notes);
    }
    if request.parallel_tools == Some(false) {
        notes.drop(Field::ParallelTools);
    }
    sampling(&request.sampling, &mut body, &mut notes)?;
    if let Some(reasoning) = &request.reasoning {
        thinking(reasoning, thinks, &mut body, &mut notes);
    }
    notes.drop_if(request.user.as_ref(), Field::User);
    notes.drop_if(request.cache.as_ref(), Field::Cache);
    for extra in request.extras.foreign(Dialect::Cohere) {
        notes.drop(Field::Other(extra.name.clone()));
    }
    for extra in request.extras.of(Dialect::Cohere) {
        body.put(extra.name.clone(), &extra.value);
    }
    Ok(Written {
        body: body.to_bytes(),
        notes,
        renames: Renames {
            tools: names.renamed(),
            format_tool: None,
        },
    })
}

/// The tools that may be called: where the choice names some, only those.
fn tools(request: &Request, names: &mut Names, notes: &mut Notes) -> Result<Vec<Json>, Failure> {
    let wanted = |tool: &&Tool| match &request.tool_choice {
        Some(ToolChoice::Named(name)) => tool.name == *name,
        Some(ToolChoice::Among { names, .. }) => names.contains(&tool.name),
        _ => true,
    };
    let mut written = Vec::new();
    for tool in request.tools.iter().filter(wanted) {
        notes.drop_if(tool.cache.as_ref(), Field::Cache);
        note_extras(&tool.extras, "tools[]", notes);
        if tool.strict == Some(true) {
            notes.drop(Field::StrictTools);
        }
        let ToolInput::Schema(schema) = &tool.input else {
            notes.drop(Field::Tool(tool.name.clone()));
            continue;
        };
        let none = || {
            let none = Object::of_type("object").with("properties", Object::new());
            Json::from(none)
        };
        let function = Object::new()
            .with("name", names.write(&tool.name))
            .maybe("description", tool.description.as_ref())
            .with("parameters", schema.as_ref().map_or_else(none, Json::from));
        let tool = Object::of_type("function").with("function", function);
        written.push(tool.into());
    }
    let named = matches!(
        &request.tool_choice,
        Some(ToolChoice::Named(_) | ToolChoice::Among { required: true, .. })
    );
    if named && written.is_empty() {
        let text = "The tool that must be called is none that Cohere can have.";
        return Err(Failure::bad_field("tool_choice", text));
    }
    Ok(written)
}

fn choice(choice: Option<&ToolChoice>, body: &mut Object, notes: &mut Notes) {
    let word = match choice {
        None | Some(ToolChoice::Auto) => return,
        Some(ToolChoice::Any) => "REQUIRED",
        Some(ToolChoice::None) => "NONE",
        // Only those that may be called are offered.
        Some(ToolChoice::Named(_)) => {
            notes.emulate(Field::ToolChoice);
            "REQUIRED"
        }
        Some(ToolChoice::Among { required, .. }) => {
            notes.emulate(Field::ToolChoice);
            if !required {
                return;
            }
            "REQUIRED"
        }
    };
    body.put("tool_choice", word);
}

/// The form of the answer: a member of the request, or words where that is not to be had.
#[derive(Default)]
struct Form {
    member: Option<Object>,
    instruction: Option<String>,
}

/// Beside tools Cohere refuses any form: then the model is told in words.
fn form(request: &Request, tools: bool, notes: &mut Notes) -> Form {
    let schema = match &request.format {
        None | Some(Format::Text) => return Form::default(),
        Some(Format::Json) => None,
        Some(Format::Schema(schema)) => {
            // A schema is all that is taken: what it is for has no place.
            if schema.description.is_some() {
                notes.emulate(Field::Format);
            }
            Some(&schema.schema)
        }
    };
    if !tools {
        let member = Object::of_type("json_object").maybe("json_schema", schema);
        return Form {
            member: Some(member),
            instruction: None,
        };
    }
    notes.emulate(Field::Format);
    let words = "Unless you call a tool, answer with JSON only, without any other words.";
    let instruction = match schema {
        None => words.to_owned(),
        Some(schema) => format!("{words} It fits this JSON schema: {}", schema.get()),
    };
    Form {
        member: None,
        instruction: Some(instruction),
    }
}

fn sampling(sampling: &Sampling, body: &mut Object, notes: &mut Notes) -> Result<(), Failure> {
    if sampling.stop.len() > MOST_STOPS {
        let text = format!("Cohere takes {MOST_STOPS} stop sequences at most.");
        return Err(Failure::bad_field("stop", text));
    }
    if !sampling.stop.is_empty() {
        body.put("stop_sequences", sampling.stop.clone());
    }
    for (name, value) in [
        ("temperature", &sampling.temperature),
        ("frequency_penalty", &sampling.frequency_penalty),
        ("presence_penalty", &sampling.presence_penalty),
    ] {
        if let Some(value) = value {
            body.put(name, value);
        }
    }
    for (name, value, least, most, field) in [
        ("p", &sampling.top_p, "0.01", "0.99", Field::TopP),
        ("k", &sampling.top_k, "0", "500", Field::TopK),
    ] {
        if let Some(value) = value {
            let within = within(value, least, most);
            if within.get() != value.get() {
                notes.emulate(field);
            }
            body.put(name, within);
        }
    }
    match &sampling.seed {
        Some(seed) if seed.get().starts_with('-') => notes.drop(Field::Seed),
        Some(seed) => body.put("seed", seed),
        None => {}
    }
    notes.drop_if(sampling.logit_bias.as_ref(), Field::LogitBias);
    notes.drop_if(sampling.logprobs.as_ref(), Field::Logprobs);
    Ok(())
}

/// A number, or the bound that it lies beyond. It keeps its text otherwise.
fn within(value: &Raw, least: &'static str, most: &'static str) -> Raw {
    let number = |text: &str| text.parse::<f64>().ok();
    let beyond = |bound: &str, order| {
        let compared = number(value.get()).zip(number(bound));
        compared.and_then(|(value, bound)| value.partial_cmp(&bound)) == Some(order)
    };
    let bound = if beyond(least, std::cmp::Ordering::Less) {
        least
    } else if beyond(most, std::cmp::Ordering::Greater) {
        most
    } else {
        return value.clone();
    };
    serde_json::from_str(bound).unwrap_or_else(|_| value.clone())
}

/// Thinking has no words for how much: only a number of tokens.
fn thinking(reasoning: &Reasoning, thinks: bool, body: &mut Object, notes: &mut Notes) {
    let Some(effort) = reasoning.as_effort() else {
        return;
    };
    if !thinks {
        if effort != Effort::None {
            notes.drop(Field::Reasoning);
        }
        return;
    }
    if effort == Effort::None {
        body.put("thinking", Object::of_type("disabled"));
        return;
    }
    let told = reasoning.budget.is_some() || reasoning.effort.is_some();
    if reasoning.budget.is_none() {
        notes.emulate(Field::Reasoning);
    }
    let budget = told.then(|| reasoning.as_budget()).flatten();
    let thinking = Object::of_type("enabled").maybe("token_budget", budget);
    body.put("thinking", thinking);
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use shared::domain::provider;

    use super::*;
    use crate::dialects::neutral::request::{
        Content, Extra, Extras, Medium, Schema, Source, ToolResult,
    };
    use crate::dialects::neutral::{Block, Kind, Opaque, Origin, Role, Turn};

    fn raw(json: &str) -> Raw {
        serde_json::from_str(json).unwrap()
    }

    fn written(request: &Request, model: &str) -> (Value, Written) {
        let to = Destination {
            model,
            stream: true,
            card: provider::find("cohere").unwrap(),
        };
        let written = write(request, &to).unwrap();
        (serde_json::from_slice(&written.body).unwrap(), written)
    }

    fn says(role: Role, blocks: Vec<Block>) -> Turn {
        Turn::new(role, Content::blocks(blocks))
    }

    fn image() -> Block {
        Block::new(Kind::Image(Medium {
            mime: Some("image/jpeg".to_owned()),
            source: Source::Base64("QUJD".to_owned()),
            ..Medium::default()
        }))
    }

    fn result(id: &str, blocks: Vec<Block>) -> Block {
        Block::new(Kind::ToolResult(ToolResult {
            id: id.to_owned(),
            name: None,
            content: Content::blocks(blocks),
            failed: Some(id == "c2"),
        }))
    }

    fn tool(name: &str) -> Tool {
        Tool {
            name: name.to_owned(),
            description: None,
            input: ToolInput::Schema(Some(raw(r#"{"type":"object","x":1.0}"#))),
            strict: None,
            cache: None,
            extras: Extras::default(),
        }
    }

    #[test]
    fn a_conversation_with_tools_is_written() {
        let request = Request {
            instructions: Content::text("Be brief."),
            turns: vec![
                says(Role::User, vec![Block::text("Look: "), image()]),
                says(
                    Role::Assistant,
                    vec![
                        Block::new(Kind::Reasoning("Two calls.".to_owned())),
                        Block::text("I ask."),
                        Block::call("c1", "get.it", r#"{"n":9007199254740993}"#),
                        Block::call("c2", "f", ""),
                    ],
                ),
                says(
                    Role::Tool,
                    vec![result("c1", vec![Block::text("1"), image()])],
                ),
                says(Role::Tool, vec![result("c2", vec![])]),
                says(Role::User, vec![Block::text("Go on.")]),
            ],
            tools: vec![tool("get.it"), tool("f")],
            tool_choice: Some(ToolChoice::Any),
            max_output: Some(9),
            ..Request::default()
        };
        let (body, written) = written(&request, "command-a-03-2025");
        let name = written.renames.tools.keys().next().unwrap().clone();
        assert!(name.starts_with("get_it_"), "{name}");
        let image =
            json!({"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,QUJD"}});
        let call = |id: &str, name: &str, arguments: &str| json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}});
        let offered = |name: &str| json!({"type": "function", "function": {"name": name, "parameters": {"type": "object", "x": 1.0}}});
        let expected = json!({
            "model": "command-a-03-2025",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": [{"type": "text", "text": "Look: "}, image]},
                {"role": "assistant", "tool_plan": "Two calls.\n\nI ask.", "tool_calls": [
                    call("c1", &name, r#"{"n":9007199254740993}"#),
                    call("c2", "f", "{}"),
                ]},
                {"role": "tool", "tool_call_id": "c1", "content": "1"},
                {"role": "tool", "tool_call_id": "c2", "content": "Error: (no output)"},
                {"role": "user", "content": [image, {"type": "text", "text": "Go on."}]},
            ],
            "stream": true,
            "max_tokens": 9,
            "tools": [offered(&name), offered("f")],
            "tool_choice": "REQUIRED",
        });
        assert_eq!(body, expected);
        assert!(written.notes.dropped.is_empty(), "{:?}", written.notes);
    }

    #[test]
    fn thoughts_go_back_to_whoever_had_them() {
        let mut foreign = Block::new(Kind::Reasoning("Not yours.".to_owned()));
        foreign.opaque = Some(Opaque::new(Origin::Gemini, "sig"));
        let thought = Block::new(Kind::Reasoning("Hm.".to_owned()));
        let request = Request {
            turns: vec![says(
                Role::Assistant,
                vec![foreign, thought, Block::text("Yes.")],
            )],
            ..Request::default()
        };
        let (body, notes) = written(&request, "command-a-reasoning-08-2025");
        let content =
            json!([{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Yes."}]);
        assert_eq!(body["messages"][0]["content"], content);
        assert!(notes.notes.dropped.contains(&Field::ReasoningHistory));
        let (body, _) = written(&request, "command-r-plus");
        assert_eq!(body["messages"][0]["content"], "Yes.");
    }

    #[test]
    fn members_have_their_own_names_and_bounds() {
        let request = Request {
            turns: vec![says(Role::User, vec![Block::text("JSON.")])],
            sampling: Sampling {
                temperature: Some(raw("0.30")),
                top_p: Some(raw("1")),
                top_k: Some(raw("40")),
                seed: Some(raw("18446744073709551615")),
                stop: vec!["END".to_owned()],
                logit_bias: Some(raw("{}")),
                ..Sampling::default()
            },
            reasoning: Some(Reasoning {
                budget: Some(2_000),
                ..Reasoning::default()
            }),
            format: Some(Format::Schema(Schema {
                name: Some("x".to_owned()),
                description: Some("What it is for.".to_owned()),
                schema: raw(r#"{"type":"object"}"#),
                strict: Some(true),
            })),
            extras: Extras(vec![Extra {
                dialect: Dialect::OpenaiChat,
                name: "store".to_owned(),
                value: raw("true"),
            }]),
            ..Request::default()
        };
        let (body, written) = written(&request, "command-a-reasoning-08-2025");
        let text = String::from_utf8(written.body.to_vec()).unwrap();
        assert!(text.contains(r#""temperature":0.30,"#), "{text}");
        assert!(text.contains(r#""seed":18446744073709551615"#), "{text}");
        assert_eq!(body["p"], json!(0.99));
        assert_eq!(
            (&body["k"], &body["stop_sequences"]),
            (&json!(40), &json!(["END"]))
        );
        assert_eq!(
            body["thinking"],
            json!({"type": "enabled", "token_budget": 2000})
        );
        let form = json!({"type": "json_object", "json_schema": {"type": "object"}});
        assert_eq!(body["response_format"], form);
        let dropped = [Field::LogitBias, Field::Other("store".to_owned())];
        assert_eq!(written.notes.dropped, dropped.into());
        assert_eq!(written.notes.emulated, [Field::TopP, Field::Format].into());
    }

    #[test]
    fn a_form_beside_tools_is_asked_for_in_words() {
        let request = Request {
            turns: vec![says(Role::User, vec![Block::text("JSON.")])],
            tools: vec![tool("f"), tool("g")],
            tool_choice: Some(ToolChoice::Named("g".to_owned())),
            format: Some(Format::Json),
            ..Request::default()
        };
        let (body, written) = written(&request, "command-a-03-2025");
        assert!(body.get("response_format").is_none());
        assert_eq!(body["messages"][0]["role"], "system");
        assert_eq!(body["tools"].as_array().unwrap().len(), 1);
        assert_eq!(body["tool_choice"], "REQUIRED");
        assert_eq!(
            written.notes.emulated,
            [Field::Format, Field::ToolChoice].into()
        );
    }

    #[test]
    fn what_cannot_be_served_is_refused() {
        let card = provider::find("cohere").unwrap();
        let to = Destination {
            model: "m",
            stream: false,
            card,
        };
        let mut request = Request::default();
        request.sampling.answers = Some(2);
        assert_eq!(
            write(&request, &to).unwrap_err().field.as_deref(),
            Some("n")
        );
        let mut request = Request::default();
        request.sampling.stop = vec![String::new(); 6];
        assert_eq!(
            write(&request, &to).unwrap_err().field.as_deref(),
            Some("stop")
        );
        let request = Request {
            tool_choice: Some(ToolChoice::Named("gone".to_owned())),
            ..Request::default()
        };
        assert!(write(&request, &to).is_err());
    }
}
