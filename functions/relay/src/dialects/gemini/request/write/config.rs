//! `generationConfig`: how the answer is chosen, its form, and how much is thought.

use serde_json::value::RawValue;
use shared::domain::dialect::Dialect;
use shared::failure::Failure;

use super::super::IN_CONFIG;
use super::{Writing, is_function, plain};
use crate::dialects::json::{Json, Object};
use crate::dialects::neutral::request::Format;
use crate::dialects::neutral::{Field, Request};

/// The most texts that may end an answer.
const MOST_STOPS: usize = 5;

impl Writing<'_> {
    pub(super) fn config(&mut self, request: &Request) -> Result<Object, Failure> {
        let mut config = Object::new();
        self.sampling(request, &mut config)?;
        self.format(request, &mut config);
        for extra in request.extras.of(Dialect::Gemini) {
            let Some(name) = plain(extra).strip_prefix(IN_CONFIG) else {
                continue;
            };
            // What is left of `thinkingConfig` is in the whole of it.
            if !name.contains('.') {
                config.put(self.spelling.write(name), &extra.value);
            }
        }
        let thinking = self.spelling.write("thinkingConfig");
        if !config.has(&thinking)
            && let Some(reasoning) = &request.reasoning
        {
            let (measure, exact) = self.model.thinking(reasoning);
            if !measure.is_empty() {
                config.put(thinking, measure);
            }
            if !exact && self.model.thinks() {
                self.notes.emulate(Field::Reasoning);
            } else if !exact {
                self.notes.drop(Field::Reasoning);
            }
        }
        Ok(config)
    }

    fn sampling(&mut self, request: &Request, config: &mut Object) -> Result<(), Failure> {
        let sampling = &request.sampling;
        if sampling.answers.is_some_and(|answers| answers > 1) {
            let text = "This provider gives one answer at a time.";
            return Err(Failure::bad_field("generationConfig.candidateCount", text));
        }
        if sampling.stop.len() > MOST_STOPS {
            let text = format!("At most {MOST_STOPS} texts can end an answer here.");
            return Err(Failure::bad_field("generationConfig.stopSequences", text));
        }
        let seed = sampling.seed.as_ref().map(|seed| self.seed(seed));
        let raw = |raw: &Option<crate::dialects::json::Raw>| raw.clone().map(Json::Raw);
        let stop = (!sampling.stop.is_empty()).then(|| Json::from(sampling.stop.clone()));
        let members = [
            (
                "maxOutputTokens",
                Field::Other("max_output".to_owned()),
                request.max_output.map(Json::Count),
            ),
            (
                "temperature",
                Field::Temperature,
                raw(&sampling.temperature),
            ),
            ("topP", Field::TopP, raw(&sampling.top_p)),
            ("topK", Field::TopK, raw(&sampling.top_k)),
            ("seed", Field::Seed, seed),
            (
                "presencePenalty",
                Field::PresencePenalty,
                raw(&sampling.presence_penalty),
            ),
            (
                "frequencyPenalty",
                Field::FrequencyPenalty,
                raw(&sampling.frequency_penalty),
            ),
            ("stopSequences", Field::Stop, stop),
            (
                "candidateCount",
                Field::Answers,
                sampling.answers.map(Json::Count),
            ),
        ];
        for (name, field, value) in members {
            let Some(value) = value else { continue };
            if self.card.refuses(name) {
                self.notes.drop(field);
            } else {
                config.put(self.spelling.write(name), value);
            }
        }
        match sampling.logprobs {
            Some(alternatives) if is_own(request) => {
                config.put(self.spelling.write("responseLogprobs"), true);
                if alternatives > 0 {
                    config.put("logprobs", alternatives);
                }
            }
            // The answer has no place for them on its way to other dialects.
            Some(_) => self.notes.drop(Field::Logprobs),
            None => {}
        }
        self.notes
            .drop_if(sampling.logit_bias.as_ref(), Field::LogitBias);
        Ok(())
    }

    /// A seed here has 32 bits: a longer one is folded, so that it still stands for the same beginning.
    fn seed(&mut self, seed: &RawValue) -> Json {
        match seed.get().parse::<i64>() {
            Ok(number) if i32::try_from(number).is_err() => {
                self.notes.emulate(Field::Seed);
                Json::Count(number.unsigned_abs() % (1 << 31))
            }
            _ => Json::Raw(seed.to_owned()),
        }
    }

    fn format(&mut self, request: &Request, config: &mut Object) {
        let Some(format) = &request.format else {
            return;
        };
        if self.format_is_told(request) {
            return;
        }
        let word = match format {
            Format::Text => "text/plain",
            Format::Json | Format::Schema(_) => "application/json",
        };
        config.put(self.spelling.write("responseMimeType"), Json::word(word));
        let own = format!("={IN_CONFIG}responseSchema");
        if let Format::Schema(schema) = format
            && request.extras.get(Dialect::Gemini, &own).is_none()
        {
            let name = self.spelling.write("responseJsonSchema");
            config.put(name, &schema.schema);
            // A schema is all that is taken: what it is for has no place.
            if schema.description.is_some() {
                self.notes.emulate(Field::Format);
            }
        }
    }

    /// Whether the form of the answer must be asked for in words: models before Gemini 3 refuse it
    /// beside functions. What a caller of this dialect asks for is not changed.
    fn format_is_told(&self, request: &Request) -> bool {
        let functions = request.tools.iter().any(is_function);
        let json = matches!(request.format, Some(Format::Json | Format::Schema(_)));
        json && functions && !is_own(request) && !self.model.takes_format_with_functions()
    }

    /// The form of the answer in words, if it must be asked for so.
    pub(super) fn told_format(&mut self, request: &Request) -> Option<String> {
        if !self.format_is_told(request) {
            return None;
        }
        self.notes.emulate(Field::Format);
        Some(match &request.format {
            Some(Format::Schema(schema)) => format!(
                "Unless you call a function, answer with JSON only, without any text or code fence \
                 around it. The JSON must fit this JSON schema:\n{}",
                schema.schema.get()
            ),
            _ => {
                "Unless you call a function, answer with JSON only, without any text or code fence \
                  around it."
                    .to_owned()
            }
        })
    }
}

/// Whether a caller of this dialect wrote it.
fn is_own(request: &Request) -> bool {
    request.extras.get(Dialect::Gemini, super::CONFIG).is_some()
}
