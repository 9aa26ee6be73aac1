//! An independent reader of answers, in every dialect: what was said, called, used, refused.
//!
//! It shares no code with the relay, so that both cannot be wrong in the same way. It reads whole
//! bodies only, builds trees, and takes no care of speed. Where the relay has converted an answer, it
//! must hear the same in both.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on says where"
)]
#![expect(
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "what is not there is a test's end"
)]
#![expect(clippy::print_stdout, reason = "a test says what it leaves out")]
#![expect(missing_docs, reason = "the stories are the documentation")]

pub mod trace;

mod chat;
mod cohere;
mod converse;
mod gemini;
mod messages;
mod responses;

use serde_json::Value;
use shared::domain::dialect::Dialect;

use trace::{Trace, crc32};

/// What an answer says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heard {
    /// All of its texts, and what the model says when it refuses.
    pub text: String,
    /// All thoughts that can be read.
    pub thought: String,
    pub calls: Vec<Call>,
    /// Why it ended; none where it did not.
    pub finish: Option<Finish>,
    pub used: Option<Used>,
    /// Why it failed.
    pub error: Option<Trouble>,
}

/// A call of a tool.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Call {
    pub id: String,
    pub name: String,
    /// Its arguments, as text.
    pub arguments: String,
}

/// Why an answer ended, as far as all dialects can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    Stop,
    Length,
    Calls,
    Refused,
    /// A word that every dialect says in its own way.
    Other,
}

/// Tokens, in sums that every dialect tells or that can be computed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Used {
    /// All input, cached or not.
    pub input: u64,
    pub cache_read: u64,
    pub cache_write: u64,
    /// All output, thoughts included.
    pub output: u64,
    pub reasoning: u64,
}

/// Why an answer failed, as far as all dialects can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The request is wrong: 400, 413, 422.
    Request,
    /// Whoever asks may not: 401, 402, 403.
    Credential,
    Missing,
    TooOften,
    /// The gateway's own account is empty: a fault to callers, or a reason to come later.
    Unpaid,
    Overloaded,
    TooSlow,
    /// Anything else of the provider's.
    Fault,
    /// It does not end.
    Cut,
    /// It cannot be read.
    Garbage,
}

impl Heard {
    fn failed(trouble: Trouble) -> Self {
        Self {
            error: Some(trouble),
            ..Self::default()
        }
    }

    /// Says why it ended. Whoever calls tools has not merely stopped.
    fn finish(&mut self, finish: Finish) {
        let calls = finish == Finish::Stop && !self.calls.is_empty();
        self.finish = Some(if calls { Finish::Calls } else { finish });
    }
}

/// What a recorded answer says.
#[must_use]
pub fn of(trace: &Trace) -> Heard {
    if trace.status >= 400 {
        return Heard::failed(trouble(trace.status, &[]));
    }
    if trace.content_type.contains("json") || trace.content_type.contains("html") {
        return plain(trace.dialect, &trace.provider, &trace.body);
    }
    if trace.wrapped {
        return match frames(&trace.body) {
            Some(frames) => messages::stream(&unwrapped(&frames)),
            None => Heard::failed(Trouble::Garbage),
        };
    }
    stream(trace.dialect, &trace.provider, &trace.body)
}

/// What a plain answer with status 200 says.
#[must_use]
pub fn plain(dialect: Dialect, provider: &str, body: &[u8]) -> Heard {
    let Some(json) = std::str::from_utf8(body).ok().and_then(json) else {
        return Heard::failed(Trouble::Garbage);
    };
    let mut heard = match dialect {
        Dialect::OpenaiChat | Dialect::OpenaiCompletions => chat::plain(provider, &json),
        Dialect::OpenaiResponses => responses::plain(&json),
        Dialect::Anthropic => messages::plain(&json),
        Dialect::Gemini => gemini::plain(&json),
        Dialect::Bedrock => converse::plain(&json),
        Dialect::Cohere => cohere::plain(&json),
        other => panic!("{other} is no dialect of conversations"),
    };
    mend(&mut heard);
    heard
}

/// What a streamed answer with status 200 says.
#[must_use]
pub fn stream(dialect: Dialect, provider: &str, body: &[u8]) -> Heard {
    let events = || events(body);
    let mut heard = match dialect {
        Dialect::OpenaiChat | Dialect::OpenaiCompletions => {
            let done = [&b"data: [DONE]"[..], b"data:[DONE]"]
                .into_iter()
                .any(|word| holds(body, word));
            chat::stream(provider, &events(), done)
        }
        Dialect::OpenaiResponses => responses::stream(&events()),
        Dialect::Anthropic => messages::stream(&events()),
        Dialect::Gemini => gemini::stream(&events()),
        Dialect::Cohere => cohere::stream(&events()),
        Dialect::Bedrock => {
            let (frames, whole) = whole_frames(body);
            let mut heard = converse::stream(&frames);
            if !whole && heard.error.is_none_or(|error| error == Trouble::Cut) {
                heard.error = Some(Trouble::Garbage);
            }
            heard
        }
        other => panic!("{other} is no dialect of conversations"),
    };
    mend(&mut heard);
    if heard.finish.is_none() && heard.error.is_none() {
        heard.error = Some(Trouble::Cut);
    }
    heard
}

fn holds(body: &[u8], part: &[u8]) -> bool {
    body.windows(part.len()).any(|window| window == part)
}

/// Halves of characters, put together; those that found no other half are replaced.
fn mend(heard: &mut Heard) {
    let calls = heard.calls.iter_mut().map(|call| &mut call.arguments);
    for text in [&mut heard.text, &mut heard.thought]
        .into_iter()
        .chain(calls)
    {
        *text = mended(text);
    }
}

/// An event of a stream: its name, and its data.
#[derive(Debug)]
struct Event {
    name: String,
    json: Value,
}

/// The events of an event stream whose data is JSON.
fn events(body: &[u8]) -> Vec<Event> {
    let text = String::from_utf8_lossy(body);
    let text = text
        .trim_start_matches('\u{FEFF}')
        .replace("\r\n", "\n")
        .replace('\r', "\n");
    let whole = text.matches("\n\n").count();
    let blocks = text.split("\n\n").enumerate().filter_map(|(at, block)| {
        let field = |name: &'static str| {
            block.lines().filter_map(move |line| {
                let rest = line.strip_prefix(name)?.strip_prefix(':')?;
                Some(rest.strip_prefix(' ').unwrap_or(rest).to_owned())
            })
        };
        let data: Vec<String> = field("data").collect();
        let data = data.join("\n");
        // Some recordings lack a brace. What was cut lacks one, too, but it is the last.
        let mended = || json(&format!("{data}}}")).filter(|_| at < whole);
        let json = json(&data).or_else(mended)?;
        Some(Event {
            name: field("event").next_back().unwrap_or_default(),
            json,
        })
    });
    blocks.collect()
}

/// The frames of an AWS event stream; `None` when one is damaged.
fn frames(body: &[u8]) -> Option<Vec<Event>> {
    let (frames, whole) = whole_frames(body);
    whole.then_some(frames)
}

/// The frames before the first that is damaged, and whether there is none.
fn whole_frames(mut body: &[u8]) -> (Vec<Event>, bool) {
    let mut found = Vec::new();
    let number = |at: &[u8]| u32::from_be_bytes(at.try_into().unwrap()) as usize;
    while body.len() >= 16 {
        let (total, headers) = (number(&body[..4]), number(&body[4..8]));
        let sane = total >= 16 + headers && crc32(&body[..8]) as usize == number(&body[8..12]);
        if !sane {
            return (found, false);
        }
        if total > body.len() {
            // The last one did not arrive: it was cut, not damaged.
            break;
        }
        let (frame, rest) = body.split_at(total);
        let (covered, sum) = frame.split_at(total - 4);
        if crc32(covered) as usize != number(sum) {
            return (found, false);
        }
        let mut name = String::new();
        let mut at = 12;
        while at < 12 + headers {
            let key_end = at + 1 + usize::from(frame[at]);
            let key = &frame[at + 1..key_end];
            let length = usize::from(u16::from_be_bytes([frame[key_end + 1], frame[key_end + 2]]));
            let value = &frame[key_end + 3..key_end + 3 + length];
            if key == b":event-type" || key == b":exception-type" || key == b":error-code" {
                name = String::from_utf8_lossy(value).into_owned();
            }
            at = key_end + 3 + length;
        }
        let payload = String::from_utf8_lossy(&frame[12 + headers..total - 4]);
        found.push(Event {
            name,
            json: json(&payload).unwrap_or_default(),
        });
        body = rest;
    }
    (found, true)
}

/// Claude's events in Bedrock's frames.
fn unwrapped(frames: &[Event]) -> Vec<Event> {
    use base64::Engine;
    let inside = frames.iter().map(|frame| {
        let Some(bytes) = frame.json["bytes"].as_str() else {
            return Event {
                name: "error".to_owned(),
                json: frame.json.clone(),
            };
        };
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(bytes)
            .unwrap();
        Event {
            name: String::new(),
            json: serde_json::from_slice(&bytes).unwrap(),
        }
    });
    inside.collect()
}

/// A text as JSON. Half a character, which no parser takes, is kept as a mark.
fn json(text: &str) -> Option<Value> {
    serde_json::from_str(text)
        .ok()
        .or_else(|| serde_json::from_str(&marked(text)).ok())
}

/// Before a mark stands this, and after it the four digits of half a character.
const MARK: char = '\u{F0000}';

fn marked(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let unit = |from: &str| {
            let digits = from.strip_prefix("\\u")?.get(..4)?;
            u16::from_str_radix(digits, 16).ok()
        };
        let length = match (unit(escape), escape.get(6..).and_then(unit)) {
            (Some(0xD800..0xDC00), Some(0xDC00..0xE000)) => 12,
            (Some(half @ 0xD800..0xE000), _) => {
                out.push(MARK);
                out.push_str(&format!("{half:04X}"));
                rest = &escape[6..];
                continue;
            }
            _ => escape
                .char_indices()
                .nth(2)
                .map_or(escape.len(), |(end, _)| end),
        };
        out.push_str(&escape[..length]);
        rest = &escape[length..];
    }
    out + rest
}

fn mended(text: &str) -> String {
    let mut parts = text.split(MARK);
    let mut units: Vec<u16> = parts.next().unwrap_or_default().encode_utf16().collect();
    for part in parts {
        let (digits, rest) = part.split_at(4);
        units.push(u16::from_str_radix(digits, 16).unwrap());
        units.extend(rest.encode_utf16());
    }
    String::from_utf16_lossy(&units)
}

/// What a status and a provider's words for an error mean.
fn trouble(status: u16, words: &[&Value]) -> Trouble {
    let said: String = words
        .iter()
        .map(|word| format!("{word} ").to_lowercase())
        .collect();
    let says = |parts: &[&str]| parts.iter().any(|part| said.contains(part));
    let meant = match status {
        0 | 200 => words.iter().find_map(|word| {
            let number = word.as_u64().or_else(|| word.as_str()?.parse().ok());
            number
                .and_then(|number| u16::try_from(number).ok())
                .filter(|n| (400..600).contains(n))
        }),
        status => Some(status),
    };
    match meant {
        Some(400 | 413 | 422) => Trouble::Request,
        Some(401..=403) => Trouble::Credential,
        Some(404) => Trouble::Missing,
        Some(408 | 504) => Trouble::TooSlow,
        Some(429) => Trouble::TooOften,
        Some(503 | 529) => Trouble::Overloaded,
        Some(_) => Trouble::Fault,
        // The second is Zhipu's.
        None if says(&["insufficient_quota", "\"1113\""]) => Trouble::Unpaid,
        None if says(&["overloaded", "unavailable"]) => Trouble::Overloaded,
        None if says(&["rate_limit", "exhausted", "throttl", "quota"]) => Trouble::TooOften,
        None if says(&[
            "invalid_request",
            "invalid_argument",
            "validation",
            "invalid_prompt",
        ]) =>
        {
            Trouble::Request
        }
        None if says(&["timeout", "deadline"]) => Trouble::TooSlow,
        None if says(&["not_found"]) => Trouble::Missing,
        None if says(&["authentication", "permission", "billing"]) => Trouble::Credential,
        None => Trouble::Fault,
    }
}

/// A text, or nothing.
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A number, or nothing; one with a fraction is cut.
fn count(value: &Value) -> u64 {
    let digits = value
        .as_number()
        .map(ToString::to_string)
        .unwrap_or_default();
    digits
        .split('.')
        .next()
        .and_then(|whole| whole.parse().ok())
        .unwrap_or(0)
}

/// The elements of an array, or none.
fn each(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// Whether a caller hears in its dialect what the provider has said in another, as far as the caller's
/// dialect can tell it.
///
/// # Errors
/// When it does not: with what differs.
pub fn compare(name: &str, said: &Heard, dialect: Dialect, heard: &Heard) -> Result<(), String> {
    let wrong = |what: &str| Err(format!("{name}: {what}\nsaid:  {said:?}\nheard: {heard:?}"));
    let failed = said.error.is_some();
    match (said.error, heard.error) {
        (None, None) => {}
        (Some(said), Some(heard)) if alike(coarse(dialect, said), coarse(dialect, heard)) => {}
        _ => return wrong("error"),
    }
    // Half a character at a cut may have waited for the other half.
    let whole = |text: &str| {
        text.trim_end_matches(char::REPLACEMENT_CHARACTER)
            .to_owned()
    };
    if said.text != heard.text && !(failed && whole(&said.text) == whole(&heard.text)) {
        return wrong("text");
    }
    let squeezed = |text: &str| text.split_whitespace().collect::<String>();
    if squeezed(&said.thought) != squeezed(&heard.thought) {
        return wrong("thought");
    }
    // A call that was cut is not told where calls come whole.
    if !failed && said.calls.len() != heard.calls.len() {
        return wrong("calls");
    }
    for (said, heard) in said.calls.iter().zip(&heard.calls) {
        let same = said.name == heard.name
            && (failed || same_arguments(&said.arguments, &heard.arguments))
            && (dialect == Dialect::Gemini || !heard.id.is_empty());
        if !same {
            return wrong("call");
        }
    }
    if failed {
        return Ok(());
    }
    let any = [said.finish, heard.finish].contains(&Some(Finish::Other));
    if !any && said.finish != heard.finish {
        return wrong("finish");
    }
    // What a dialect has no word for is not told.
    let told = |used: Used| Used {
        cache_write: if dialect == Dialect::Gemini {
            0
        } else {
            used.cache_write
        },
        ..used
    };
    if said.used.is_some() && said.used.map(told) != heard.used.map(told) {
        return wrong("usage");
    }
    Ok(())
}

/// What a status means.
#[must_use]
pub fn status(status: u16) -> Trouble {
    trouble(status, &[])
}

/// Whether a status means what the provider has said.
///
/// # Errors
/// When it does not.
pub fn compare_error(name: &str, said: &Heard, status: u16) -> Result<(), String> {
    let meant = trouble(status, &[]);
    if said.error.is_some_and(|said| alike(said, meant)) {
        return Ok(());
    }
    Err(format!("{name}: {status} for {said:?}"))
}

/// What a failed response can say: it has few words for what went wrong.
fn coarse(dialect: Dialect, trouble: Trouble) -> Trouble {
    match trouble {
        _ if dialect != Dialect::OpenaiResponses => trouble,
        Trouble::Overloaded | Trouble::TooSlow => Trouble::Fault,
        Trouble::Missing => Trouble::Request,
        other => other,
    }
}

/// Whether two troubles are the same to a caller. A provider's quarrel with us is its fault to them.
fn alike(said: Trouble, heard: Trouble) -> bool {
    let ours = |trouble| match trouble {
        Trouble::Credential | Trouble::Unpaid | Trouble::Cut | Trouble::Garbage => Trouble::Fault,
        trouble => trouble,
    };
    let unpaid = said == Trouble::Unpaid && matches!(heard, Trouble::TooOften);
    unpaid || ours(said) == ours(heard)
}

/// Arguments that are no JSON object are kept as a text within one, where there must be one.
fn same_arguments(said: &str, heard: &str) -> bool {
    let read = |text: &str| -> Value {
        if text.trim().is_empty() {
            serde_json::json!({})
        } else {
            json(text).unwrap_or_default()
        }
    };
    let (left, right) = (read(said), read(heard));
    let kept = || {
        let mut members = right.as_object().into_iter().flatten();
        said == heard || members.any(|(_, member)| member == said)
    };
    if left.is_object() {
        left == right
    } else {
        kept()
    }
}
