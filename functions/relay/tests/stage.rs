//! What the proofs share: both sides of a conversion, played without a socket.

use bytes::Bytes;
use relay::dialects::convert::{Converter, Reader, Renames};
use relay::dialects::neutral::order::Place;
use relay::dialects::neutral::{Event, Reply};
use relay::dialects::watch::{Seen, Verdict, Watch};
use relay::dialects::{
    self, Asked, CallerSide, Destination, InUrl, ProviderSide, UpstreamError, Wanted, Written, sse,
};
use relay::upstream::framing::Splitter;
use relay::upstream::framing::event_stream;
use shared::domain::dialect::Dialect;
use shared::domain::id::RequestId;
use shared::domain::provider::{self, Provider};
use shared::failure::{Failure, Kind};

/// The media type of AWS's frames.
const MEDIA_TYPE: &str = "application/vnd.amazon.eventstream";

/// The dialects that callers speak.
pub(crate) const CALLERS: [Dialect; 4] = [
    Dialect::OpenaiChat,
    Dialect::OpenaiResponses,
    Dialect::Anthropic,
    Dialect::Gemini,
];
/// The dialects that providers speak, of which the matrix is made.
pub(crate) const UPSTREAMS: [Dialect; 5] = [
    Dialect::OpenaiChat,
    Dialect::OpenaiResponses,
    Dialect::Anthropic,
    Dialect::Gemini,
    Dialect::Bedrock,
];

/// When every call of the proofs comes.
const AT_S: u64 = 1_800_000_000;

/// The id of every call of the proofs.
pub(crate) fn id() -> RequestId {
    "01J00000000000000000000000".parse().unwrap()
}

/// The side of a dialect that callers see.
pub(crate) fn caller(dialect: Dialect) -> &'static dyn CallerSide {
    dialects::caller(dialect)
}

/// The side of a dialect that providers see.
pub(crate) fn upstream(dialect: Dialect) -> &'static dyn ProviderSide {
    dialects::provider(dialect)
}

/// Where requests of a dialect go: to a usual model of its vendor.
pub(crate) fn destination(dialect: Dialect, stream: bool) -> Destination<'static> {
    let (card, model) = match dialect {
        Dialect::OpenaiChat | Dialect::OpenaiCompletions => ("openai", "gpt-4.1"),
        Dialect::OpenaiResponses => ("openai", "gpt-5"),
        Dialect::Anthropic => ("anthropic", "claude-sonnet-4-5"),
        Dialect::Gemini => ("gemini", "gemini-2.5-pro"),
        Dialect::Bedrock => ("bedrock", "anthropic.claude-sonnet-4-5-20250929-v1:0"),
        _ => ("cohere", "command-a"),
    };
    Destination {
        model,
        stream,
        card: card_of(card),
    }
}

/// A provider's card; any compatible server's for one that has none.
pub(crate) fn card_of(name: &str) -> &'static Provider {
    let known = provider::find(name).or_else(|| provider::find("openai-compatible"));
    known.unwrap()
}

/// A caller's request, as the pipeline has it. `body` is the text of a JSON object.
pub(crate) fn wanted(dialect: Dialect, body: &str, stream: bool) -> Wanted {
    let in_url = dialect == Dialect::Gemini;
    let url = InUrl {
        model: in_url.then(|| "house".to_owned()),
        stream: stream && in_url,
        events: in_url,
        counting: false,
    };
    let added = match dialect {
        Dialect::Gemini => "{",
        // Its callers must say that they want to hear of usage.
        Dialect::OpenaiChat => r#"{"stream":true,"stream_options":{"include_usage":true},"#,
        _ => r#"{"stream":true,"#,
    };
    let streamed = body.replacen('{', added, 1);
    let body = if stream { streamed } else { body.to_owned() };
    caller(dialect).read(Bytes::from(body), &url).unwrap()
}

/// The same as [`wanted`], converted.
pub(crate) fn converted(wanted: &Wanted, from: Dialect, to: Dialect) -> Result<Written, Failure> {
    let request = caller(from).read_request(wanted)?;
    upstream(to).write_request(&request, &destination(to, wanted.stream))
}

/// What an answer to a request is written for.
pub(crate) fn asked(wanted: &Wanted) -> Asked<'_> {
    Asked {
        wanted,
        id: id(),
        at_s: AT_S,
    }
}

/// A stream on its way.
pub(crate) struct Played {
    /// What the caller got.
    pub(crate) out: Vec<u8>,
    /// What the provider said no with.
    pub(crate) error: Option<UpstreamError>,
    pub(crate) seen: Seen,
}

/// Plays a stream through a conversion, in these pieces, as the pipeline does; what breaks off ends
/// with the caller's own event.
pub(crate) fn play<'a>(
    caller: &dyn CallerSide,
    reader: Box<dyn Reader>,
    wanted: &Wanted,
    pieces: impl Iterator<Item = &'a [u8]>,
    content_type: &str,
) -> Played {
    let writer = caller.writer(&asked(wanted));
    let mut converter = Converter::new(reader, writer, Renames::default());
    let mut out = Vec::new();
    let mut error = None;
    let heard = hear(pieces, content_type, |event| {
        match converter.event(&event) {
            Verdict::Pass => panic!("nothing passes a conversion"),
            Verdict::Drop => true,
            Verdict::Replace(bytes) => {
                out.extend_from_slice(&bytes);
                true
            }
            Verdict::Fail(why) => {
                error = Some(why);
                false
            }
        }
    });
    if error.is_none() {
        out.extend(converter.end().unwrap_or_default());
    }
    let seen = converter.seen().clone();
    if !seen.complete {
        let failure = match (&error, heard) {
            (Some(error), _) => failure(error),
            (None, Ok(())) => Failure::new(Kind::BadGateway, "provider_broke_off", "It was cut."),
            (None, Err(())) => Failure::new(Kind::BadGateway, "provider_garbage", "It is damaged."),
        };
        let words = converter.fail(&failure, id());
        out.extend(words.unwrap_or_else(|| caller.write_error_event(&failure, id())));
    }
    Played { out, error, seen }
}

/// What finds events in streams of that type.
pub(crate) fn splitter(content_type: &str) -> Splitter {
    if content_type == MEDIA_TYPE {
        Splitter::EventStream(event_stream::Splitter::default())
    } else {
        Splitter::default()
    }
}

/// Finds the events in pieces of a stream, for as long as they are wanted.
///
/// # Errors
/// When it is damaged.
pub(crate) fn hear<'a>(
    pieces: impl Iterator<Item = &'a [u8]>,
    content_type: &str,
    mut listen: impl FnMut(Bytes) -> bool,
) -> Result<(), ()> {
    let mut splitter = splitter(content_type);
    for piece in pieces {
        let events = splitter.push(Bytes::copy_from_slice(piece)).map_err(drop)?;
        for event in events.iter() {
            if !listen(event) {
                return Ok(());
            }
        }
    }
    let last = splitter.finish().map_err(drop)?;
    if let Some(event) = last.filter(|last| sse::is_whole(last)) {
        listen(event);
    }
    Ok(())
}

/// Says all that is wrong, and not only what is wrong first.
#[track_caller]
pub(crate) fn nothing(wrong: &[String]) {
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// The events that a reader finds in a stream, and how it failed. They must be in order.
#[track_caller]
pub(crate) fn events(
    mut reader: Box<dyn Reader>,
    body: &[u8],
    content_type: &str,
) -> (Vec<Event>, Option<UpstreamError>) {
    let mut found = Vec::new();
    let mut error = None;
    let heard = hear(std::iter::once(body), content_type, |event| {
        error = reader.event(&event, &mut found).err();
        error.is_none()
    });
    if heard.is_ok() && error.is_none() {
        reader.end(&mut found);
    }
    let mut place = Place::default();
    for (at, event) in found.iter().enumerate() {
        place = place
            .after(event)
            .unwrap_or_else(|why| panic!("{why}: {at}. of {found:#?}"));
    }
    (found, error)
}

/// A whole answer as text, to compare it with another: raw JSON has no equality of its own.
pub(crate) fn told(reply: &Reply) -> String {
    format!("{reply:#?}")
}

/// How a provider's words are said to a caller, as the pipeline does.
pub(crate) fn failure(error: &UpstreamError) -> Failure {
    let (kind, code) = match error.status {
        404 => (Kind::Missing, "provider_not_found"),
        413 => (Kind::TooLarge, "provider_too_large"),
        429 => (Kind::RateLimited, "provider_rate_limited"),
        503 | 529 => (Kind::Unavailable, "provider_overloaded"),
        408 | 504 => (Kind::Timeout, "provider_timeout"),
        400 | 405..=499 => (Kind::BadRequest, "provider_refused"),
        _ => (Kind::BadGateway, "provider_error"),
    };
    Failure::new(kind, code, error.message.clone())
}

/// The media type of a dialect's streams.
pub(crate) fn stream_type(dialect: Dialect) -> &'static str {
    if dialect == Dialect::Bedrock {
        MEDIA_TYPE
    } else {
        "text/event-stream"
    }
}
