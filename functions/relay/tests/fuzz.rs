//! What nobody ever said: recordings and requests with bytes changed, to every reader.
//!
//! No panic, no hang, no output without bounds, and never an event out of order.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use bytes::Bytes;
use http::HeaderMap;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestCaseError};
use relay::dialects::InUrl;
use relay::dialects::convert::{Converter, Renames};
use relay::dialects::neutral::order::Place;
use relay::dialects::watch::{Verdict, Watch};
use serde::de::IgnoredAny;
use shared::domain::dialect::Dialect;
use witness::trace::{self, Trace};

use crate::recorded::{is_stream, question, traces};
use crate::stage::{
    CALLERS, UPSTREAMS, asked, caller, destination, splitter, stream_type, upstream,
};

/// Longer seeds are cut: what is odd is odd in the small.
const LONGEST: usize = 6_000;

/// Something that is said, and by whom.
#[derive(Debug, Clone)]
struct Seed {
    dialect: Dialect,
    text: String,
}

/// Streams of every dialect; those that travel in frames as lines, which are framed when they are
/// changed: a changed frame is merely damaged.
static STREAMS: LazyLock<Vec<Seed>> = LazyLock::new(|| {
    let framed = |trace: &Trace| trace.content_type.contains("amazon");
    let plain = traces()
        .into_iter()
        .filter(|trace| is_stream(trace) && !framed(trace));
    let mut seeds: Vec<Seed> = plain
        .map(|trace| seed(trace.dialect, &trace.body))
        .collect();
    for to in UPSTREAMS {
        let golden = files(&format!("tests/golden/upstream/{to}")).into_iter();
        let golden = golden.filter(|(name, _)| name.ends_with(".sse"));
        seeds.extend(golden.map(|(_, text)| seed(to, text.as_bytes())));
    }
    for folder in ["tests/golden/upstream/bedrock", "../../tests/traces"] {
        seeds.extend(files(folder).into_iter().filter_map(|(name, text)| {
            let lines = name.ends_with(".jsonl") || name.starts_with("converse-");
            lines.then(|| seed(Dialect::Bedrock, text.as_bytes()))
        }));
    }
    seeds
});

/// Plain answers and errors.
static ANSWERS: LazyLock<Vec<Seed>> = LazyLock::new(|| {
    let mut seeds: Vec<Seed> = traces()
        .iter()
        .filter(|trace| !is_stream(trace))
        .map(|trace| seed(trace.dialect, &trace.body))
        .collect();
    for to in UPSTREAMS {
        let answers = files(&format!("tests/golden/upstream/{to}")).into_iter();
        let answers = answers.filter(|(name, _)| name.ends_with(".json"));
        seeds.extend(answers.map(|(_, text)| seed(to, text.as_bytes())));
    }
    seeds
});

/// Requests of callers.
static REQUESTS: LazyLock<Vec<Seed>> = LazyLock::new(|| {
    let mut seeds = Vec::new();
    for from in CALLERS {
        let asked = files(&format!("tests/golden/{from}")).into_iter();
        seeds.extend(
            asked
                .filter(|(name, _)| name.ends_with(".json"))
                .map(|(_, text)| {
                    let file: serde_json::Value = serde_json::from_str(&text).unwrap();
                    seed(from, file["request"].to_string().as_bytes())
                }),
        );
    }
    let recorded = trace::recorded("../..")
        .into_iter()
        .flat_map(|folder| trace::requests(&folder));
    seeds.extend(recorded.map(|asked| seed(asked.dialect, asked.body.to_string().as_bytes())));
    seeds
});

fn seed(dialect: Dialect, bytes: &[u8]) -> Seed {
    let cut = &bytes[..bytes.len().min(LONGEST)];
    Seed {
        dialect,
        text: String::from_utf8_lossy(cut).into_owned(),
    }
}

/// The files of a folder: name and text.
fn files(folder: &str) -> Vec<(String, String)> {
    let mut paths: Vec<_> = fs::read_dir(Path::new(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    // The order must not depend on the machine.
    paths.sort();
    let named = paths.into_iter().map(|path| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, fs::read_to_string(path).unwrap())
    });
    named.collect()
}

/// A change of some bytes.
#[derive(Debug, Clone)]
enum Change {
    Put(Index, Vec<u8>),
    Drop(Index, usize),
    Repeat(Index, usize),
    Swap(Index, Index),
    Word(Index, Index),
}

/// What is seldom right where it stands.
const WORDS: [&str; 22] = [
    "null",
    "{}",
    "[]",
    "\"\"",
    "0",
    "-1",
    "1e999",
    "18446744073709551616",
    "true",
    "\"\\ud83d\"",
    "\"\\udc00\"",
    "\n\n",
    "\r\n\r\n",
    "data: ",
    "event: error\n",
    "{\"error\":{}}",
    "\"index\":9,",
    "\"type\":\"x\",",
    "[[[[[[[[",
    "\"text\":null,",
    "\u{FEFF}",
    "\"id\":7,",
];

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let at = any::<Index>;
    let change = prop_oneof![
        (at(), prop::collection::vec(any::<u8>(), 1..4)).prop_map(|(a, b)| Change::Put(a, b)),
        (at(), 1usize..60).prop_map(|(a, n)| Change::Drop(a, n)),
        (at(), 1usize..200).prop_map(|(a, n)| Change::Repeat(a, n)),
        (at(), at()).prop_map(|(a, b)| Change::Swap(a, b)),
        (at(), at()).prop_map(|(a, b)| Change::Word(a, b)),
    ];
    prop::collection::vec(change, 0..6)
}

fn changed(text: &str, changes: &[Change]) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for change in changes {
        let place = |index: &Index| index.index(bytes.len() + 1);
        match change {
            Change::Put(at, more) => {
                let at = place(at);
                bytes.splice(at..at, more.iter().copied());
            }
            Change::Drop(at, count) => {
                let at = place(at);
                bytes.drain(at..(at + count).min(bytes.len()));
            }
            Change::Repeat(at, count) => {
                let at = place(at);
                let again = bytes[at..(at + count).min(bytes.len())].to_vec();
                bytes.splice(at..at, again);
            }
            Change::Swap(one, other) => {
                // Whole lines: what comes too early, and what comes too late.
                let mut lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
                let (one, other) = (one.index(lines.len()), other.index(lines.len()));
                lines.swap(one, other);
                bytes = lines.join(&b'\n');
            }
            // In place of a value of JSON, if one begins there.
            Change::Word(at, word) => {
                let at = place(at);
                let colon = bytes[at..].iter().position(|byte| *byte == b':');
                let from = at + colon.map_or(0, |colon| colon + 1);
                let rest = &bytes[from..];
                let length = rest
                    .iter()
                    .position(|byte| matches!(byte, b',' | b'}' | b']'));
                let word = WORDS[word.index(WORDS.len())].bytes();
                bytes.splice(from..from + length.unwrap_or(0), word);
            }
        }
    }
    bytes
}

fn config() -> Config {
    Config {
        // A failure is for whoever sees it, not for the tree.
        failure_persistence: None,
        ..Config::default()
    }
}

/// A changed seed, as it travels.
fn wire(seed: &Seed, changes: &[Change]) -> Vec<u8> {
    let bytes = changed(&seed.text, changes);
    if seed.dialect != Dialect::Bedrock {
        return bytes;
    }
    let frames = bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| {
            let json: Option<serde_json::Value> = serde_json::from_slice(line).ok();
            let member = json
                .as_ref()
                .and_then(|json| json.as_object()?.iter().next());
            let (name, payload) = match member {
                Some((name, payload)) => (name.as_str(), payload.to_string().into_bytes()),
                None => ("contentBlockDelta", line.to_vec()),
            };
            let name: String = name.chars().take(30).collect();
            let exception = name.ends_with("Exception");
            let (about, kind) = if exception {
                (":exception-type", "exception")
            } else {
                (":event-type", "event")
            };
            trace::frame(&[(about, &name), (":message-type", kind)], &payload)
        });
    frames.flatten().collect()
}

fn pieces(bytes: &[u8], size: usize, content_type: &str) -> Vec<Bytes> {
    let mut splitter = splitter(content_type);
    let mut found = Vec::new();
    for piece in bytes.chunks(size.max(1)) {
        match splitter.push(Bytes::copy_from_slice(piece)) {
            Ok(events) => found.extend(events.iter()),
            Err(_) => return found,
        }
    }
    found.extend(splitter.finish().ok().flatten());
    found
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn events_are_the_same_however_a_stream_is_split(
        seed in any::<Index>(), changes in changes(), size in 1usize..300,
    ) {
        let seed = &STREAMS[seed.index(STREAMS.len())];
        let bytes = wire(seed, &changes);
        let kind = stream_type(seed.dialect);
        prop_assert_eq!(pieces(&bytes, bytes.len(), kind), pieces(&bytes, size, kind));
    }

    #[test]
    fn a_reader_tells_events_in_their_order(seed in any::<Index>(), changes in changes()) {
        let seed = &STREAMS[seed.index(STREAMS.len())];
        let bytes = wire(seed, &changes);
        let to = destination(seed.dialect, true);
        let mut reader = upstream(seed.dialect).reader(&to);
        let mut events = Vec::new();
        let heard = pieces(&bytes, bytes.len(), stream_type(seed.dialect));
        if heard.iter().all(|event| reader.event(event, &mut events).is_ok()) {
            reader.end(&mut events);
        }
        let mut place = Place::default();
        for event in &events {
            place = place.after(event).map_err(|why| TestCaseError::fail(format!("{why}: {events:#?}")))?;
        }
    }

    #[test]
    fn a_caller_gets_events_that_can_be_read(
        seed in any::<Index>(), changes in changes(), from in any::<Index>(),
    ) {
        let seed = &STREAMS[seed.index(STREAMS.len())];
        let from = CALLERS[from.index(CALLERS.len())];
        let bytes = wire(seed, &changes);
        let wanted = question(from, true);
        let reader = upstream(seed.dialect).reader(&destination(seed.dialect, true));
        let writer = caller(from).writer(&asked(&wanted));
        let mut converter = Converter::new(reader, writer, Renames::default());
        let mut out = Vec::new();
        for event in pieces(&bytes, bytes.len(), stream_type(seed.dialect)) {
            match converter.event(&event) {
                Verdict::Replace(more) => out.extend_from_slice(&more),
                Verdict::Fail(_) => break,
                Verdict::Pass | Verdict::Drop => {}
            }
        }
        out.extend(converter.end().unwrap_or_default());
        let most = 100 * bytes.len() + 100_000;
        prop_assert!(out.len() < most, "{} of {}", out.len(), bytes.len());
        for line in std::str::from_utf8(&out).unwrap().lines() {
            let data = line.strip_prefix("data: ").filter(|data| *data != "[DONE]");
            if let Some(Err(error)) = data.map(serde_json::from_str::<IgnoredAny>) {
                return Err(TestCaseError::fail(format!("{error}: {line}")));
            }
        }
    }

    #[test]
    fn a_watcher_of_the_express_lane_sees_anything(
        seed in any::<Index>(), changes in changes(),
    ) {
        let callers: Vec<&Seed> =
            STREAMS.iter().filter(|seed| CALLERS.contains(&seed.dialect)).collect();
        let seed = callers[seed.index(callers.len())];
        let bytes = wire(seed, &changes);
        let mut watch = caller(seed.dialect).watch(&question(seed.dialect, true));
        for event in pieces(&bytes, bytes.len(), stream_type(seed.dialect)) {
            if let Verdict::Fail(_) = watch.event(&event) {
                break;
            }
        }
        watch.end();
    }

    #[test]
    fn a_plain_answer_is_read_or_not(
        seed in any::<Index>(), changes in changes(), status in 200u16..600, from in any::<Index>(),
    ) {
        let seed = &ANSWERS[seed.index(ANSWERS.len())];
        let from = CALLERS[from.index(CALLERS.len())];
        let bytes = changed(&seed.text, &changes);
        let side = upstream(seed.dialect);
        side.read_error(status, &HeaderMap::new(), &bytes);
        side.read_count(&bytes);
        if let Some(reply) = side.reply(&bytes, &destination(seed.dialect, false)) {
            let body = caller(from).write_reply(&reply, &asked(&question(from, false)));
            let read: Result<IgnoredAny, _> = serde_json::from_slice(&body);
            prop_assert!(read.is_ok(), "{}", String::from_utf8_lossy(&body));
        }
        if CALLERS.contains(&seed.dialect) {
            caller(seed.dialect).read_reply(&bytes);
        }
    }

    #[test]
    fn a_request_is_written_or_refused(
        seed in any::<Index>(), changes in changes(), to in any::<Index>(),
    ) {
        let seed = &REQUESTS[seed.index(REQUESTS.len())];
        let to = UPSTREAMS[to.index(UPSTREAMS.len())];
        let body = Bytes::from(changed(&seed.text, &changes));
        let side = caller(seed.dialect);
        let url = InUrl { model: Some("m".to_owned()), ..InUrl::default() };
        let Ok(wanted) = side.read(body, &url) else {
            return Ok(());
        };
        let Ok(request) = side.read_request(&wanted) else {
            return Ok(());
        };
        if let Ok(written) = upstream(to).write_request(&request, &destination(to, false)) {
            // Half a character in a text that nobody understands is the caller's own.
            let read: Result<IgnoredAny, _> = serde_json::from_slice(&written.body);
            prop_assert!(read.is_ok(), "{}", String::from_utf8_lossy(&written.body));
        }
        prop_assert!(side.express(&wanted, "m").is_ok());
    }
}

#[test]
fn every_trace_of_ours_is_a_seed() {
    assert!(STREAMS.len() > 80 && ANSWERS.len() > 60 && REQUESTS.len() >= 48);
    let used = STREAMS
        .iter()
        .filter(|seed| seed.dialect == Dialect::Bedrock)
        .count();
    assert!(used > 15, "{used}");
}
