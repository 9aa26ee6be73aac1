//! A request of OpenAI's chat dialect, read into the neutral form.
//!
//! What it says by default is not kept: members that are null, `stream` and `stream_options`, the
//! model. Older members are read as the newer ones that mean the same.

mod messages;
mod node;
mod parts;
mod tools;

use serde_json::value::RawValue;
use shared::failure::{Failure, Kind as Refusal};

use crate::dialects::json::{Fields, text};
use crate::dialects::neutral::Request;
use crate::dialects::neutral::request::{Effort, Extras, Format, Reasoning, Sampling, Schema};
use node::Node;

/// A request.
///
/// # Errors
/// When a member is not what the dialect says.
pub(in crate::dialects::openai_chat) fn read(body: &[u8]) -> Result<Request, Failure> {
    let json = std::str::from_utf8(body).map_err(|_| not_json())?;
    let mut root = Node {
        path: String::new(),
        fields: Fields::parse(json).ok_or_else(not_json)?,
    };
    for known in ["model", "stream"] {
        root.fields.take(known);
    }
    let (instructions, turns) = messages::read(root.array("messages")?)?;
    let mut request = Request {
        instructions,
        turns,
        max_output: max_output(&mut root)?,
        sampling: sampling(&mut root)?,
        parallel_tools: root.flag("parallel_tool_calls")?,
        user: root.text("user")?,
        cache: root.cache(),
        ..Request::default()
    };
    tools::read(&mut root, &mut request)?;
    let mut extras = Extras::default();
    request.reasoning = reasoning(&mut root, &mut extras)?;
    request.format = format(&mut root, &mut extras)?;
    if let Some(mut options) = root.object("stream_options")? {
        options.fields.take("include_usage");
        extras.0.extend(options.rest("stream_options.").0);
    }
    extras.0.extend(root.rest("").0);
    request.extras = extras;
    Ok(request)
}

fn not_json() -> Failure {
    let text = "The body is not a JSON object.";
    Failure::new(Refusal::BadRequest, "invalid_json", text)
}

fn max_output(root: &mut Node<'_>) -> Result<Option<u64>, Failure> {
    let newer = root.count("max_completion_tokens")?;
    let older = root.count("max_tokens")?;
    Ok(newer.or(older))
}

fn sampling(root: &mut Node<'_>) -> Result<Sampling, Failure> {
    let own = |raw: &RawValue| raw.to_owned();
    let logprobs = root.flag("logprobs")?.unwrap_or(false);
    let alternatives = root.count("top_logprobs")?;
    Ok(Sampling {
        temperature: root.number("temperature")?,
        top_p: root.number("top_p")?,
        top_k: root.number("top_k")?,
        seed: root.number("seed")?,
        presence_penalty: root.number("presence_penalty")?,
        frequency_penalty: root.number("frequency_penalty")?,
        logit_bias: root.object("logit_bias")?.map(|bias| {
            let mut object = crate::dialects::json::Object::new();
            for (token, value) in bias.fields.rest() {
                object.put(token, own(value));
            }
            object.to_raw()
        }),
        stop: stop(root)?,
        answers: root.count("n")?,
        logprobs: logprobs.then(|| alternatives.unwrap_or(0)),
    })
}

fn stop(root: &mut Node<'_>) -> Result<Vec<String>, Failure> {
    let Some(value) = root.fields.take("stop") else {
        return Ok(Vec::new());
    };
    if let Some(one) = text(value) {
        return Ok(vec![one]);
    }
    let expected = || root.wrong("stop", "a string, or an array of strings");
    let list: Vec<&RawValue> = serde_json::from_str(value.get()).map_err(|_| expected())?;
    let texts = list.into_iter().map(|one| text(one).ok_or_else(expected));
    texts.collect()
}

/// How much is thought, in OpenAI's word or in the members of those who imitate it.
fn reasoning(root: &mut Node<'_>, extras: &mut Extras) -> Result<Option<Reasoning>, Failure> {
    let mut reasoning = Reasoning::default();
    if let Some(word) = root.text("reasoning_effort")? {
        effort(&word, "reasoning_effort", &mut reasoning, extras);
    }
    if let Some(mut object) = root.object("reasoning")? {
        if let Some(word) = object.text("effort")? {
            effort(&word, "reasoning.effort", &mut reasoning, extras);
        }
        reasoning.budget = object.count("max_tokens")?;
        reasoning.enabled = object.flag("enabled")?;
        reasoning.told = object.flag("exclude")?.map(|hidden| !hidden);
        reasoning.summary = object.text("summary")?;
        extras.0.extend(object.rest("reasoning.").0);
    }
    if let Some(mut thinking) = root.object("thinking")? {
        match thinking.text("type")?.as_deref() {
            Some("disabled") => reasoning.enabled = Some(false),
            Some("adaptive" | "auto") => {
                reasoning.enabled = Some(true);
                reasoning.adaptive = true;
            }
            _ => reasoning.enabled = Some(true),
        }
        let budget = thinking.count("budget_tokens")?;
        reasoning.budget = budget.or(reasoning.budget);
        extras.0.extend(thinking.rest("thinking.").0);
    }
    reasoning.enabled = root.flag("enable_thinking")?.or(reasoning.enabled);
    reasoning.budget = root.count("thinking_budget")?.or(reasoning.budget);
    Ok((reasoning != Reasoning::default()).then_some(reasoning))
}

/// A word that only one server knows is left to it.
fn effort(word: &str, name: &str, reasoning: &mut Reasoning, extras: &mut Extras) {
    match Effort::read(word) {
        Some(effort) => reasoning.effort = Some(effort),
        None => extras.0.push(crate::dialects::neutral::request::Extra {
            dialect: shared::domain::dialect::Dialect::OpenaiChat,
            name: name.to_owned(),
            value: crate::dialects::json::Json::from(word.to_owned()).to_raw(),
        }),
    }
}

fn format(root: &mut Node<'_>, extras: &mut Extras) -> Result<Option<Format>, Failure> {
    let Some(mut format) = root.object("response_format")? else {
        return Ok(None);
    };
    let kind = format.require_text("type")?;
    let read = match kind.as_str() {
        "text" => Format::Text,
        "json_object" => Format::Json,
        "json_schema" => {
            let mut schema = format.require("json_schema")?;
            let read = Schema {
                name: schema.text("name")?,
                description: schema.text("description")?,
                strict: schema.flag("strict")?,
                schema: schema
                    .fields
                    .take("schema")
                    .ok_or_else(|| schema.wrong("schema", "an object"))?
                    .to_owned(),
            };
            extras
                .0
                .extend(schema.rest("response_format.json_schema.").0);
            Format::Schema(read)
        }
        _ => return Err(format.wrong("type", "'text', 'json_object' or 'json_schema'")),
    };
    extras.0.extend(format.rest("response_format.").0);
    Ok(Some(read))
}
