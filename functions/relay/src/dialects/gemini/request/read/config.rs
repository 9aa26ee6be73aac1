//! `generationConfig`. <https://ai.google.dev/api/generate-content#generationconfig>

use shared::failure::Failure;

use super::super::super::spelling::{Reading, own};
use super::super::super::{schema, wire};
use super::super::{CONFIG, IN_CONFIG};
use crate::dialects::json::{Json, Object, Raw, text, wrong};
use crate::dialects::neutral::Request;
use crate::dialects::neutral::request::{Effort, Format, Reasoning, Schema};

pub(super) fn read(top: &mut Reading<'_, '_>, request: &mut Request) -> Result<(), Failure> {
    let Some(mut config) = top.object("generationConfig")? else {
        return Ok(());
    };
    request.extras.0.push(own(CONFIG, Object::new().to_raw()));
    request.max_output = count(&mut config, "maxOutputTokens")?;
    let sampling = &mut request.sampling;
    sampling.temperature = config.number("temperature")?;
    sampling.top_p = config.number("topP")?;
    sampling.top_k = config.number("topK")?;
    sampling.seed = config.number("seed")?;
    sampling.presence_penalty = config.number("presencePenalty")?;
    sampling.frequency_penalty = config.number("frequencyPenalty")?;
    sampling.answers = count(&mut config, "candidateCount")?;
    let stop: Option<Vec<String>> = config.read("stopSequences", "an array of strings")?;
    sampling.stop = stop.unwrap_or_default();
    let wanted: Option<bool> = config.read("responseLogprobs", "true or false")?;
    match wanted {
        Some(true) => sampling.logprobs = Some(count(&mut config, "logprobs")?.unwrap_or(0)),
        Some(false) => keep(request, "responseLogprobs", Json::Bool(false).to_raw()),
        None => {}
    }
    read_format(&mut config, request)?;
    read_reasoning(&mut config, request)?;
    if let Some(modalities) = config.take("responseModalities") {
        let words: Vec<String> = serde_json::from_str(modalities.get())
            .map_err(|_| wrong(config.path("responseModalities"), "an array of strings"))?;
        // Text is what every answer is.
        let usual = words.iter().all(|word| word.eq_ignore_ascii_case("text"));
        let mark = if usual { "=" } else { "" };
        let name = format!("{mark}{IN_CONFIG}responseModalities");
        request.extras.0.push(own(name, modalities.to_owned()));
    }
    request.extras.0.extend(config.rest(IN_CONFIG));
    Ok(())
}

/// Keeps a member that the neutral form says in other words.
fn keep(request: &mut Request, name: &str, value: Raw) {
    request
        .extras
        .0
        .push(own(format!("={IN_CONFIG}{name}"), value));
}

fn count(config: &mut Reading<'_, '_>, name: &'static str) -> Result<Option<u64>, Failure> {
    config.read(name, "an integer of 0 or more")
}

fn read_format(config: &mut Reading<'_, '_>, request: &mut Request) -> Result<(), Failure> {
    let mime = config.take("responseMimeType");
    let word = mime
        .map(|mime| text(mime).ok_or_else(|| wrong(config.path("responseMimeType"), "a string")));
    let word = word.transpose()?;
    let json = config.take("responseJsonSchema").map(ToOwned::to_owned);
    let own_schema = config.take("responseSchema");
    let schema = json.or_else(|| own_schema.map(schema::to_json_schema));
    let known = matches!(
        word.as_deref(),
        None | Some("application/json" | "text/plain")
    );
    request.format = match (word.as_deref(), schema) {
        (None | Some("application/json"), Some(schema)) => Some(Format::Schema(Schema {
            name: None,
            description: None,
            schema,
            strict: None,
        })),
        (Some("application/json"), None) => Some(Format::Json),
        (Some("text/plain"), _) => Some(Format::Text),
        _ => None,
    };
    if let Some(own_schema) = own_schema {
        keep(request, "responseSchema", own_schema.to_owned());
    }
    if let (false, Some(mime)) = (known, mime) {
        let name = format!("{IN_CONFIG}responseMimeType");
        request.extras.0.push(own(name, mime.to_owned()));
    }
    Ok(())
}

fn read_reasoning(config: &mut Reading<'_, '_>, request: &mut Request) -> Result<(), Failure> {
    let Some(mut thinking) = config.object("thinkingConfig")? else {
        return Ok(());
    };
    keep(request, "thinkingConfig", thinking.raw.to_owned());
    let told: Option<bool> = thinking.read("includeThoughts", "true or false")?;
    let budget = thinking.take("thinkingBudget");
    let level = thinking.text("thinkingLevel")?;
    let mut reasoning = Reasoning {
        told,
        effort: level.as_deref().and_then(Effort::read),
        ..Reasoning::default()
    };
    match budget.map(|budget| (budget.get(), wire::whole(budget))) {
        Some(("-1" | "\"-1\"", _)) => reasoning.adaptive = true,
        Some((_, Some(budget))) => reasoning.budget = Some(budget),
        Some((_, None)) => {
            let path = thinking.path("thinkingBudget");
            return Err(wrong(path, "an integer of -1 or more"));
        }
        // Whoever wants to hear thoughts lets the model think as it likes.
        None => reasoning.adaptive = told == Some(true) && reasoning.effort.is_none(),
    }
    reasoning.enabled = match (reasoning.budget, reasoning.effort) {
        (Some(0), _) | (_, Some(Effort::None)) => Some(false),
        (Some(_), _) | (_, Some(_)) => Some(true),
        (None, None) => reasoning.adaptive.then_some(true),
    };
    let prefix = format!("{IN_CONFIG}thinkingConfig.");
    request.reasoning = Some(reasoning);
    request.extras.0.extend(thinking.rest(&prefix));
    Ok(())
}
