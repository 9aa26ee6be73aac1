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
    if !tools.is_empty() {
        object.put("tools", Json::Array(tools));
    }
    if let Some(mut choice) = tools::choice(request, thinking, form, pen) {
        put_parts(&mut choice, CHOICE, &request.extras);
        object.put("tool_choice", choice);
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
