//! A case through every lane that it can take, and what each of them makes of it.

use bytes::Bytes;
use relay::dialects::convert::Reader;
use relay::dialects::envelope::bedrock::{Unwrapped, UnwrappedReader};
use relay::dialects::neutral::Reply;
use relay::dialects::watch::{Seen, Watch};
use relay::dialects::{Destination, Wanted};
use shared::domain::dialect::Dialect;
use shared::domain::usage::Usage;

use super::case::Case;
use super::wire;
use crate::recorded::question;
use crate::stage::{CALLERS, Played, asked, caller, card_of, hear, play, stream_type, upstream};

/// What a lane makes of a case: its name, and the usage that is billed.
pub(super) type Reading = (String, Option<Usage>);

/// What is billed, in every lane, whole and streamed.
pub(super) fn readings(case: &Case) -> Vec<Reading> {
    let mut found = Vec::new();
    if let Some(body) = wire::plain(case) {
        if is_spoken_by_callers(case.dialect) {
            let seen = caller(case.dialect).read_reply(&body);
            found.push(("express, whole".to_owned(), billed(seen)));
        }
        if case.dialect != Dialect::OpenaiCompletions {
            let tokens = reply(case, &body).and_then(|reply| reply.tokens);
            let seen = Seen {
                tokens,
                ..Seen::default()
            };
            found.push(("converted, whole".to_owned(), seen.believed()));
        }
    }
    if let Some(body) = wire::stream(case) {
        if is_spoken_by_callers(case.dialect) {
            let seen = watched(case.dialect, &body, case.invoked);
            found.push(("express, streamed".to_owned(), seen.believed()));
        }
        for (from, played) in converted(case, &body) {
            let lane = format!("streamed to {from}");
            found.push((lane, played.seen.believed()));
        }
    }
    found
}

/// What callers are told in their own dialects, read again.
pub(super) fn told_to_callers(case: &Case) -> Vec<Reading> {
    let mut found = Vec::new();
    if let Some(reply) = wire::plain(case).and_then(|body| reply(case, &body)) {
        for from in CALLERS {
            let wanted = question(from, false);
            let body = caller(from).write_reply(&reply, &asked(&wanted));
            let told = billed(caller(from).read_reply(&body));
            found.push((format!("{from}, whole"), told));
        }
    }
    if let Some(body) = wire::stream(case) {
        // Who is told that an answer broke off is not told what it took.
        let whole = converted(case, &body).into_iter();
        for (from, played) in whole.filter(|(_, played)| played.error.is_none()) {
            let told = watched(from, &played.out, false).believed();
            found.push((format!("{from}, streamed"), told));
        }
    }
    found
}

fn billed(seen: Option<Seen>) -> Option<Usage> {
    seen.and_then(|seen| seen.believed())
}

fn is_spoken_by_callers(dialect: Dialect) -> bool {
    CALLERS.contains(&dialect) || dialect == Dialect::OpenaiCompletions
}

fn destination(case: &Case, stream: bool) -> Destination<'_> {
    Destination {
        model: &case.model,
        stream,
        card: card_of(&case.provider),
    }
}

fn reply(case: &Case, body: &[u8]) -> Option<Reply> {
    if case.dialect == Dialect::OpenaiCompletions {
        return None;
    }
    upstream(case.dialect).reply(body, &destination(case, false))
}

/// A stream as a caller of its own dialect has it.
fn watched(dialect: Dialect, body: &[u8], invoked: bool) -> Seen {
    let wanted = asking(dialect);
    let mut watch = caller(dialect).watch(&wanted);
    let mut kind = stream_type(dialect);
    if invoked {
        watch = Box::new(Unwrapped::new(watch));
        kind = stream_type(Dialect::Bedrock);
    }
    let heard = hear(std::iter::once(body), kind, |event: Bytes| {
        watch.event(&event);
        true
    });
    heard.unwrap();
    Watch::end(watch.as_mut());
    watch.seen().clone()
}

fn asking(dialect: Dialect) -> Wanted {
    match dialect {
        Dialect::OpenaiCompletions => {
            let body = r#"{"model":"house","prompt":"Hello"}"#;
            crate::stage::wanted(dialect, body, true)
        }
        _ => question(dialect, true),
    }
}

/// A stream as callers of every dialect have it through the neutral form.
fn converted(case: &Case, body: &[u8]) -> Vec<(Dialect, Played)> {
    if case.dialect == Dialect::OpenaiCompletions {
        return Vec::new();
    }
    let played = CALLERS.into_iter().map(|from| {
        let mut reader: Box<dyn Reader> = upstream(case.dialect).reader(&destination(case, true));
        let mut kind = stream_type(case.dialect);
        if case.invoked {
            reader = Box::new(UnwrappedReader::new(reader));
            kind = stream_type(Dialect::Bedrock);
        }
        let wanted = question(from, true);
        let pieces = std::iter::once(body);
        (from, play(caller(from), reader, &wanted, pieces, kind))
    });
    played.collect()
}
