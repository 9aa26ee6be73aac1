//! How many tokens a request has: by the provider's count, or by an estimate that says it is one.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::HeaderValue;
use shared::domain::channel::Channel;
use shared::failure::{Failure, Kind};

use super::Call;
use super::admit::Admitted;
use super::refusal;
use super::send::whole;
use super::setback::Setback;
use super::translate::{Translated, translate};
use crate::app::App;
use crate::dialects::{self, estimate};

/// The longest count that is read, in bytes.
const LONGEST: usize = 64 * 1024;
/// How much an estimate is rounded up: too low a count makes agents overfill a model. In percent.
const SAFETY: u64 = 120;

/// Asks one channel after the other; where none can count, an estimate must do.
pub(super) async fn count(
    app: &App,
    call: &Call,
    admitted: &Admitted,
    channels: &[Channel],
) -> Result<Response, Failure> {
    let caller = dialects::caller(call.dialect);
    for channel in channels {
        match ask(app, call, admitted, channel).await {
            Ok(Some(tokens)) => return Ok(answer(call, admitted, caller.write_count(tokens))),
            Ok(None) => {}
            // What is wrong with the request stays wrong.
            Err(setback) if setback.failure.kind == Kind::BadRequest => {
                return Err(setback.failure);
            }
            Err(setback) => {
                let (request_id, code) = (call.id.to_string(), &*setback.failure.code);
                tracing::info!(request_id, code, channel_id = %channel.id, "tokens not counted");
            }
        }
    }
    let likely = estimate::likely_input(&admitted.wanted.body, &[&admitted.wanted.model]);
    let tokens = likely.saturating_mul(SAFETY).div_ceil(100);
    let mut answer = answer(call, admitted, caller.write_count(tokens));
    answer
        .headers_mut()
        .insert("x-tollhouse-estimated", HeaderValue::from_static("true"));
    Ok(answer)
}

/// What a channel counts; `None` when its provider cannot.
async fn ask(
    app: &App,
    call: &Call,
    admitted: &Admitted,
    channel: &Channel,
) -> Result<Option<u64>, Setback> {
    let translated = translate(app, call, admitted, channel).await;
    let Translated {
        letter,
        interpreter,
        ..
    } = match translated {
        Err(failure) if failure.code == "cannot_count" => return Ok(None),
        translated => translated.map_err(Setback::untranslated)?,
    };
    let answer = app.upstream.send(&letter).await?;
    let status = answer.status;
    let idle = crate::upstream::milliseconds(channel.timeouts.idle_ms);
    let body = whole(answer, LONGEST, idle).await?;
    if !status.is_success() {
        return Err(Setback::garbage("a refusal to count", status.as_u16()));
    }
    Ok(interpreter.count(&body))
}

fn answer(call: &Call, admitted: &Admitted, body: Bytes) -> Response {
    let mut answer = Response::new(Body::from(body));
    *answer.headers_mut() = refusal::headers(call.id);
    let admission = refusal::admission_headers(call, admitted.room.as_ref(), None);
    answer.headers_mut().extend(admission);
    answer
}
