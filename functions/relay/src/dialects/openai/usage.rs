//! What a call used, as OpenAI's dialects tell it, wherever and however their imitators put it.

use serde_json::value::RawValue;
use shared::domain::usage::{Service, Usage};

use crate::dialects::json::{Fields, Incredible, Object, array};

/// `usage`: the totals include what the details name apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::dialects) struct Counts {
    prompt: u64,
    completion: u64,
    total: Option<u64>,
    cached: u64,
    cached_audio: u64,
    cached_image: u64,
    written: u64,
    input_audio: u64,
    input_image: u64,
    reasoning: u64,
    /// Whether the answer says that reasoning comes on top, whatever its total is.
    apart: bool,
    output_audio: u64,
    output_image: u64,
    pub(in crate::dialects) web_searches: u64,
    pub(in crate::dialects) file_searches: u64,
    pub(in crate::dialects) code_runs: u64,
    pub(in crate::dialects) service: Option<Service>,
}

impl Counts {
    /// The usage in a chunk or an answer: beside the choices, in Groq's `x_groq`, or in llama.cpp's
    /// `timings`. Groq tells it twice, and that is one usage.
    pub(in crate::dialects) fn find(chunk: &mut Fields<'_>) -> Option<Self> {
        let usage = chunk.take("usage");
        let beside = usage.and_then(Self::read);
        let told = beside.or_else(|| Self::read(chunk.object("x_groq")?.take("usage")?));
        // What is told and cannot be is not made good by something else.
        let timed = || Self::timed(chunk.object("timings").filter(|_| usage.is_none())?);
        let told = told.or_else(timed)?;
        Some(Self {
            service: chunk.text("service_tier").and_then(|word| service(&word)),
            ..told
        })
    }

    /// The usage in a chunk or an answer of which nothing else is wanted: beside the choices, or within
    /// one of them, where Moonshot has put it.
    pub(in crate::dialects) fn anywhere(json: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(json);
        let mut chunk = super::members(&text)?;
        Self::find(&mut chunk).or_else(|| {
            let choices = chunk.take("choices").map(array)?;
            let mut choices = choices.into_iter().filter_map(Fields::of);
            choices.find_map(|mut choice| choice.take("usage").and_then(Self::read))
        })
    }

    /// A usage object; `None` when it tells nothing, or nothing that can be.
    pub(in crate::dialects) fn read(usage: &RawValue) -> Option<Self> {
        let mut usage = Fields::of(usage)?;
        let mut told = Self::totals(&mut usage).ok()??;
        let mut details = |new: &str, old: &str| {
            let details = usage.object(new).or_else(|| usage.object(old));
            details.unwrap_or_default()
        };
        let mut input = details("prompt_tokens_details", "input_tokens_details");
        let mut output = details("completion_tokens_details", "output_tokens_details");
        told.read_input(&mut usage, &mut input);
        told.read_output(&mut usage, &mut output);
        told.read_tools(&mut usage);
        Some(told)
    }

    /// The totals; `None` when there is none that says anything.
    fn totals(usage: &mut Fields<'_>) -> Result<Option<Self>, Incredible> {
        let mut either = |new: &str, old: &str| -> Result<Option<u64>, Incredible> {
            Ok(usage.used(new)?.or(usage.used(old)?))
        };
        let prompt = either("prompt_tokens", "input_tokens")?;
        let completion = either("completion_tokens", "output_tokens")?;
        let total = usage.used("total_tokens")?;
        // Some servers begin with zeros, and some never say anything else.
        if [prompt, completion, total]
            .iter()
            .flatten()
            .all(|count| *count == 0)
        {
            return Ok(None);
        }
        let prompt = prompt.unwrap_or(0);
        Ok(Some(Self {
            prompt,
            completion: completion.unwrap_or_else(|| total.unwrap_or(0).saturating_sub(prompt)),
            total,
            ..Self::default()
        }))
    }

    fn read_input(&mut self, usage: &mut Fields<'_>, details: &mut Fields<'_>) {
        // DeepSeek and Moonshot tell the same number in places of their own.
        let cached = [
            details.part("cached_tokens"),
            usage.part("prompt_cache_hit_tokens"),
            usage.part("cached_tokens"),
        ];
        self.cached = cached.into_iter().flatten().max().unwrap_or(0);
        let mut kinds = details.object("cached_tokens_details").unwrap_or_default();
        self.cached_audio = kinds.part("audio_tokens").unwrap_or(0);
        self.cached_image = kinds.part("image_tokens").unwrap_or(0);
        let written = ["cache_write_tokens", "cache_creation_input_tokens"];
        let written = written.into_iter().find_map(|name| details.part(name));
        self.written = written.unwrap_or(0);
        self.input_audio = details.part("audio_tokens").unwrap_or(0);
        self.input_image = details.part("image_tokens").unwrap_or(0);
    }

    fn read_output(&mut self, usage: &mut Fields<'_>, details: &mut Fields<'_>) {
        let within = details.part("reasoning_tokens");
        let beside = usage.part("reasoning_tokens");
        self.reasoning = within.or(beside).unwrap_or(0);
        self.output_audio = details.part("audio_tokens").unwrap_or(0);
        self.output_image = details.part("image_tokens").unwrap_or(0);
        // Perplexity's deep research reads and thinks beside its totals, at prices of their own.
        // https://docs.perplexity.ai/getting-started/pricing
        if let Some(citations) = usage.part("citation_tokens") {
            self.prompt = self.prompt.saturating_add(citations);
            self.apart = beside.is_some();
        }
    }

    /// What providers say of their own tools. OpenAI says it with the answer's items instead.
    fn read_tools(&mut self, usage: &mut Fields<'_>) {
        // OpenRouter's, in Anthropic's words; Perplexity's.
        let requests = usage
            .object("server_tool_use")
            .and_then(|mut tools| tools.part("web_search_requests"));
        let queries = usage.part("num_search_queries");
        // Qwen's. https://www.alibabacloud.com/help/en/model-studio/web-search
        let plugins = usage
            .object("plugins")
            .and_then(|mut plugins| plugins.object("search")?.part("count"));
        // xAI's live search was billed by the source. https://docs.x.ai/docs/guides/live-search
        let sources = usage.part("num_sources_used");
        let told = [requests, queries, plugins, sources];
        self.web_searches = told.into_iter().flatten().max().unwrap_or(0);
        // xAI's tools, each call of which is billed. https://docs.x.ai/docs/models#tools-pricing
        if let Some(mut calls) = usage.object("server_side_tool_usage_details") {
            let mut sum = |names: [&str; 2]| {
                let told = names.into_iter().filter_map(|name| calls.part(name));
                told.fold(0, u64::saturating_add)
            };
            self.web_searches = sum(["web_search_calls", "x_search_calls"]);
            self.file_searches = sum(["file_search_calls", "document_search_calls"]);
            self.code_runs = sum(["code_interpreter_calls", "code_execution_calls"]);
        }
    }

    /// llama.cpp's own count, where its usage was not asked for: `prompt_n` is without what its cache
    /// served. <https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md>
    fn timed(mut timings: Fields<'_>) -> Option<Self> {
        let fresh = timings.used("prompt_n").ok()??;
        let completion = timings.used("predicted_n").ok()??;
        let cached = timings.part("cache_n").unwrap_or(0);
        Some(Self {
            prompt: fresh.saturating_add(cached),
            completion,
            cached,
            ..Self::default()
        })
    }

    /// The same in disjoint components, the sums of which are the totals.
    pub(in crate::dialects) fn tokens(self, reasoning: Reasoning) -> Usage {
        // At xAI more can be cached than the prompt has: then the prompt is without it.
        let extra = self.cached > self.prompt;
        let mut left = if extra {
            self.prompt
        } else {
            self.prompt - self.cached
        };
        let mut part = |tokens: u64| {
            let part = tokens.min(left);
            left -= part;
            part
        };
        let cache_write_5m = part(self.written);
        let input_audio = part(self.input_audio.saturating_sub(self.cached_audio));
        let input_image = part(self.input_image.saturating_sub(self.cached_image));
        let input = left;
        let cache_read_audio = self.cached_audio.min(self.cached);
        let cache_read_image = self.cached_image.min(self.cached - cache_read_audio);
        let completion = if self.is_apart(reasoning) {
            self.completion.saturating_add(self.reasoning)
        } else {
            self.completion
        };
        let output_audio = self.output_audio.min(completion);
        let output_image = self.output_image.min(completion - output_audio);
        let output = completion - output_audio - output_image;
        Usage {
            input,
            cache_read: self.cached - cache_read_audio - cache_read_image,
            cache_read_audio,
            cache_read_image,
            cache_write_5m,
            cache_write_1h: 0,
            output,
            reasoning: self.reasoning.min(output),
            input_audio,
            output_audio,
            input_image,
            output_image,
            web_searches: self.web_searches,
            file_searches: self.file_searches,
            code_runs: self.code_runs,
            service: self.service.unwrap_or_default(),
        }
    }

    /// Whether reasoning is not part of the completion: the total tells.
    fn is_apart(&self, reasoning: Reasoning) -> bool {
        let within = self.prompt.saturating_add(self.completion);
        let extra = if self.cached > self.prompt {
            self.cached
        } else {
            0
        };
        let beside = within.saturating_add(self.reasoning);
        match self.total {
            _ if self.apart => true,
            Some(total) => total == beside || total == beside.saturating_add(extra),
            None => reasoning == Reasoning::Apart,
        }
    }
}

/// The service that an answer says it had; `None` for a word that says nothing of its price. What is
/// reserved (`scale`) is paid for otherwise, and costs as usual here.
/// <https://platform.openai.com/docs/guides/priority-processing>
pub(in crate::dialects) fn service(word: &str) -> Option<Service> {
    match word {
        "flex" => Some(Service::Flex),
        "priority" => Some(Service::Priority),
        "batch" => Some(Service::Batch),
        "default" | "standard" | "on_demand" | "scale" => Some(Service::Standard),
        _ => None,
    }
}

/// Whether reasoning is part of the completion, where a total does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dialects) enum Reasoning {
    /// It is.
    Within,
    /// It comes on top.
    Apart,
}

/// What was used, for a caller.
pub(in crate::dialects) fn write(tokens: &Usage) -> Object {
    let (input, output) = (tokens.total_input(), tokens.total_output());
    let written = tokens.cache_write_5m.saturating_add(tokens.cache_write_1h);
    let some = |count: u64| (count > 0).then_some(count);
    // What was listened to or looked at is told in whole, cached or not.
    let audio = tokens.input_audio.saturating_add(tokens.cache_read_audio);
    let image = tokens.input_image.saturating_add(tokens.cache_read_image);
    let (cached_audio, cached_image) = (tokens.cache_read_audio, tokens.cache_read_image);
    let kinds = (cached_audio > 0 || cached_image > 0).then(|| {
        Object::new()
            .with("text_tokens", tokens.cache_read)
            .with("audio_tokens", cached_audio)
            .with("image_tokens", cached_image)
    });
    Object::new()
        .with("prompt_tokens", input)
        .with("completion_tokens", output)
        .with("total_tokens", input.saturating_add(output))
        .with(
            "prompt_tokens_details",
            Object::new()
                .with("cached_tokens", tokens.total_cache_read())
                .with("audio_tokens", audio)
                .maybe("cache_write_tokens", some(written))
                .maybe("image_tokens", some(image))
                .maybe("cached_tokens_details", kinds),
        )
        .with(
            "completion_tokens_details",
            Object::new()
                .with("reasoning_tokens", tokens.reasoning)
                .with("audio_tokens", tokens.output_audio)
                .maybe("image_tokens", some(tokens.output_image)),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(json: &str) -> Usage {
        Counts::anywhere(json.as_bytes())
            .unwrap()
            .tokens(Reasoning::Within)
    }

    #[test]
    fn usage_is_found_wherever_it_stands() {
        for json in [
            r#"{"usage":{"prompt_tokens":10,"completion_tokens":5}}"#,
            r#"{"usage":null,"x_groq":{"id":"x","usage":{"prompt_tokens":10,"completion_tokens":5}}}"#,
            r#"{"choices":[{"index":0,"usage":{"prompt_tokens":10.0,"completion_tokens":5}}]}"#,
            r#"{"choices":[],"usage":{"prompt_tokens":10,"total_tokens":15,"completion_tokens":null,"prompt_tokens_details":null}}"#,
            r#"{"usage":{"input_tokens":10,"output_tokens":5,"prompt_tokens_details":[]}}"#,
        ] {
            let tokens = tokens(json);
            assert_eq!((tokens.input, tokens.output), (10, 5), "{json}");
        }
        for json in [r#"{"usage":{}}"#, r#"{"usage":null}"#, "[]", "x"] {
            assert_eq!(Counts::anywhere(json.as_bytes()), None, "{json}");
        }
    }

    #[test]
    fn what_a_cache_served_is_counted_once() {
        for details in [
            r#""prompt_tokens_details":{"cached_tokens":4}"#,
            r#""prompt_cache_hit_tokens":4,"prompt_cache_miss_tokens":6"#,
            r#""cached_tokens":4,"prompt_tokens_details":{"cached_tokens":4}"#,
        ] {
            let tokens = tokens(&format!(
                r#"{{"usage":{{"prompt_tokens":10,"completion_tokens":5,{details}}}}}"#
            ));
            assert_eq!((tokens.input, tokens.cache_read), (6, 4), "{details}");
        }
        let written = tokens(
            r#"{"usage":{"prompt_tokens":10,"prompt_tokens_details":{"cached_tokens":4,"cache_write_tokens":3}}}"#,
        );
        assert_eq!((written.input, written.cache_write_5m), (3, 3));
    }

    #[test]
    fn components_add_up_to_the_totals_even_where_they_overlap() {
        let tokens = tokens(
            r#"{"usage":{"prompt_tokens":10,"completion_tokens":5,
            "prompt_tokens_details":{"cached_tokens":8,"audio_tokens":7},
            "completion_tokens_details":{"audio_tokens":4,"reasoning_tokens":3}}}"#,
        );
        assert_eq!((tokens.total_input(), tokens.total_output()), (10, 5));
        assert_eq!(
            (tokens.input_audio, tokens.output, tokens.reasoning),
            (2, 1, 1)
        );
    }

    #[test]
    fn reasoning_that_stands_apart_is_seen_by_the_total() {
        let apart = r#"{"usage":{"prompt_tokens":30,"completion_tokens":2,"total_tokens":52,
            "completion_tokens_details":{"reasoning_tokens":20}}}"#;
        assert_eq!((tokens(apart).output, tokens(apart).reasoning), (22, 20));
        let within = apart.replace("52", "32").replace(":20", ":1");
        assert_eq!((tokens(&within).output, tokens(&within).reasoning), (2, 1));
        let untold = apart.replace("\"total_tokens\":52,", "");
        let untold = Counts::anywhere(untold.as_bytes()).unwrap();
        assert_eq!(untold.tokens(Reasoning::Apart).output, 22);
        assert_eq!(untold.tokens(Reasoning::Within).output, 2);
    }

    #[test]
    fn callers_get_their_own_totals() {
        let tokens = Usage {
            input: 1,
            cache_read: 2,
            cache_write_5m: 4,
            cache_write_1h: 8,
            output: 16,
            reasoning: 5,
            output_audio: 32,
            ..Usage::default()
        };
        let json = write(&tokens).to_bytes();
        let again = Counts::anywhere(
            format!("{{\"usage\":{}}}", std::str::from_utf8(&json).unwrap()).as_bytes(),
        );
        let again = again.unwrap().tokens(Reasoning::Within);
        assert_eq!((again.total_input(), again.total_output()), (15, 48));
        assert_eq!((again.cache_read, again.reasoning), (2, 5));
    }
}
