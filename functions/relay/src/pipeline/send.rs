//! Admitted + Itinerary → Delivered: tries one stop after the other until one answers.
//!
//! Nothing has reached the caller yet, so another channel may be asked: until the first event of a
//! stream, or the whole of a plain answer.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;
use secrecy::SecretString;
use shared::domain::channel::Channel;
use shared::domain::dialect::Lane;
use shared::domain::id::ChannelId;
use shared::domain::record::Attempt;
use tokio::time::timeout;

use super::Call;
use super::admit::Admitted;
use super::interpret::Interpreter;
use super::listen::{Ear, Listening, Lost};
use super::route::Itinerary;
use super::setback::{Refusal, Setback, returned};
use super::translate::{Translated, translate};
use crate::app::App;
use crate::dialects::envelope::fireworks;
use crate::dialects::watch::Seen;
use crate::upstream::{Answer, milliseconds};

/// The longest plain answer that is taken, in bytes: images in base64 are the longest there are.
const LONGEST_ANSWER: usize = 64 * 1024 * 1024;
/// When a call must have ended, in milliseconds after it arrived: a minute before Lambda ends it.
const LONGEST_CALL_MS: i64 = 14 * 60 * 1_000;
/// The longest error that is read, in bytes.
const LONGEST_ERROR: usize = 256 * 1024;

/// A call on its way.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) call: Arc<Call>,
    pub(super) admitted: Admitted,
    pub(super) attempts: Vec<Attempt>,
    /// The stop that was tried last.
    pub(super) stop: Option<Stop>,
    pub(super) itinerary: Itinerary,
    /// How many ids of charges that are due are burnt.
    pub(super) burnt: u8,
}

/// A channel that was tried.
#[derive(Debug, Clone)]
pub(super) struct Stop {
    pub(super) channel_id: ChannelId,
    pub(super) provider: String,
    pub(super) upstream_model: String,
    pub(super) lane: Lane,
    pub(super) idle: Duration,
    /// The caller's members that the provider did not get.
    pub(super) dropped: Vec<String>,
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Outcome {
    /// A whole answer.
    Plain(Box<Plain>),
    /// The beginning of a stream: its first bytes, and the rest as it comes.
    Stream {
        /// The first bytes, with the first event in them.
        head: Bytes,
        /// The headers for the caller.
        headers: HeaderMap,
        /// The rest.
        rest: Box<Listening>,
    },
    /// No channel answered.
    No(Box<Setback>),
}

/// A whole answer.
#[derive(Debug)]
pub(super) struct Plain {
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) seen: Seen,
}

/// A call, and what came of it.
#[derive(Debug)]
pub(super) struct Delivered {
    pub(super) delivery: Delivery,
    pub(super) outcome: Outcome,
}

impl Delivery {
    pub(super) fn new(call: Arc<Call>, admitted: Admitted, itinerary: Itinerary) -> Self {
        Self {
            call,
            admitted,
            attempts: Vec::new(),
            stop: None,
            itinerary,
            burnt: 0,
        }
    }
}

impl Delivery {
    /// The caller's members that the provider did not get, if any, as a header tells them.
    pub(super) fn dropped(&self) -> Option<HeaderValue> {
        const LONGEST: usize = 1_000;
        let words = self.stop.as_ref()?.dropped.join(",");
        let words: String = words
            .chars()
            .filter(|c| c.is_ascii_graphic())
            .take(LONGEST)
            .collect();
        HeaderValue::from_str(&words)
            .ok()
            .filter(|words| !words.is_empty())
    }
}

pub(super) async fn deliver(app: App, mut delivery: Delivery) -> Delivered {
    let mut last = Setback::no_channel();
    for channel in std::mem::take(&mut delivery.itinerary.0) {
        let began_ms = app.clock.now_ms();
        let tried = attempt(&app, &mut delivery, &channel).await;
        let (outcome, http_status) = match &tried {
            Ok(_) => ("ok".to_owned(), Some(200)),
            Err(setback) => (setback.failure.code.to_string(), setback.http_status),
        };
        let ms = u64::try_from(app.clock.now_ms() - began_ms).unwrap_or(0);
        delivery.attempts.push(Attempt {
            channel_id: channel.id,
            outcome,
            http_status,
            ms,
        });
        match tried {
            Ok(outcome) => return Delivered { delivery, outcome },
            Err(setback) => {
                let elsewhere = setback.elsewhere;
                last = setback;
                if !elsewhere {
                    break;
                }
            }
        }
    }
    Delivered {
        delivery,
        outcome: Outcome::No(Box::new(last)),
    }
}

async fn attempt(
    app: &App,
    delivery: &mut Delivery,
    channel: &Channel,
) -> Result<Outcome, Setback> {
    let call = Arc::clone(&delivery.call);
    let translated = translate(app, &call, &delivery.admitted, channel).await;
    let Translated {
        mut letter,
        credential,
        interpreter,
        dropped,
    } = translated.map_err(Setback::untranslated)?;
    let left_ms = call.began_ms + LONGEST_CALL_MS - app.clock.now_ms();
    let left_ms = u32::try_from(left_ms).map_err(|_| Setback::too_late())?;
    letter.timeouts.total_ms = letter.timeouts.total_ms.min(left_ms);
    letter.timeouts.first_byte_ms = letter.timeouts.first_byte_ms.min(left_ms);
    delivery.stop = Some(Stop {
        channel_id: channel.id,
        provider: channel.provider.clone(),
        upstream_model: interpreter.model.clone(),
        lane: interpreter.lane,
        idle: milliseconds(channel.timeouts.idle_ms),
        dropped,
    });
    let answer = app.upstream.send(&letter).await?;
    let hearing = Hearing {
        now: app.clock.now(),
        call: &call,
        admitted: &delivery.admitted,
        interpreter: &interpreter,
        channel,
        credential: &credential,
    };
    if !answer.status.is_success() {
        return Err(hearing.refusal(answer).await);
    }
    if delivery.admitted.wanted.stream {
        hearing.stream(answer).await
    } else {
        hearing.plain(answer).await
    }
}

/// What is needed to understand an answer.
struct Hearing<'a> {
    now: Timestamp,
    call: &'a Call,
    admitted: &'a Admitted,
    interpreter: &'a Interpreter,
    channel: &'a Channel,
    credential: &'a SecretString,
}

impl Hearing<'_> {
    fn ear(&self) -> Ear {
        Ear {
            credential: self.credential.clone(),
            verbatim: self.interpreter.is_verbatim(),
        }
    }

    /// Waits for the first event: an error in its place is a refusal like any other.
    async fn stream(&self, answer: Answer) -> Result<Outcome, Setback> {
        let events = content_type(&answer.headers).is_none_or(|kind| !kind.contains("json"));
        if !events {
            return self.no_stream(answer).await;
        }
        let headers = returned(&answer.headers);
        let mut rest = Box::new(Listening::new(
            answer.body,
            self.interpreter.splitter(),
            self.interpreter.watch(self.call, self.admitted),
            self.ear(),
        ));
        let mut head = BytesMut::new();
        let patience = milliseconds(self.channel.timeouts.first_byte_ms);
        let first = timeout(patience, async {
            while !rest.seen().began {
                match rest.next().await? {
                    Some(bytes) => head.extend_from_slice(&bytes),
                    None => return Ok(false),
                }
            }
            Ok::<_, Lost>(true)
        });
        match first.await {
            Err(_) => Err(Setback::too_late()),
            Ok(Ok(true)) => Ok(Outcome::Stream {
                head: head.freeze(),
                headers,
                rest,
            }),
            Ok(Ok(false)) => Err(Setback::garbage("an empty stream", 200)),
            Ok(Err(Lost::Said { error, .. })) => Err(Setback::said(&error, self.credential)),
            Ok(Err(Lost::Garbage(_))) => Err(Setback::garbage("an endless event", 200)),
            Ok(Err(Lost::Broken(error))) => Err(Setback::broken(error)),
        }
    }

    async fn plain(&self, answer: Answer) -> Result<Outcome, Setback> {
        let (headers, told) = (returned(&answer.headers), answer.headers.clone());
        let body = self.read(answer, LONGEST_ANSWER).await?;
        let Some((body, mut seen)) = self.interpreter.plain(&body, self.call, self.admitted) else {
            return Err(self.no_answer(&body));
        };
        let with_cached = |usage| fireworks::with_cached(usage, &told);
        seen.tokens = seen.tokens.map(with_cached);
        Ok(Outcome::Plain(Box::new(Plain {
            headers,
            body,
            seen,
        })))
    }

    /// A body that should have been a stream: an error inside a 200, or an answer all at once.
    async fn no_stream(&self, answer: Answer) -> Result<Outcome, Setback> {
        let headers = returned(&answer.headers);
        let body = self.read(answer, LONGEST_ANSWER).await?;
        let streamed = self.interpreter.streamed(&body, self.call, self.admitted);
        let (body, seen) = streamed.ok_or_else(|| self.no_answer(&body))?;
        Ok(Outcome::Plain(Box::new(Plain {
            headers,
            body,
            seen,
        })))
    }

    fn no_answer(&self, body: &[u8]) -> Setback {
        match self.interpreter.error(200, &HeaderMap::new(), body) {
            Some(error) => Setback::said(&error, self.credential),
            None => Setback::garbage("something that is no answer", 200),
        }
    }

    async fn refusal(&self, answer: Answer) -> Setback {
        let (status, headers) = (answer.status, answer.headers.clone());
        let body = self.read(answer, LONGEST_ERROR).await.unwrap_or_default();
        let error = self.interpreter.error(status.as_u16(), &headers, &body);
        let refusal = Refusal {
            status,
            headers: &headers,
            body: &body,
            error,
            verbatim: self.interpreter.is_verbatim(),
            credential: self.credential,
        };
        Setback::refused(refusal, self.now)
    }

    async fn read(&self, answer: Answer, longest: usize) -> Result<Bytes, Setback> {
        whole(answer, longest, milliseconds(self.channel.timeouts.idle_ms)).await
    }
}

/// The whole body of an answer, bounded in length and in silence.
pub(super) async fn whole(
    mut answer: Answer,
    longest: usize,
    idle: Duration,
) -> Result<Bytes, Setback> {
    let mut all = BytesMut::new();
    loop {
        match timeout(idle, answer.body.next()).await {
            Err(_) => return Err(Setback::too_late()),
            Ok(None) => return Ok(all.freeze()),
            Ok(Some(Err(error))) => return Err(Setback::broken(error)),
            Ok(Some(Ok(piece))) if all.len() + piece.len() > longest => {
                return Err(Setback::garbage(
                    "an endless answer",
                    answer.status.as_u16(),
                ));
            }
            Ok(Some(Ok(piece))) => all.extend_from_slice(&piece),
        }
    }
}

fn content_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(CONTENT_TYPE)?.to_str().ok()
}
