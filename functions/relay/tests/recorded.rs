//! Every trace, to every caller: what the witness hears of the provider is what the caller hears,
//! whatever way the bytes are split, and wherever they end.

use http::{HeaderMap, HeaderValue};
use relay::dialects::convert::{Reader, Renames};
use relay::dialects::{Destination, Wanted};
use shared::domain::dialect::Dialect;
use witness::trace::{self, Trace};

use crate::stage::{
    self, CALLERS, Played, asked, caller, card_of, nothing, play, upstream, wanted,
};

/// Our own traces, and the recordings where there are any.
pub(crate) fn traces() -> Vec<Trace> {
    let mut traces = trace::answers(&trace::own("../../tests"));
    let recorded = trace::recorded("../..").into_iter();
    traces.extend(recorded.flat_map(|folder| trace::answers(&folder)));
    traces
}

fn destination(trace: &Trace) -> Destination<'static> {
    Destination {
        model: "up-model",
        stream: trace.stream,
        card: card_of(&trace.provider),
    }
}

/// A reader for the stream of a trace.
fn reader(trace: &Trace) -> Box<dyn Reader> {
    upstream(trace.dialect).reader(&destination(trace))
}

/// A question in a caller's dialect, of which nothing matters but how the answer comes.
pub(crate) fn question(from: Dialect, stream: bool) -> Wanted {
    let text = match from {
        Dialect::OpenaiChat => {
            r#"{"model":"house","messages":[{"role":"user","content":"Hello"}]}"#
        }
        Dialect::OpenaiResponses => r#"{"model":"house","input":"Hello"}"#,
        Dialect::Gemini => r#"{"contents":[{"role":"user","parts":[{"text":"Hello"}]}]}"#,
        _ => r#"{"model":"house","max_tokens":9,"messages":[{"role":"user","content":"Hello"}]}"#,
    };
    wanted(from, text, stream)
}

/// Whether the answer came as a stream.
pub(crate) fn is_stream(trace: &Trace) -> bool {
    let kinds = ["event-stream", "amazon.eventstream"];
    trace.status == 200 && kinds.iter().any(|kind| trace.content_type.contains(kind))
}

fn convert<'a>(trace: &Trace, from: Dialect, pieces: impl Iterator<Item = &'a [u8]>) -> Played {
    play(
        caller(from),
        reader(trace),
        &question(from, true),
        pieces,
        &trace.content_type,
    )
}

/// Traces that come as streams and need no unwrapping before.
fn streams() -> Vec<Trace> {
    let streams = traces().into_iter().filter(is_stream);
    streams.filter(|trace| !trace.wrapped).collect()
}

#[test]
fn every_caller_hears_what_the_witness_hears() {
    let mut wrong = Vec::new();
    for trace in streams() {
        let said = witness::of(&trace);
        for from in CALLERS {
            let played = convert(&trace, from, std::iter::once(&trace.body[..]));
            let heard = witness::stream(from, "", &played.out);
            let name = format!("{} to {from}", trace.name);
            wrong.extend(witness::compare(&name, &said, from, &heard).err());
        }
    }
    nothing(&wrong);
}

#[test]
fn every_caller_hears_plain_answers_as_the_witness_does() {
    let mut wrong = Vec::new();
    for trace in traces().iter().filter(|trace| !is_stream(trace)) {
        let said = witness::of(trace);
        let to = destination(trace);
        let reply = (trace.status == 200).then(|| upstream(trace.dialect).reply(&trace.body, &to));
        let Some(mut reply) = reply.flatten() else {
            let mut headers = HeaderMap::new();
            for (name, value) in &trace.headers {
                let name = name.parse::<http::HeaderName>().unwrap();
                headers.insert(name, HeaderValue::from_str(value).unwrap());
            }
            let error = upstream(trace.dialect).read_error(trace.status, &headers, &trace.body);
            let status = error.map_or(trace.status, |error| error.status);
            wrong.extend(witness::compare_error(&trace.name, &said, status).err());
            continue;
        };
        Renames::default().apply(&mut reply);
        for from in CALLERS {
            let wanted = question(from, false);
            let body = caller(from).write_reply(&reply, &asked(&wanted));
            let heard = witness::plain(from, "", &body);
            let name = format!("{} to {from}", trace.name);
            wrong.extend(witness::compare(&name, &said, from, &heard).err());
        }
    }
    nothing(&wrong);
}

#[test]
fn it_makes_no_difference_how_the_bytes_are_split() {
    for trace in streams() {
        for from in CALLERS {
            let whole = convert(&trace, from, std::iter::once(&trace.body[..]));
            for size in [1, 2, 7, 64, 1021] {
                let split = convert(&trace, from, trace.body.chunks(size));
                let name = format!("{} to {from}, every {size} bytes", trace.name);
                assert_eq!(text(&split.out), text(&whole.out), "{name}");
                assert_eq!(split.error, whole.error, "{name}");
                assert_eq!(split.seen, whole.seen, "{name}");
            }
        }
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn a_stream_that_is_cut_never_pretends_to_end() {
    let mut wrong = Vec::new();
    for trace in streams() {
        // Every place would take long for long ones, and most of them lie within the same event.
        let step = trace.body.len().div_ceil(97);
        for end in (0..trace.body.len()).step_by(step) {
            let body = &trace.body[..end];
            let said = witness::stream(trace.dialect, &trace.provider, body);
            for from in CALLERS {
                let played = convert(&trace, from, std::iter::once(body));
                let heard = witness::stream(from, "", &played.out);
                let name = format!("{} to {from}, cut after {end} bytes", trace.name);
                if played.seen.complete != said.finish.is_some() {
                    wrong.push(format!("{name}: {:?} for {said:?}", played.seen));
                }
                wrong.extend(witness::compare(&name, &said, from, &heard).err());
            }
        }
    }
    nothing(&wrong);
}

#[test]
fn every_reader_keeps_the_order_of_events() {
    for trace in streams() {
        stage::events(reader(&trace), &trace.body, &trace.content_type);
    }
}
