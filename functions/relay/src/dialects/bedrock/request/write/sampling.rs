//! How an answer is chosen: what Converse has itself, and what some models have beside it.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InferenceConfiguration.html>

use shared::failure::Failure;

use super::thinking::Mind;
use crate::dialects::bedrock::model::{House, Model};
use crate::dialects::claude::Claude;
use crate::dialects::json::{Json, Object, Raw};
use crate::dialects::neutral::request::Sampling;
use crate::dialects::neutral::{Field, Notes, Request};

/// `inferenceConfig`, and members of `additionalModelRequestFields`.
#[derive(Debug, Default)]
pub(super) struct Chance {
    pub(super) config: Object,
    pub(super) fields: Vec<(&'static str, Json)>,
    /// Whether the text that ended the answer is asked for.
    pub(super) ends: bool,
}

pub(super) fn write(
    request: &Request,
    model: Model<'_>,
    mind: &Mind,
    notes: &mut Notes,
) -> Result<Chance, Failure> {
    let sampling = &request.sampling;
    let mut chance = Chance::default();
    if sampling.answers.is_some_and(|count| count != 1) {
        let text = "Bedrock gives one answer a call: 'n' must be 1.";
        return Err(Failure::bad_field("n", text));
    }
    match request.max_output {
        Some(0) => {
            let text = "Bedrock answers with at least one token: 'max_tokens' must be 1 or more.";
            return Err(Failure::bad_field("max_tokens", text));
        }
        Some(_) if mind.nova_thinks_hard => notes.drop(Field::Other("max_tokens".to_owned())),
        Some(most) => chance.config.put("maxTokens", most),
        None => {}
    }
    likely(sampling, model, mind, &mut chance, notes);
    let stop: Vec<String> = sampling
        .stop
        .iter()
        .filter(|text| sayable(text))
        .cloned()
        .collect();
    if stop.len() < sampling.stop.len() {
        notes.drop(Field::Stop);
    }
    if !stop.is_empty() {
        chance.ends = model.claude().is_some();
        chance.config.put("stopSequences", stop);
    }
    notes.drop_if(sampling.seed.as_ref(), Field::Seed);
    notes.drop_if(sampling.presence_penalty.as_ref(), Field::PresencePenalty);
    notes.drop_if(sampling.frequency_penalty.as_ref(), Field::FrequencyPenalty);
    notes.drop_if(sampling.logit_bias.as_ref(), Field::LogitBias);
    notes.drop_if(sampling.logprobs.as_ref(), Field::Logprobs);
    Ok(chance)
}

/// Whether a text can end an answer: blanks alone cannot.
fn sayable(text: &str) -> bool {
    !text.trim().is_empty()
}

fn likely(
    sampling: &Sampling,
    model: Model<'_>,
    mind: &Mind,
    chance: &mut Chance,
    notes: &mut Notes,
) {
    let house = model.house();
    let claude = model.claude();
    let fixed = mind.nova_thinks_hard || claude.is_some_and(|claude| !claude.takes_sampling());
    let mut temperature = sampling.temperature.as_ref().filter(|_| !fixed);
    let mut top_p = sampling.top_p.as_ref().filter(|_| !fixed);
    if mind.claude_thinks {
        temperature = temperature.filter(|raw| number(raw) == Some(1.0));
        top_p = top_p.filter(|raw| number(raw).is_some_and(|share| share >= 0.95));
    }
    if temperature.is_some() && claude.is_some_and(Claude::takes_one_of_temperature_and_top_p) {
        top_p = None;
    }
    lost(
        sampling.temperature.as_ref(),
        temperature,
        Field::Temperature,
        notes,
    );
    lost(sampling.top_p.as_ref(), top_p, Field::TopP, notes);
    if let Some(raw) = temperature {
        // Other dialects go up to 2.
        if number(raw).is_some_and(|value| value > 1.0) {
            notes.emulate(Field::Temperature);
            chance.config.put("temperature", 1);
        } else {
            chance.config.put("temperature", raw);
        }
    }
    if let Some(raw) = top_p {
        chance.config.put("topP", raw);
    }
    match (&sampling.top_k, house) {
        (Some(raw), House::Claude(_)) if !fixed && !mind.claude_thinks => {
            chance.fields.push(("top_k", raw.into()));
        }
        (Some(raw), House::Nova | House::Nova2) if !fixed => {
            let config = Object::new().with("topK", raw);
            chance.fields.push(("inferenceConfig", config.into()));
        }
        (top_k, _) => notes.drop_if(top_k.as_ref(), Field::TopK),
    }
}

fn lost(given: Option<&Raw>, kept: Option<&Raw>, field: Field, notes: &mut Notes) {
    if given.is_some() && kept.is_none() {
        notes.drop(field);
    }
}

/// For comparisons only: what is written is the caller's own text.
fn number(raw: &Raw) -> Option<f64> {
    raw.get().parse().ok()
}
