//! The golden matrix: every caller's dialect to every provider's, case by case, to be read side by side.
//!
//! `golden/<caller>/<case>.json` is what a caller asks, `golden/upstream/<dialect>/<case>` what a
//! provider answers, and `golden/<caller>/<case>.<upstream>.snap` what both become.

use std::fmt::Write;
use std::fs;

use http::{HeaderMap, HeaderName, HeaderValue};
use relay::dialects::convert::Renames;
use relay::dialects::json::{self, Fields};
use relay::dialects::neutral::{Notes, Reply};
use relay::dialects::{CallerSide, Destination, Wanted};
use serde_json::Value;
use serde_json::value::RawValue;
use shared::domain::dialect::Dialect;
use shared::domain::provider;
use witness::trace;

use crate::stage::{
    self, CALLERS, UPSTREAMS, asked, caller, converted, destination, failure, id, nothing, play,
    stream_type, told, upstream, wanted,
};

/// What a case has of its own; for the rest it is like `text`.
struct Case {
    name: &'static str,
    request: bool,
    answer: Answer,
}

enum Answer {
    None,
    /// Plain and streamed.
    Both,
    /// An error instead of an answer.
    Error,
    /// A stream that fails.
    Broken,
}

const fn case(name: &'static str, request: bool, answer: Answer) -> Case {
    Case {
        name,
        request,
        answer,
    }
}

const CASES: [Case; 20] = [
    case("text", true, Answer::Both),
    case("tool", true, Answer::Both),
    case("parallel_tools", true, Answer::Both),
    case("tool_result", true, Answer::None),
    case("tool_result_image", true, Answer::None),
    case("reasoning_replay", true, Answer::Both),
    case("json_schema", true, Answer::Both),
    case("image", true, Answer::None),
    case("pdf", true, Answer::None),
    case("length", false, Answer::Both),
    case("stop_sequence", true, Answer::Both),
    case("refusal", false, Answer::Both),
    case("cached", true, Answer::Both),
    case("error_400", false, Answer::Error),
    case("error_429", false, Answer::Error),
    case("overloaded", false, Answer::Broken),
    case("midstream_error", false, Answer::Broken),
    case("cut", false, Answer::Broken),
    case("empty", false, Answer::Both),
    case("unknown_fields", true, Answer::Both),
];

/// The text of a caller's request.
pub(crate) fn request_text(from: Dialect, case: &str) -> String {
    let file = fs::read_to_string(format!("tests/golden/{from}/{case}.json")).unwrap();
    let fields = &mut Fields::parse(&file).unwrap();
    let indented = fields.take("request").unwrap();
    compact(indented)
}

/// The same JSON without its white space; numbers and order stay.
fn compact(value: &RawValue) -> String {
    let mut out = String::new();
    let mut quoted = false;
    let mut escaped = false;
    for character in value.get().chars() {
        if quoted || !character.is_ascii_whitespace() {
            out.push(character);
        }
        if escaped {
            escaped = false;
        } else if character == '\\' {
            escaped = true;
        } else if character == '"' {
            quoted = !quoted;
        }
    }
    out
}

/// A provider's stream, as it travels.
fn streamed(to: Dialect, case: &str) -> Vec<u8> {
    let path = format!("tests/golden/upstream/{to}/{case}");
    if to == Dialect::Bedrock {
        let lines = fs::read_to_string(format!("{path}.jsonl")).unwrap();
        return trace::framed(to, &lines);
    }
    fs::read(format!("{path}.sse")).unwrap()
}

/// A provider's plain answer.
pub(crate) fn plain(to: Dialect, case: &str) -> Vec<u8> {
    fs::read(format!("tests/golden/upstream/{to}/{case}.json")).unwrap()
}

/// What becomes of a plain answer.
pub(crate) fn write_plain(
    from: &dyn CallerSide,
    to: Dialect,
    wanted: &Wanted,
    body: &[u8],
) -> Vec<u8> {
    let mut reply: Reply = upstream(to)
        .reply(body, &destination(to, false))
        .unwrap_or_else(|| panic!("{to} does not know its own answer"));
    Renames::default().apply(&mut reply);
    from.write_reply(&reply, &asked(wanted)).to_vec()
}

/// What becomes of a stream.
fn write_stream(from: &dyn CallerSide, to: Dialect, wanted: &Wanted, body: &[u8]) -> stage::Played {
    let reader = upstream(to).reader(&destination(to, true));
    play(from, reader, wanted, std::iter::once(body), stream_type(to))
}

#[test]
fn what_an_openai_chat_becomes() {
    matrix(Dialect::OpenaiChat);
}

#[test]
fn what_openai_responses_become() {
    matrix(Dialect::OpenaiResponses);
}

#[test]
fn what_anthropic_messages_become() {
    matrix(Dialect::Anthropic);
}

#[test]
fn what_gemini_contents_become() {
    matrix(Dialect::Gemini);
}

fn matrix(from: Dialect) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_snapshot_path(format!("golden/{from}"));
    settings.bind(|| {
        for case in &CASES {
            for to in UPSTREAMS {
                let shown = show(from, to, case);
                insta::assert_snapshot!(format!("{}.{to}", case.name), shown);
            }
        }
    });
}

/// Everything of a case, as text.
fn show(from: Dialect, to: Dialect, case: &Case) -> String {
    let mut page = String::new();
    let text = request_text(from, if case.request { case.name } else { "text" });
    let (plain_wanted, stream_wanted) = (wanted(from, &text, false), wanted(from, &text, true));
    if case.request {
        show_request(from, to, &plain_wanted, &mut page);
    }
    let side = caller(from);
    match case.answer {
        Answer::None => {}
        Answer::Both => {
            let body = write_plain(side, to, &plain_wanted, &plain(to, case.name));
            head(&mut page, "plain answer");
            page += &pretty_bytes(&body);
            let played = write_stream(side, to, &stream_wanted, &streamed(to, case.name));
            assert_eq!(played.error, None, "{from} {to} {}", case.name);
            head(&mut page, "streamed answer");
            page += &stream_lines(&played.out);
        }
        Answer::Broken => {
            let played = write_stream(side, to, &stream_wanted, &streamed(to, case.name));
            if let Some(error) = &played.error {
                head(&mut page, "the provider says");
                writeln!(page, "{} {}: {}", error.status, error.code, error.message).unwrap();
            }
            head(&mut page, "streamed answer");
            page += &stream_lines(&played.out);
        }
        Answer::Error => {
            let file: Value = serde_json::from_slice(&plain(to, case.name)).unwrap();
            let headers = file["headers"].as_object().unwrap().iter();
            let headers: HeaderMap = headers
                .map(|(name, value)| {
                    let name: HeaderName = name.parse().unwrap();
                    (
                        name,
                        HeaderValue::from_str(value.as_str().unwrap()).unwrap(),
                    )
                })
                .collect();
            let body = file["body"].to_string();
            let status = u16::try_from(file["status"].as_u64().unwrap()).unwrap();
            let error = upstream(to)
                .read_error(status, &headers, body.as_bytes())
                .unwrap();
            head(&mut page, "the provider says");
            writeln!(page, "{} {}: {}", error.status, error.code, error.message).unwrap();
            head(&mut page, "answer");
            page += &pretty_bytes(&side.write_error(&failure(&error), id()));
        }
    }
    page
}

fn show_request(from: Dialect, to: Dialect, wanted: &Wanted, page: &mut String) {
    let written = match converted(wanted, from, to) {
        Ok(written) => written,
        Err(failure) => {
            head(page, "refused");
            writeln!(page, "{:?}: {failure}", failure.field).unwrap();
            return;
        }
    };
    head(page, "request");
    writeln!(page, "POST {}", upstream(to).path(&destination(to, false))).unwrap();
    *page += &pretty_bytes(&written.body);
    let Notes { dropped, emulated } = &written.notes;
    let words = |fields: &std::collections::BTreeSet<_>| -> String {
        let words: Vec<String> = fields
            .iter()
            .map(|field| caller(from).word(field))
            .collect();
        words.join(", ")
    };
    for (name, fields) in [("dropped", dropped), ("emulated", emulated)] {
        if !fields.is_empty() {
            writeln!(page, "{name}: {}", words(fields)).unwrap();
        }
    }
}

fn head(page: &mut String, title: &str) {
    if !page.is_empty() {
        page.push('\n');
    }
    writeln!(page, "== {title}").unwrap();
}

/// The lines of a stream without the blank ones between events.
fn stream_lines(stream: &[u8]) -> String {
    let text = std::str::from_utf8(stream).unwrap();
    let lines = text.lines().filter(|line| !line.is_empty());
    lines.map(|line| format!("{line}\n")).collect()
}

fn pretty_bytes(body: &[u8]) -> String {
    let raw: &RawValue = serde_json::from_slice(body)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(body)));
    pretty(raw, 0) + "\n"
}

/// JSON over several lines, where one would be long; numbers and the order of members stay.
fn pretty(value: &RawValue, depth: usize) -> String {
    let text = value.get();
    if text.len() + 2 * depth <= 100 {
        return text.to_owned();
    }
    let (from, to) = ("  ".repeat(depth + 1), "  ".repeat(depth));
    let (lines, [open, close]): (Vec<String>, _) = match Fields::of(value) {
        Some(fields) => {
            let member = |(name, value): (String, &RawValue)| {
                format!("{from}\"{name}\": {}", pretty(value, depth + 1))
            };
            (fields.rest().map(member).collect(), ['{', '}'])
        }
        None if text.starts_with('[') => {
            let elements = json::array(value).into_iter();
            let elements = elements.map(|element| format!("{from}{}", pretty(element, depth + 1)));
            (elements.collect(), ['[', ']'])
        }
        None => return text.to_owned(),
    };
    format!("{open}\n{}\n{to}{close}", lines.join(",\n"))
}

/// A request without what the gateway sets itself: how the answer comes, and that nothing is kept at
/// the provider where the caller does not ask for it. What is null is not there.
fn without_ours(mut request: Value, caller: &Value) -> Value {
    let members = request.as_object_mut().unwrap();
    members.retain(|name, value| {
        let added = ["store", "include"].contains(&name.as_str()) && caller[name].is_null();
        !(added || value.is_null() || ["stream", "stream_options"].contains(&name.as_str()))
    });
    // The limit has two names, and a provider gets the one that it knows.
    if let Some(limit) = members.remove("max_completion_tokens") {
        members.insert("max_tokens".to_owned(), limit);
    }
    let messages = members.get_mut("messages").and_then(Value::as_array_mut);
    let assistants = messages
        .into_iter()
        .flatten()
        .filter(|turn| turn["role"] == "assistant");
    for message in assistants.filter_map(Value::as_object_mut) {
        // Not every server takes an array there, and no calls are none.
        message.retain(|name, value| name != "tool_calls" || *value != Value::Array(Vec::new()));
        if let Some([Value::Object(part)]) = message["content"].as_array().map(Vec::as_slice)
            && part.len() == 2
            && part["type"] == "text"
        {
            let text = part["text"].clone();
            message["content"] = text;
        }
    }
    request
}

/// A request in its own dialect, but not on the express lane.
fn round_trip(dialect: Dialect, name: &str, text: &str, to: Destination<'_>) -> Result<(), String> {
    let wanted = wanted(dialect, text, false);
    let request = caller(dialect).read_request(&wanted);
    let written = request.and_then(|request| upstream(dialect).write_request(&request, &to));
    let written = written.map_err(|failure| format!("{name}: {:?} {failure}", failure.field))?;
    let mut asked: Value = serde_json::from_str(text).unwrap();
    if asked["model"].is_string() {
        asked["model"] = to.model.into();
    }
    let found: Value = serde_json::from_slice(&written.body).unwrap();
    let (found, expected) = (
        without_ours(found, &asked),
        without_ours(asked.clone(), &asked),
    );
    let dropped = &written.notes.dropped;
    if found == expected && dropped.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{name}: {dropped:?}\nfrom {expected}\nto   {found}"
    ))
}

/// What no provider takes as it is. OpenAI takes no images in a tool's message: they move behind it.
/// Providers that want thoughts back measure them in other words.
const CHANGED: [(Dialect, &str); 2] = [
    (Dialect::OpenaiChat, "tool_result_image"),
    (Dialect::OpenaiChat, "reasoning_replay"),
];

#[test]
fn a_request_in_its_own_dialect_comes_back_as_it_was() {
    let mut wrong = Vec::new();
    for dialect in CALLERS {
        for case in CASES.iter().filter(|case| case.request) {
            if CHANGED.contains(&(dialect, case.name)) {
                continue;
            }
            let name = format!("{dialect}/{}", case.name);
            let text = request_text(dialect, case.name);
            let usual = round_trip(dialect, &name, &text, destination(dialect, false));
            // Some things only some providers of a dialect take, or not all models.
            let elsewhere = || {
                let cards = provider::PROVIDERS.iter();
                cards
                    .filter(|card| card.dialects().contains(&dialect))
                    .any(|card| {
                        let to = Destination {
                            model: "x",
                            stream: false,
                            card,
                        };
                        round_trip(dialect, &name, &text, to).is_ok()
                    })
            };
            wrong.extend(usual.err().filter(|_| !elsewhere()));
        }
    }
    nothing(&wrong);
}

#[test]
fn a_recorded_request_in_its_own_dialect_comes_back_as_it_was() {
    let Some(folder) = trace::recorded("../..") else {
        return;
    };
    // What was refused may be mended on the way.
    let asked = trace::requests(&folder)
        .into_iter()
        .filter(|asked| asked.status < 400);
    let wrong = asked.filter_map(|asked| {
        let model = asked.body["model"].as_str().unwrap_or("gemini-3-pro");
        let card = stage::card_of(&asked.provider);
        let to = Destination {
            model,
            stream: false,
            card,
        };
        round_trip(asked.dialect, &asked.name, &asked.body.to_string(), to).err()
    });
    nothing(&wrong.collect::<Vec<_>>());
}

#[test]
fn a_stream_tells_what_the_plain_answer_tells() {
    let mut wrong = Vec::new();
    for from in CALLERS {
        let text = request_text(from, "text");
        let (plain_wanted, stream_wanted) = (wanted(from, &text, false), wanted(from, &text, true));
        for to in UPSTREAMS {
            for case in CASES
                .iter()
                .filter(|case| matches!(case.answer, Answer::Both))
            {
                let name = format!("{from} {to} {}", case.name);
                let side = caller(from);
                let whole = write_plain(side, to, &plain_wanted, &plain(to, case.name));
                let told_whole = upstream(from)
                    .reply(&whole, &destination(from, false))
                    .unwrap();
                let played = write_stream(side, to, &stream_wanted, &streamed(to, case.name));
                let reader = upstream(from).reader(&destination(from, true));
                let (events, error) = stage::events(reader, &played.out, stream_type(from));
                assert_eq!(error, None, "{name}");
                let folded = Reply::fold(events);
                if told(&folded) != told(&told_whole) {
                    wrong.push(format!("{name}\nstream {folded:?}\nplain  {told_whole:?}"));
                }
            }
        }
    }
    nothing(&wrong);
}

#[test]
fn a_caller_hears_what_a_witness_of_the_provider_hears() {
    let mut wrong = Vec::new();
    for from in CALLERS {
        let text = request_text(from, "text");
        let (plain_wanted, stream_wanted) = (wanted(from, &text, false), wanted(from, &text, true));
        for to in UPSTREAMS {
            for case in &CASES {
                let name = format!("{from} {to} {}", case.name);
                if matches!(case.answer, Answer::Both) {
                    let body = plain(to, case.name);
                    let expected = witness::plain(to, "", &body);
                    let body = write_plain(caller(from), to, &plain_wanted, &body);
                    wrong.extend(
                        witness::compare(&name, &expected, from, &witness::plain(from, "", &body))
                            .err(),
                    );
                }
                if matches!(case.answer, Answer::Both | Answer::Broken) {
                    let body = streamed(to, case.name);
                    let expected = witness::stream(to, "", &body);
                    let played = write_stream(caller(from), to, &stream_wanted, &body);
                    wrong.extend(
                        witness::compare(
                            &name,
                            &expected,
                            from,
                            &witness::stream(from, "", &played.out),
                        )
                        .err(),
                    );
                }
            }
        }
    }
    nothing(&wrong);
}
