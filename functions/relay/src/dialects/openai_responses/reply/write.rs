//! A response object: what it says of the request, and what state it is in.
//! <https://platform.openai.com/docs/api-reference/responses/object>

use bytes::{Bytes, BytesMut};
use serde_json::value::RawValue;
use shared::domain::id::RequestId;
use shared::domain::usage::Usage;
use shared::failure::Failure;

use super::super::stream::write::Speaker;
use super::super::{failure, wire};
use crate::dialects::convert::Writer;
use crate::dialects::json::{Fields, Json, Object, Raw};
use crate::dialects::neutral::Reply;
use crate::dialects::{Asked, UpstreamError, sse};

/// The members that a response repeats of its request, and what they are where it does not say.
const ECHOED: &[(&str, &str)] = &[
    ("instructions", "null"),
    ("max_output_tokens", "null"),
    ("max_tool_calls", "null"),
    ("metadata", "{}"),
    ("parallel_tool_calls", "true"),
    ("prompt_cache_key", "null"),
    ("reasoning", r#"{"effort":null,"summary":null}"#),
    ("safety_identifier", "null"),
    ("temperature", "1.0"),
    ("text", r#"{"format":{"type":"text"}}"#),
    ("tool_choice", r#""auto""#),
    ("tools", "[]"),
    ("top_logprobs", "0"),
    ("top_p", "1.0"),
    ("truncation", r#""disabled""#),
    ("user", "null"),
];

/// The members that change while a response comes.
const CHANGING: [&str; 6] = [
    "status",
    "error",
    "incomplete_details",
    "output",
    "usage",
    "completed_at",
];

/// What a response says of itself from its beginning to its end.
#[derive(Debug, Clone)]
pub(in crate::dialects) struct Frame(Object);

/// What changes while a response comes.
#[derive(Debug, Clone, Default)]
pub(in crate::dialects) struct State<'a> {
    pub(in crate::dialects) status: &'static str,
    pub(in crate::dialects) error: Option<Object>,
    pub(in crate::dialects) incomplete: Option<&'static str>,
    pub(in crate::dialects) output: &'a [Raw],
    pub(in crate::dialects) tokens: Option<Usage>,
}

impl Frame {
    /// The frame of the answer to a request. Nothing is stored, whatever the request wished.
    pub(in crate::dialects) fn of(asked: &Asked<'_>) -> Self {
        let mut frame = Self::bare(asked.id, asked.at_s)
            .0
            .with("model", asked.wanted.model.clone())
            .with("background", false)
            .with("previous_response_id", Json::Null)
            .with("service_tier", "default")
            .with("store", false);
        let body = std::str::from_utf8(&asked.wanted.body).unwrap_or_default();
        let mut request = Fields::parse(body).unwrap_or_default();
        for (name, otherwise) in ECHOED {
            let said = request.take(name).map(RawValue::to_owned);
            let otherwise = || RawValue::from_string((*otherwise).to_owned()).ok();
            frame.put(*name, said.or_else(otherwise).map_or(Json::Null, Json::Raw));
        }
        Self(frame)
    }

    /// The frame of an answer of which nothing is known.
    pub(in crate::dialects) fn unknown(id: RequestId) -> Self {
        Self(Self::bare(id, id.at_ms() / 1_000).0.with("model", ""))
    }

    /// The frame of an answer that a provider has begun, by the event that begins it.
    pub(in crate::dialects) fn begun(event: &str) -> Option<Self> {
        let response = Fields::parse(event)?.object("response")?;
        let mut frame = Object::new();
        for (name, value) in response.rest() {
            if !CHANGING.contains(&name.as_str()) {
                frame.put(name, value.to_owned());
            }
        }
        Some(Self(frame))
    }

    fn bare(id: RequestId, at_s: u64) -> Self {
        let frame = Object::new()
            .with("id", format!("resp_{id}"))
            .with("object", "response")
            .with("created_at", at_s);
        Self(frame)
    }

    /// The response in a state.
    pub(in crate::dialects) fn response(&self, state: State<'_>) -> Object {
        let reason = |reason| Object::new().with("reason", reason);
        let incomplete = state.incomplete.map(reason);
        let output: Vec<Json> = state.output.iter().map(Json::from).collect();
        self.0
            .clone()
            .with("status", state.status)
            .with("error", state.error.map_or(Json::Null, Json::Object))
            .with(
                "incomplete_details",
                incomplete.map_or(Json::Null, Json::Object),
            )
            .with("output", output)
            .with(
                "usage",
                state
                    .tokens
                    .map_or(Json::Null, |tokens| wire::usage(&tokens).into()),
            )
    }

    /// The event that says that a response failed, as its event of this number. What the provider
    /// has `told` of it before is repeated.
    pub(in crate::dialects) fn failed(
        &self,
        number: u64,
        failure: &Failure,
        told: Option<&UpstreamError>,
    ) -> Bytes {
        let error = told.map_or_else(
            || failure::detail(failure),
            |told| {
                Object::new()
                    .with("code", told.code.clone())
                    .with("message", told.message.clone())
            },
        );
        let state = State {
            status: "failed",
            error: Some(error),
            ..State::default()
        };
        failed_event(number, self.response(state))
    }
}

/// The event that says that a response failed.
pub(in crate::dialects) fn failed_event(number: u64, response: Object) -> Bytes {
    const KIND: &str = "response.failed";
    let event = Object::of_type(KIND)
        .with("sequence_number", number)
        .with("response", response);
    sse::write(Some(KIND), &event.to_bytes())
}

/// A plain answer: what the stream of the same answer ends with.
pub(in crate::dialects) fn write(reply: &Reply, asked: &Asked<'_>) -> Bytes {
    let (mut speaker, mut unheard) = (Speaker::new(asked), BytesMut::new());
    for event in reply.clone().unfold() {
        speaker.write(event, &mut unheard);
        unheard.clear();
    }
    speaker.response().to_bytes()
}
