//! Delivery → body for the caller, byte by byte as it comes; it settles in its tail.
//!
//! The last event of a stream waits for the books: who has seen the end finds the call in them.
//! The body never fails: whatever goes wrong becomes the dialect's own error, for Lambda's runtime
//! would write an error of ours into the body as text. A silence longer than the keep-alive is
//! filled, and commits to status 200. A body that nobody reads any more is read to its end by the
//! process, so that the bill does not depend on when the caller left.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use futures_util::stream;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use secrecy::SecretString;
use shared::domain::record::Status;
use shared::failure::{Failure, Kind};
use tokio::time::{Instant, timeout};
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::Call;
use super::listen::Lost;
use super::refusal::{self, admission_headers, beside, refuse};
use super::send::{Delivered, Delivery, Outcome, Plain, deliver};
use super::setback::Setback;
use super::settle::{Ending, settle};
use super::speech::{Form, Gone, Heard, NEVER, Speech};
use crate::app::App;
use crate::dialects::watch::Seen;
use crate::dialects::{self, CallerSide};

/// Names the members of a request that the provider did not get.
const DROPPED: HeaderName = HeaderName::from_static("x-tollhouse-dropped");

/// What is said to a caller, one piece after the other.
struct Talk {
    app: App,
    call: Arc<Call>,
    form: Form,
    keepalive: Duration,
    /// Whether nothing was said for as long as may be, before anything could be.
    silent_already: bool,
    /// The status that the caller has seen.
    told: StatusCode,
    /// What admission tells with every answer.
    admission: HeaderMap,
    stage: Stage,
}

enum Stage {
    /// No provider has answered yet.
    Waiting(Pin<Box<dyn Future<Output = Delivered> + Send>>),
    /// A provider speaks.
    Speaking(Box<Speech>),
    /// Everything is heard: the last words, then the books.
    Closing(Box<Closing>),
    /// The books are written: the end of the answer, if it waited for them.
    Settled(Option<Bytes>),
}

struct Closing {
    delivery: Delivery,
    last_words: Option<Bytes>,
    ending: Ending,
    farewell: Option<Bytes>,
}

/// The answer to a call that was admitted.
pub(super) async fn answer(app: App, delivery: Delivery) -> Response {
    let call = Arc::clone(&delivery.call);
    let form = Form::of(&delivery.admitted.wanted);
    let keepalive_ms = delivery
        .admitted
        .snapshot
        .configuration
        .settings
        .keepalive_ms;
    let keepalive = if keepalive_ms == 0 {
        NEVER
    } else {
        Duration::from_millis(keepalive_ms)
    };
    let (room, lowered) = (delivery.admitted.room, delivery.admitted.lowered);
    let admission = admission_headers(&call, room.as_ref(), lowered);
    let mut waiting = Box::pin(deliver(app.clone(), delivery));
    let talk = |stage, silent_already| Talk {
        app,
        call: Arc::clone(&call),
        form,
        keepalive,
        silent_already,
        told: StatusCode::OK,
        admission,
        stage,
    };
    match timeout(keepalive, &mut waiting).await {
        Ok(delivered) => talk(Stage::Settled(None), false).begin(delivered).await,
        Err(_) => {
            let talk = talk(Stage::Waiting(waiting), true);
            let headers = talk.head(HeaderMap::new());
            talk.into_response(StatusCode::OK, headers)
        }
    }
}

impl Talk {
    /// Answers with the status that the delivery deserves.
    async fn begin(mut self, delivered: Delivered) -> Response {
        let dropped = delivered.delivery.dropped();
        let (status, headers) = match &delivered.outcome {
            Outcome::No(setback) => {
                let answer = self.no(setback);
                let ending = Ending::failed(&setback.failure, answer.status());
                let mut delivery = delivered.delivery;
                settle(&self.app, &mut delivery, &ending).await;
                return answer;
            }
            Outcome::Plain(plain) => (StatusCode::OK, plain.headers.clone()),
            Outcome::Stream { headers, .. } => (StatusCode::OK, headers.clone()),
        };
        self.take(delivered);
        let mut headers = self.head(headers);
        headers.extend(dropped.map(|words| (DROPPED, words)));
        self.into_response(status, headers)
    }

    /// The answer that says no: in the provider's own words, where the caller may hear them.
    fn no(&self, setback: &Setback) -> Response {
        let mut answer = refuse(self.dialect(), self.call.id, &setback.failure);
        let own = std::mem::take(answer.headers_mut());
        *answer.headers_mut() = beside(self.admission.clone(), own);
        if let Some(verbatim) = &setback.verbatim {
            *answer.status_mut() = verbatim.status;
            let own = std::mem::take(answer.headers_mut());
            *answer.headers_mut() = beside(own, verbatim.headers.clone());
            *answer.body_mut() = verbatim.body.clone();
        }
        answer.map(Body::from)
    }

    fn into_response(self, status: StatusCode, headers: HeaderMap) -> Response {
        let owner = Owner {
            in_flight: self.app.calls.token(),
            talk: Some(self),
        };
        let pieces = stream::unfold(owner, |mut owner| async move {
            let piece = owner.talk.as_mut()?.next().await?;
            Some((Ok::<_, Infallible>(piece), owner))
        });
        let mut response = Response::new(Body::from_stream(pieces));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response
    }

    /// The headers of an answer.
    fn head(&self, from_provider: HeaderMap) -> HeaderMap {
        let mut headers = refusal::headers(self.call.id);
        if self.form == Form::Events {
            let events = HeaderValue::from_static("text/event-stream; charset=utf-8");
            headers.insert(CONTENT_TYPE, events);
        }
        if self.form != Form::Plain {
            let live = HeaderValue::from_static("no-cache, no-transform");
            headers.insert(CACHE_CONTROL, live);
            headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
        }
        headers.extend(self.admission.clone());
        beside(headers, from_provider)
    }

    fn dialect(&self) -> &'static dyn CallerSide {
        dialects::caller(self.call.dialect)
    }

    /// What has passed since the call arrived, in milliseconds.
    fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.app.clock.now_ms() - self.call.began_ms).unwrap_or(0)
    }

    /// The next piece; `None` when everything is said and settled. Whoever stops waiting loses
    /// nothing, and may ask again.
    async fn next(&mut self) -> Option<Bytes> {
        if std::mem::take(&mut self.silent_already) {
            return Some(self.filler());
        }
        loop {
            match &mut self.stage {
                Stage::Waiting(delivered) => match timeout(self.keepalive, delivered).await {
                    Ok(delivered) => self.take(delivered),
                    Err(_) => return Some(self.filler()),
                },
                Stage::Speaking(speech) => {
                    let heard = match speech.head.take() {
                        Some(head) => Heard::Piece(head),
                        None => speech.listen(self.keepalive).await,
                    };
                    if let Some(piece) = self.pass_on(heard) {
                        return Some(piece);
                    }
                }
                Stage::Closing(closing) => {
                    if let Some(words) = closing.last_words.take() {
                        return Some(words);
                    }
                    settle(&self.app, &mut closing.delivery, &closing.ending).await;
                    self.stage = Stage::Settled(closing.farewell.take());
                }
                Stage::Settled(farewell) => return farewell.take(),
            }
        }
    }

    /// Goes on with what a delivery brought, after status 200.
    fn take(&mut self, delivered: Delivered) {
        let ttfb_ms = Some(self.elapsed_ms());
        let Delivered { delivery, outcome } = delivered;
        self.stage = match outcome {
            Outcome::Stream { head, rest, .. } => {
                let now = Instant::now();
                Stage::Speaking(Box::new(Speech {
                    delivery,
                    head: Some(head),
                    rest,
                    farewell: BytesMut::new(),
                    ttfb_ms,
                    heard_at: now,
                    said_at: now,
                }))
            }
            Outcome::Plain(plain) => {
                let Plain { body, seen, .. } = *plain;
                let ending = Ending::whole(seen, ttfb_ms);
                Stage::Closing(Box::new(Closing {
                    delivery,
                    last_words: Some(body),
                    ending,
                    farewell: None,
                }))
            }
            Outcome::No(setback) => {
                let last_words = Some(self.last_words(&setback.failure));
                let ending = Ending::failed(&setback.failure, self.told);
                Stage::Closing(Box::new(Closing {
                    delivery,
                    last_words,
                    ending,
                    farewell: None,
                }))
            }
        };
    }

    /// What becomes of what was heard: a piece for the caller, or the end.
    fn pass_on(&mut self, heard: Heard) -> Option<Bytes> {
        let failure = match heard {
            Heard::Piece(piece) => return self.say(piece),
            Heard::Silence => return Some(self.filler()),
            Heard::End => None,
            Heard::Lost(lost) => Some(lost),
        };
        let Stage::Speaking(mut speech) = std::mem::replace(&mut self.stage, Stage::Settled(None))
        else {
            return None;
        };
        let seen = speech.rest.seen().clone();
        let (last_words, ending) = match failure {
            // What breaks after the proper end breaks nothing, unless the provider says otherwise.
            None | Some(Gone::Silent | Gone::Lost(Lost::Broken(_) | Lost::Garbage(_)))
                if seen.complete =>
            {
                (None, Ending::whole(seen, speech.ttfb_ms))
            }
            failure => self.cut(&mut speech, seen, failure),
        };
        let Speech {
            delivery, farewell, ..
        } = *speech;
        let farewell = Some(farewell.freeze()).filter(|farewell| !farewell.is_empty());
        self.stage = Stage::Closing(Box::new(Closing {
            delivery,
            last_words,
            ending,
            farewell,
        }));
        None
    }

    /// A piece goes out at once, unless it ends the answer: that waits for the books.
    fn say(&mut self, piece: Bytes) -> Option<Bytes> {
        match &mut self.stage {
            Stage::Speaking(speech) if speech.rest.seen().over => {
                speech.farewell.extend_from_slice(&piece);
                None
            }
            _ => Some(piece),
        }
    }

    /// An answer that broke off: the dialect's error event, never a pretended end.
    fn cut(&self, speech: &mut Speech, seen: Seen, lost: Option<Gone>) -> (Option<Bytes>, Ending) {
        let failure = match &lost {
            None => broke_off("The provider's answer ended before its end."),
            Some(Gone::Silent) => {
                let text = "The provider fell silent in the middle of its answer.";
                Failure::new(Kind::Timeout, "provider_timeout", text)
            }
            // Its words are free of the credential already.
            Some(Gone::Lost(Lost::Said { error, .. })) => {
                Setback::said(error, &SecretString::default()).failure
            }
            Some(Gone::Lost(Lost::Broken(_) | Lost::Garbage(_))) => {
                broke_off("The provider's answer broke off.")
            }
        };
        let event = match &lost {
            Some(Gone::Lost(Lost::Said { event, .. })) => event.clone(),
            _ => None,
        };
        let words = speech.rest.fail(&failure, self.call.id).or(event);
        let words = words.unwrap_or_else(|| self.last_words(&failure));
        let (call, error) = (self.call.id.to_string(), lost.map(|lost| lost.to_string()));
        tracing::warn!(
            request_id = call,
            code = &*failure.code,
            error,
            "answer cut"
        );
        let ending = Ending {
            status: Status::Cut,
            http_status: self.told.as_u16(),
            error_code: Some(failure.code.to_string()),
            seen,
            ttfb_ms: speech.ttfb_ms,
        };
        (Some(words), ending)
    }

    /// How a failure is said when the status is out already.
    fn last_words(&self, failure: &Failure) -> Bytes {
        match self.form {
            Form::Events => self.dialect().write_error_event(failure, self.call.id),
            Form::Plain => self.dialect().write_error(failure, self.call.id),
            Form::Array => {
                let error = self.dialect().write_error(failure, self.call.id);
                Bytes::from([b"[", error.as_ref(), b"]"].concat())
            }
        }
    }

    fn filler(&mut self) -> Bytes {
        if let Stage::Speaking(speech) = &mut self.stage {
            speech.said_at = Instant::now();
        }
        // White space may stand before any JSON text.
        Bytes::from_static(match self.form {
            Form::Events => self.dialect().filler(),
            Form::Array | Form::Plain => b" ",
        })
    }
}

/// Owns a talk for as long as somebody listens; afterwards the process does. Whoever shuts down waits
/// for both, and for the moment in between.
struct Owner {
    talk: Option<Talk>,
    in_flight: TaskTrackerToken,
}

impl Drop for Owner {
    fn drop(&mut self) {
        let Some(mut talk) = self.talk.take() else {
            return;
        };
        if matches!(talk.stage, Stage::Settled(_)) || tokio::runtime::Handle::try_current().is_err()
        {
            return;
        }
        let calls = self.in_flight.task_tracker().clone();
        // The provider's own time limits end this.
        calls.spawn(async move { while talk.next().await.is_some() {} });
    }
}

fn broke_off(text: &str) -> Failure {
    Failure::new(Kind::BadGateway, "provider_broke_off", text)
}
