//! What a call used, as OpenAI's dialects tell it, wherever and however their imitators put it.

use serde_json::value::RawValue;
use shared::domain::usage::Usage;

use crate::dialects::json::{Fields, Object, array};

/// `usage`: the totals include what the details name apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::dialects) struct Counts {
    prompt: u64,
    completion: u64,
    total: Option<u64>,
    cached: u64,
    written: u64,
    input_audio: u64,
    input_image: u64,
    reasoning: u64,
    output_audio: u64,
    output_image: u64,
}

impl Counts {
    /// The usage in a chunk or an answer: beside the choices, in Groq's `x_groq`, or within the first
    /// choice, where Moonshot has put it.
    pub(in crate::dialects) fn find(chunk: &mut Fields<'_>) -> Option<Self> {
        let beside = chunk.take("usage").and_then(Self::read);
        let groq = || chunk.object("x_groq")?.take("usage").and_then(Self::read);
        beside.or_else(groq)
    }

    /// The usage in a chunk or an answer of which nothing else is wanted.
    pub(in crate::dialects) fn anywhere(json: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(json);
        let mut chunk = super::members(&text)?;
        Self::find(&mut chunk).or_else(|| {
            let choices = chunk.take("choices").map(array)?;
            let mut choices = choices.into_iter().filter_map(Fields::of);
            choices.find_map(|mut choice| choice.take("usage").and_then(Self::read))
        })
    }

    /// A usage object; `None` when it tells nothing.
    pub(in crate::dialects) fn read(usage: &RawValue) -> Option<Self> {
        let mut usage = Fields::of(usage)?;
        let mut either = |new: &str, old: &str| usage.count(new).or_else(|| usage.count(old));
        let prompt = either("prompt_tokens", "input_tokens");
        let completion = either("completion_tokens", "output_tokens");
        let total = usage.count("total_tokens");
        prompt.or(completion).or(total)?;
        let prompt = prompt.unwrap_or(0);
        let mut details = |new: &str, old: &str| {
            let details = usage.object(new).or_else(|| usage.object(old));
            details.unwrap_or_default()
        };
        let mut input = details("prompt_tokens_details", "input_tokens_details");
        let mut output = details("completion_tokens_details", "output_tokens_details");
        // DeepSeek and Moonshot tell the same number in places of their own.
        let cached = [
            input.count("cached_tokens"),
            usage.count("prompt_cache_hit_tokens"),
            usage.count("cached_tokens"),
        ];
        let written = ["cache_write_tokens", "cache_creation_input_tokens"];
        Some(Self {
            prompt,
            completion: completion.unwrap_or_else(|| total.unwrap_or(0).saturating_sub(prompt)),
            total,
            cached: cached.into_iter().flatten().max().unwrap_or(0),
            written: written
                .into_iter()
                .find_map(|name| input.count(name))
                .unwrap_or(0),
            input_audio: input.count("audio_tokens").unwrap_or(0),
            input_image: input.count("image_tokens").unwrap_or(0),
            reasoning: output
                .count("reasoning_tokens")
                .or_else(|| usage.count("reasoning_tokens"))
                .unwrap_or(0),
            output_audio: output.count("audio_tokens").unwrap_or(0),
            output_image: output.count("image_tokens").unwrap_or(0),
        })
    }

    /// The same in disjoint components, the sums of which are the totals.
    pub(in crate::dialects) fn tokens(self, reasoning: Reasoning) -> Usage {
        let mut left = self.prompt;
        let mut part = |tokens: u64| {
            let part = tokens.min(left);
            left -= part;
            part
        };
        // At xAI more can be cached than the prompt has: then the prompt is without it.
        let cache_read = if self.cached > self.prompt {
            self.cached
        } else {
            part(self.cached)
        };
        let cache_write_5m = part(self.written);
        let (input_audio, input_image) = (part(self.input_audio), part(self.input_image));
        let input = left;
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
            cache_read,
            cache_write_5m,
            output,
            reasoning: self.reasoning.min(output),
            input_audio,
            output_audio,
            input_image,
            output_image,
            ..Usage::default()
        }
    }

    /// Whether reasoning is not part of the completion: the total tells.
    fn is_apart(&self, reasoning: Reasoning) -> bool {
        let within = self.prompt.saturating_add(self.completion);
        match self.total {
            Some(total) => total == within.saturating_add(self.reasoning),
            None => reasoning == Reasoning::Apart,
        }
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
    Object::new()
        .with("prompt_tokens", input)
        .with("completion_tokens", output)
        .with("total_tokens", input.saturating_add(output))
        .with(
            "prompt_tokens_details",
            Object::new()
                .with("cached_tokens", tokens.cache_read)
                .with("audio_tokens", tokens.input_audio)
                .maybe("cache_write_tokens", some(written))
                .maybe("image_tokens", some(tokens.input_image)),
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
