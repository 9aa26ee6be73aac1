//! Texts → vectors: a short journey without streams, that ends in the books like any other.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use shared::domain::channel::Channel;
use shared::domain::dialect::Lane;
use shared::domain::provider::card::Envelope;
use shared::domain::record::Attempt;
use shared::failure::Failure;

use super::refusal::{admission_headers, headers, refuse};
use super::send::{Delivery, Stop, whole};
use super::setback::{Refusal, Setback};
use super::settle::{Ending, settle};
use super::translate::{self, Parcel, Road, misconfigured};
use crate::app::App;
use crate::dialects::embedding::{self, EmbeddingCaller, EmbeddingProvider, Reply};
use crate::dialects::neutral::Notes;
use crate::dialects::watch::Seen;
use crate::dialects::{self, Destination, envelope};
use crate::upstream::{Answer, auth, milliseconds};

/// The longest answer that is taken, in bytes: 2,048 vectors of 3,072 numbers each.
const LONGEST: usize = 128 * 1024 * 1024;
/// Where Bedrock tells how many tokens a request had.
const TOKENS: &str = "x-amzn-bedrock-input-token-count";

/// Asks one channel after the other, and writes the books.
pub(super) async fn embed(app: &App, mut delivery: Delivery) -> Response {
    let mut last = Setback::no_channel();
    for channel in std::mem::take(&mut delivery.itinerary.0) {
        let began_ms = app.clock.now_ms();
        let tried = attempt(app, &mut delivery, &channel).await;
        delivery.attempts.push(Attempt {
            channel_id: channel.id,
            outcome: match &tried {
                Ok(_) => "ok".to_owned(),
                Err(setback) => setback.failure.code.to_string(),
            },
            http_status: match &tried {
                Ok(_) => Some(200),
                Err(setback) => setback.http_status,
            },
            ms: u64::try_from(app.clock.now_ms() - began_ms).unwrap_or(0),
        });
        match tried {
            Ok((body, seen)) => return done(app, delivery, body, seen).await,
            Err(setback) => {
                let elsewhere = setback.elsewhere;
                last = setback;
                if !elsewhere {
                    break;
                }
            }
        }
    }
    failed(app, delivery, &last.failure).await
}

async fn done(app: &App, mut delivery: Delivery, body: Bytes, seen: Seen) -> Response {
    let ms = app.clock.now_ms() - delivery.call.began_ms;
    let ending = Ending::whole(seen, u64::try_from(ms).ok());
    settle(app, &mut delivery, &ending).await;
    let mut answer = Response::new(Body::from(body));
    *answer.headers_mut() = headers(delivery.call.id);
    answer.headers_mut().extend(admission(&delivery));
    if let Some(words) = delivery.dropped() {
        answer.headers_mut().insert("x-tollhouse-dropped", words);
    }
    answer
}

async fn failed(app: &App, mut delivery: Delivery, failure: &Failure) -> Response {
    let caller = dialects::caller(delivery.call.dialect);
    let mut answer = refuse(caller, delivery.call.id, failure);
    let ending = Ending::failed(failure, answer.status());
    settle(app, &mut delivery, &ending).await;
    answer.headers_mut().extend(admission(&delivery));
    answer.map(Body::from)
}

/// What admission has to tell, whatever became of the call.
fn admission(delivery: &Delivery) -> HeaderMap {
    let (room, lowered) = (delivery.admitted.room, delivery.admitted.lowered);
    admission_headers(&delivery.call, room.as_ref(), lowered)
}

/// One channel: the requests that it takes, one after the other, and the answer made of theirs.
async fn attempt(
    app: &App,
    delivery: &mut Delivery,
    channel: &Channel,
) -> Result<(Bytes, Seen), Setback> {
    let call = &delivery.call;
    let wanted = &delivery.admitted.wanted;
    let road = translate::road(app, call, wanted, channel).await;
    let road = road.map_err(Setback::untranslated)?;
    let nobody = || Setback::untranslated(misconfigured("The channel makes no vectors."));
    let caller = embedding::caller(call.dialect).ok_or_else(nobody)?;
    let provider = embedding::provider(road.tongue.dialect).ok_or_else(nobody)?;
    let to = Destination {
        model: &road.model,
        stream: false,
        card: road.card,
    };
    let express = road.tongue.dialect == call.dialect;
    let (path, bodies, notes) = if express {
        let body = caller
            .express(wanted, &road.model)
            .map_err(Setback::untranslated)?;
        (
            provider.express_path(&to, wanted),
            vec![body],
            Notes::default(),
        )
    } else {
        let request = caller.read_request(wanted).map_err(Setback::untranslated)?;
        let (bodies, notes) = provider
            .write_requests(&request, &to)
            .map_err(Setback::untranslated)?;
        (provider.path(&to), bodies, notes)
    };
    let dropped = translate::dropped(call, &notes).map_err(Setback::untranslated)?;
    delivery.stop = Some(Stop {
        channel_id: channel.id,
        provider: channel.provider.clone(),
        upstream_model: road.model.clone(),
        lane: if express {
            Lane::Express
        } else {
            Lane::Conversion
        },
        idle: milliseconds(channel.timeouts.idle_ms),
        dropped,
    });
    let path = match road.tongue.envelope {
        Envelope::AzureDeployment => {
            let version = auth::member(&road.credential, "api_version");
            envelope::azure::path(&path, &road.model, version.as_deref())
        }
        _ => path,
    };
    let errand = Errand {
        app,
        road: &road,
        path: &path,
        provider,
    };
    if express {
        let (body, reply) = errand.express(bodies).await?;
        return Ok((body, reply.seen()));
    }
    let reply = errand.all(bodies).await?;
    Ok(answer(caller, &reply, &delivery.admitted.wanted))
}

fn answer(caller: &dyn EmbeddingCaller, reply: &Reply, wanted: &dialects::Wanted) -> (Bytes, Seen) {
    (caller.write_reply(reply, wanted), reply.seen())
}

/// What is needed to ask one channel.
struct Errand<'a> {
    app: &'a App,
    road: &'a Road<'a>,
    path: &'a str,
    provider: &'static dyn EmbeddingProvider,
}

impl Errand<'_> {
    async fn express(&self, bodies: Vec<Bytes>) -> Result<(Bytes, Reply), Setback> {
        let body = bodies.into_iter().next().unwrap_or_default();
        self.ask(body).await
    }

    async fn all(&self, bodies: Vec<Bytes>) -> Result<Reply, Setback> {
        let mut replies = Vec::with_capacity(bodies.len());
        for body in bodies {
            replies.push(self.ask(body).await?.1);
        }
        Ok(Reply::join(replies))
    }

    async fn ask(&self, body: Bytes) -> Result<(Bytes, Reply), Setback> {
        let parcel = Parcel {
            path: self.path.to_owned(),
            headers: HeaderMap::new(),
            body,
        };
        let letter = self.road.letter(self.app, parcel).await;
        let letter = letter.map_err(Setback::untranslated)?;
        let answer: Answer = self.app.upstream.send(&letter).await?;
        let (status, headers) = (answer.status, answer.headers.clone());
        let body = whole(answer, LONGEST, milliseconds(letter.timeouts.idle_ms)).await?;
        let dialect = dialects::provider(self.road.tongue.dialect);
        if status != StatusCode::OK {
            let refusal = Refusal {
                status,
                headers: &headers,
                body: &body,
                error: dialect.read_error(status.as_u16(), &headers, &body),
                verbatim: false,
                credential: &self.road.credential,
            };
            return Err(Setback::refused(refusal, self.app.clock.now()));
        }
        let Some(mut reply) = self.provider.read_reply(&body) else {
            return Err(match dialect.read_error(200, &headers, &body) {
                Some(error) => Setback::said(&error, &self.road.credential),
                None => Setback::garbage("something that is no answer", 200),
            });
        };
        let told = headers.get(TOKENS).and_then(|value| value.to_str().ok());
        reply.tokens = reply.tokens.or_else(|| told?.parse().ok());
        Ok((body, reply))
    }
}
