//! What a call used, in Gemini's dialect: `usageMetadata`, and the searches that an answer rests on.

use std::collections::BTreeSet;

use serde_json::value::RawValue;
use shared::domain::usage::{Service, Usage};

use crate::dialects::json::{Fields, Incredible, Json, Object, text};

/// `usageMetadata`; `None` when it counts nothing, or what cannot be. The prompt includes what a cache
/// served, candidates exclude thoughts, and what the provider's own tools brought in stands apart.
/// <https://ai.google.dev/api/generate-content#UsageMetadata>
pub(super) fn read(value: &RawValue) -> Option<Usage> {
    let mut fields = Fields::of(value)?;
    let Totals {
        prompt,
        cached,
        tools,
        candidates,
        thoughts,
    } = Totals::read(&mut fields).ok()??;
    let asked = Modalities::of(&fields.array("promptTokensDetails"))
        .and(Modalities::of(&fields.array("toolUsePromptTokensDetails")));
    let from_cache = Modalities::of(&fields.array("cacheTokensDetails")).within(cached);
    let input = prompt.saturating_add(tools).saturating_sub(cached);
    let fresh = asked.without(from_cache).within(input);
    let mut said = Modalities::of(&fields.array("candidatesTokensDetails"));
    said = said.and(Modalities::of(&fields.array("responseTokensDetails")));
    let said = said.within(candidates);
    Some(Usage {
        input: input - fresh.all(),
        cache_read: cached - from_cache.all(),
        cache_read_audio: from_cache.audio,
        cache_read_image: from_cache.image,
        input_audio: fresh.audio,
        input_image: fresh.image,
        output: (candidates - said.all()).saturating_add(thoughts),
        reasoning: thoughts,
        output_audio: said.audio,
        output_image: said.image,
        service: service(&mut fields).unwrap_or_default(),
        ..Usage::default()
    })
}

struct Totals {
    prompt: u64,
    cached: u64,
    tools: u64,
    candidates: u64,
    thoughts: u64,
}

impl Totals {
    /// `None` when nothing is counted. Answers spoken live call candidates the response.
    fn read(fields: &mut Fields<'_>) -> Result<Option<Self>, Incredible> {
        let prompt = fields.used("promptTokenCount")?;
        let cached = fields.used("cachedContentTokenCount")?;
        let tools = fields.used("toolUsePromptTokenCount")?;
        let named = fields.used("candidatesTokenCount")?;
        let candidates = named.or(fields.used("responseTokenCount")?);
        let thoughts = fields.used("thoughtsTokenCount")?;
        let total = fields.used("totalTokenCount")?;
        let told = [prompt, cached, tools, candidates, thoughts];
        if told.iter().flatten().all(|count| *count == 0) {
            return Ok(None);
        }
        let [prompt, cached, tools, _, thoughts] = told.map(Option::unwrap_or_default);
        // Where only the total is told, the rest of it was said.
        let rest = [prompt, tools, thoughts].into_iter();
        let rest = rest.fold(total.unwrap_or(0), u64::saturating_sub);
        Ok(Some(Self {
            prompt,
            cached,
            tools,
            candidates: candidates.unwrap_or(rest),
            thoughts,
        }))
    }
}

/// At which service an answer was made: Google's own word, or Vertex's for the kind of traffic. What is
/// reserved is paid for otherwise, and costs as usual here.
/// <https://ai.google.dev/gemini-api/docs/optimization>
fn service(fields: &mut Fields<'_>) -> Option<Service> {
    let word = fields.text("serviceTier").or(fields.text("trafficType"))?;
    let word = word.to_ascii_lowercase();
    let word = word.strip_prefix("service_tier_").unwrap_or(&word);
    match word.strip_prefix("on_demand_").unwrap_or(word) {
        "flex" => Some(Service::Flex),
        "priority" => Some(Service::Priority),
        "batch" => Some(Service::Batch),
        _ => None,
    }
}

/// The same as `usageMetadata`.
pub(super) fn write(tokens: &Usage) -> Object {
    let (input, output) = (tokens.total_input(), tokens.total_output());
    let some = |count: u64| (count > 0).then_some(count);
    let candidates = output.saturating_sub(tokens.reasoning);
    let cached = tokens.total_cache_read();
    let from_cache = Modalities {
        audio: tokens.cache_read_audio,
        image: tokens.cache_read_image,
    };
    let fresh = Modalities {
        audio: tokens.input_audio,
        image: tokens.input_image,
    };
    let said = Modalities {
        audio: tokens.output_audio,
        image: tokens.output_image,
    };
    Object::new()
        .with("promptTokenCount", input)
        .maybe("cachedContentTokenCount", some(cached))
        .with("candidatesTokenCount", candidates)
        .maybe("thoughtsTokenCount", some(tokens.reasoning))
        .with("totalTokenCount", input.saturating_add(output))
        .maybe("promptTokensDetails", details(input, fresh.and(from_cache)))
        .maybe("cacheTokensDetails", details(cached, from_cache))
        .maybe("candidatesTokensDetails", details(candidates, said))
}

/// How much of it was what; `None` when all of it was text.
fn details(all: u64, apart: Modalities) -> Option<Vec<Object>> {
    if apart.all() == 0 {
        return None;
    }
    let text = all.saturating_sub(apart.all());
    let counts = [
        ("TEXT", text),
        ("AUDIO", apart.audio),
        ("IMAGE", apart.image),
    ];
    let counts = counts.into_iter().filter(|(_, count)| *count > 0);
    let detail = |(modality, count)| {
        Object::new()
            .with("modality", Json::word(modality))
            .with("tokenCount", Json::Count(count))
    };
    Some(counts.map(detail).collect())
}

/// Tokens that cost apart. Video and documents cost what text does.
#[derive(Debug, Clone, Copy, Default)]
struct Modalities {
    audio: u64,
    image: u64,
}

impl Modalities {
    fn of(details: &[&RawValue]) -> Self {
        let mut all = Self::default();
        for detail in details {
            let Some(mut fields) = Fields::of(detail) else {
                continue;
            };
            let count = fields.part("tokenCount").unwrap_or(0);
            match fields.text("modality").as_deref() {
                Some("AUDIO") => all.audio = all.audio.saturating_add(count),
                Some("IMAGE") => all.image = all.image.saturating_add(count),
                _ => {}
            }
        }
        all
    }

    fn all(self) -> u64 {
        self.audio.saturating_add(self.image)
    }

    fn and(self, other: Self) -> Self {
        Self {
            audio: self.audio.saturating_add(other.audio),
            image: self.image.saturating_add(other.image),
        }
    }

    fn without(self, other: Self) -> Self {
        Self {
            audio: self.audio.saturating_sub(other.audio),
            image: self.image.saturating_sub(other.image),
        }
    }

    /// No more than there is of all kinds.
    fn within(self, all: u64) -> Self {
        let audio = self.audio.min(all);
        Self {
            audio,
            image: self.image.min(all - audio),
        }
    }
}

/// The searches of Google's that an answer rests on, over all of its pieces.
///
/// Models before Gemini 3 are billed for a prompt that was grounded, later ones for each query that is
/// neither empty nor told before. <https://ai.google.dev/gemini-api/docs/google-search#pricing>
#[derive(Debug, Clone, Default)]
pub(super) struct Searches {
    queries: BTreeSet<String>,
    by_prompt: bool,
}

impl Searches {
    /// What one piece says: its model, and the grounding of a candidate.
    pub(super) fn see(&mut self, model: Option<&str>, grounding: Option<&RawValue>) {
        const BILLED_BY_PROMPT: [&str; 2] = ["gemini-1", "gemini-2"];
        if let Some(model) = model {
            let model = model.rsplit('/').next().unwrap_or(model);
            self.by_prompt = BILLED_BY_PROMPT.iter().any(|old| model.starts_with(old));
        }
        let Some(mut grounding) = grounding.and_then(Fields::of) else {
            return;
        };
        let queries = grounding.array("webSearchQueries").into_iter();
        let queries = queries.filter_map(text);
        self.queries
            .extend(queries.filter(|query| !query.trim().is_empty()));
    }

    /// The usage with them.
    pub(super) fn add(&self, usage: Usage) -> Usage {
        let queries = self.queries.len() as u64;
        let most = if self.by_prompt { 1 } else { queries };
        Usage {
            web_searches: queries.min(most),
            ..usage
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(json: &str) -> Option<Usage> {
        read(&RawValue::from_string(json.to_owned()).unwrap())
    }

    #[test]
    fn thoughts_are_output_and_cached_input_is_counted_once() {
        let tokens = usage(
            r#"{"promptTokenCount":100,"cachedContentTokenCount":40,"toolUsePromptTokenCount":7,
            "candidatesTokenCount":10,"thoughtsTokenCount":202,"totalTokenCount":319,
            "promptTokensDetails":[{"modality":"TEXT","tokenCount":70},
                {"modality":"AUDIO","tokenCount":30}],
            "cacheTokensDetails":[{"modality":"AUDIO","tokenCount":10}],
            "candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":4}]}"#,
        )
        .unwrap();
        assert_eq!((tokens.input, tokens.cache_read), (47, 30));
        assert_eq!((tokens.cache_read_audio, tokens.input_audio), (10, 20));
        assert_eq!(tokens.output_image, 4);
        assert_eq!((tokens.output, tokens.reasoning), (208, 202));
        assert_eq!(tokens.total_input() + tokens.total_output(), 319);
        let again = usage(write(&tokens).to_raw().get()).unwrap();
        assert_eq!(again, tokens);
    }

    #[test]
    fn what_counts_nothing_or_cannot_be_is_no_usage() {
        for json in [
            r#"{"trafficType":"ON_DEMAND"}"#,
            r#"{"promptTokenCount":0,"totalTokenCount":0}"#,
            r#"{"promptTokenCount":-1,"candidatesTokenCount":5}"#,
            r#"{"promptTokenCount":18446744073709551615}"#,
            "null",
        ] {
            assert_eq!(usage(json), None, "{json}");
        }
    }

    #[test]
    fn details_that_contradict_the_totals_stay_within_them() {
        let tokens = usage(
            r#"{"promptTokenCount":10,"cachedContentTokenCount":4,"candidatesTokenCount":3,
            "promptTokensDetails":[{"modality":"AUDIO","tokenCount":900},
                {"modality":"IMAGE","tokenCount":900}],
            "cacheTokensDetails":[{"modality":"IMAGE","tokenCount":900}],
            "candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":900}]}"#,
        )
        .unwrap();
        assert_eq!((tokens.total_input(), tokens.total_output()), (10, 3));
    }

    #[test]
    fn searches_are_counted_as_their_model_is_billed() {
        let grounding =
            RawValue::from_string(r#"{"webSearchQueries":["a","","b","a"]}"#.to_owned()).unwrap();
        for (model, billed) in [("gemini-2.5-flash", 1), ("gemini-3-pro", 2)] {
            let mut searches = Searches::default();
            searches.see(Some(model), None);
            assert_eq!(searches.add(Usage::default()).web_searches, 0);
            searches.see(None, Some(&grounding));
            searches.see(Some(model), Some(&grounding));
            assert_eq!(
                searches.add(Usage::default()).web_searches,
                billed,
                "{model}"
            );
        }
    }
}
