//! How a case is written: a head line `== name`, then a line for each of its members.
//!
//! ```text
//! == a_name_that_is_a_sentence
//! # why, and whose page says so
//! from openai openai_chat gpt-5
//! told {"prompt_tokens":…}            the usage, where the dialect has it
//! beside {"service_tier":"flex"}      more members of the answer, or of each chunk
//! items [{"type":"web_search_call"…}] what the answer holds beside its text
//! plain {…}                           the whole answer, in place of what `told` makes
//! stream {…}                          one of its events, likewise
//! rates input 1.25, output 10         USD per million tokens
//! service flex input 0.625, output 5  what differs at a service
//! tier 272_000 input 2.5, output 15   what differs with more input than that
//! tier 272_000 flex input 1.25        what differs at a service then
//! pieces web_search 0.01              USD each: also `file_search` and `code_run`
//! per_call 0.04                       USD for the call
//! ratio 0.8                           what the group pays of it
//! book gpt-5-2025-08-07               the figures are those of the book, which the bill is made by
//! usage input 1_200, output 300       by component; or `usage estimated`
//! bill 1_200 x 1.25 + 300 x 10 = 0.0045 USD
//! ```

use serde_json::{Map, Value};
use shared::domain::dialect::Dialect;
use shared::domain::money::Ratio;
use shared::domain::usage::Usage;

use super::price::{self, Written, pairs};

/// A case.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) provider: String,
    pub(super) dialect: Dialect,
    /// Whether the dialect travels in Bedrock's `InvokeModel`.
    pub(super) invoked: bool,
    pub(super) model: String,
    pub(super) told: Option<Value>,
    pub(super) beside: Map<String, Value>,
    pub(super) items: Vec<Value>,
    pub(super) plain: Option<String>,
    pub(super) stream: Vec<String>,
    pub(super) price: Written,
    pub(super) ratio: Ratio,
    pub(super) expected: Expected,
    pub(super) work: Option<String>,
}

/// What is to be read.
#[derive(Debug)]
pub(super) enum Expected {
    Usage(Usage),
    /// Nothing that can be billed: it is to be estimated.
    Estimated,
}

impl Case {
    pub(super) fn says(&self, what: &str) -> String {
        format!("{}: {what}", self.name)
    }
}

/// The cases in a text.
pub(super) fn read(text: &str) -> Vec<Case> {
    let cases = text.split("\n== ").skip(1);
    cases.map(read_one).collect()
}

fn read_one(text: &str) -> Case {
    let (name, members) = text.split_once('\n').unwrap();
    let lines = members.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let members: Vec<(&str, &str)> = lines
        .map(|line| {
            line.split_once(' ')
                .unwrap_or_else(|| panic!("{name}: {line}"))
        })
        .collect();
    let all = |wanted: &str| {
        let found = members.iter().filter(|(member, _)| *member == wanted);
        found.map(|(_, value)| *value).collect::<Vec<_>>()
    };
    let one = |wanted: &str| {
        let found = all(wanted);
        assert!(found.len() <= 1, "{name}: two lines of {wanted}");
        found.first().copied()
    };
    const KNOWN: [&str; 9] = [
        "from", "told", "beside", "items", "plain", "stream", "ratio", "usage", "bill",
    ];
    for (member, _) in &members {
        let known = KNOWN.contains(member) || price::LINES.contains(member);
        assert!(known, "{name}: what is {member}?");
    }
    for once in ["rates", "pieces", "per_call", "book"] {
        one(once);
    }
    let mut from = one("from").unwrap().split(' ');
    let (provider, word, model) = (
        from.next().unwrap(),
        from.next().unwrap(),
        from.next().unwrap(),
    );
    let invoked = word == "invoke";
    let usage = one("usage").unwrap();
    let json = |text: &str| -> Value {
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{name}: {text}: {error}"))
    };
    Case {
        name: name.to_owned(),
        provider: provider.to_owned(),
        dialect: dialect(word),
        invoked,
        model: model.to_owned(),
        told: one("told").map(json),
        beside: one("beside").map_or_else(Map::new, |text| {
            json(text).as_object().cloned().unwrap_or_default()
        }),
        items: one("items").map_or_else(Vec::new, |text| {
            json(text).as_array().cloned().unwrap_or_default()
        }),
        plain: one("plain").map(str::to_owned),
        stream: all("stream").into_iter().map(str::to_owned).collect(),
        price: price::read(model, &members),
        ratio: one("ratio").map_or(Ratio::ONE, |text| text.parse().unwrap()),
        expected: match usage {
            "estimated" => Expected::Estimated,
            told => Expected::Usage(components(told)),
        },
        work: one("bill").map(str::to_owned),
    }
}

fn dialect(word: &str) -> Dialect {
    match word {
        "openai_chat" => Dialect::OpenaiChat,
        "openai_completions" => Dialect::OpenaiCompletions,
        "openai_responses" => Dialect::OpenaiResponses,
        "anthropic" | "invoke" => Dialect::Anthropic,
        "gemini" => Dialect::Gemini,
        "bedrock" => Dialect::Bedrock,
        "cohere" => Dialect::Cohere,
        other => panic!("what dialect is {other}?"),
    }
}

/// A usage by component.
fn components(text: &str) -> Usage {
    let mut usage = Usage::default();
    for (name, value) in pairs(text) {
        let place = match name {
            "service" => {
                usage.service = price::named(value);
                continue;
            }
            "input" => &mut usage.input,
            "cache_read" => &mut usage.cache_read,
            "cache_read_audio" => &mut usage.cache_read_audio,
            "cache_read_image" => &mut usage.cache_read_image,
            "cache_write_5m" => &mut usage.cache_write_5m,
            "cache_write_1h" => &mut usage.cache_write_1h,
            "output" => &mut usage.output,
            "reasoning" => &mut usage.reasoning,
            "input_audio" => &mut usage.input_audio,
            "output_audio" => &mut usage.output_audio,
            "input_image" => &mut usage.input_image,
            "output_image" => &mut usage.output_image,
            "web_searches" => &mut usage.web_searches,
            "file_searches" => &mut usage.file_searches,
            "code_runs" => &mut usage.code_runs,
            other => panic!("what component is {other}?"),
        };
        *place = value.replace('_', "").parse().unwrap();
    }
    usage
}
