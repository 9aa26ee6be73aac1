//! A streamed answer of OpenAI's Responses dialect: usage in its last event, and nowhere else.
//!
//! What comes before the first item of the output says nothing yet: an error there can still be
//! given with a status of its own, or be taken to another channel.
//! <https://platform.openai.com/docs/api-reference/responses-streaming>

use std::borrow::Cow;

use bytes::Bytes;
use serde::Deserialize;
use shared::domain::id::RequestId;
use shared::domain::usage::Usage;
use shared::failure::Failure;

use super::super::failure;
use super::super::pieces::Pieces;
use super::super::reply::write::Frame;
use super::super::wire::{mended, read_usage};
use crate::dialects::UpstreamError;
use crate::dialects::json::{Fields, array};
use crate::dialects::sse;
use crate::dialects::watch::{Seen, Verdict, Watch};

/// An event's type.
#[derive(Debug, Deserialize)]
struct Typed<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Cow<'a, str>>,
}

#[derive(Debug, Default)]
pub(in crate::dialects) struct Watcher {
    seen: Seen,
    /// How many events there were: the number of the next one.
    events: u64,
    /// What the answer has called itself, for the case that it must be said to have failed.
    frame: Option<Frame>,
    /// An error that was told already; the failed response that follows it tells it again.
    told: Option<UpstreamError>,
    /// What the items have said of the provider's own tools so far.
    pieces: Pieces,
}

impl Watch for Watcher {
    fn event(&mut self, event: &[u8]) -> Verdict {
        let Some(data) = sse::data(event) else {
            return Verdict::Pass;
        };
        if data.trim_ascii() == b"[DONE]" {
            return Verdict::Pass;
        }
        self.events += 1;
        match kind(event, &data).as_ref() {
            "response.created" | "response.queued" | "response.in_progress" => {
                if self.frame.is_none() {
                    self.frame = std::str::from_utf8(&data).ok().and_then(Frame::begun);
                }
                return Verdict::Pass;
            }
            "response.completed" | "response.incomplete" => self.end(&data),
            "response.failed" => return Verdict::Fail(self.failed(&data)),
            "error" => {
                let error = self.failed(&data);
                if !self.seen.began {
                    return Verdict::Fail(error);
                }
                self.told = Some(error);
            }
            "" => {
                return failure::read(200, &data).map_or(Verdict::Pass, Verdict::Fail);
            }
            // A sound is no text; its transcript is.
            "response.audio.delta" | "response.output_audio.delta" => {}
            kind if kind.ends_with(".delta") => {
                self.seen.delivered.add_members(&data, br#""delta""#);
            }
            "response.output_item.added" => {
                self.seen.delivered.add_members(&data, br#""name""#);
            }
            "response.output_item.done" => self.item(&data),
            kind if !kind.starts_with("response.") => return Verdict::Pass,
            _ => {}
        }
        self.seen.began = true;
        Verdict::Pass
    }

    fn fail(&mut self, failure: &Failure, _: RequestId) -> Option<Bytes> {
        let frame = self.frame.as_ref()?;
        Some(frame.failed(self.events, failure, self.told.as_ref()))
    }

    fn seen(&self) -> &Seen {
        &self.seen
    }
}

impl Watcher {
    fn item(&mut self, data: &[u8]) {
        let data = String::from_utf8_lossy(data);
        if let Some(item) = Fields::parse(&data).and_then(|mut event| event.take("item")) {
            self.pieces.see(item);
            self.seen.so_far = self.pieces.some();
        }
    }

    fn usage(&self, data: &[u8]) -> Option<Usage> {
        let data = str::from_utf8(data).ok()?;
        usage(data, &self.pieces).or_else(|| usage(&mended(data)?, &self.pieces))
    }

    fn end(&mut self, data: &[u8]) {
        self.seen.tokens = self.usage(data);
        self.seen.complete = true;
        self.seen.over = true;
    }

    fn failed(&mut self, data: &[u8]) -> UpstreamError {
        self.seen.tokens = self.usage(data);
        let error = self.told.take().or_else(|| failure::read(200, data));
        error.unwrap_or_else(|| failure::unnamed(200))
    }
}

/// The usage in the last event. Some servers leave the items out there that they have told before.
fn usage(data: &str, heard: &Pieces) -> Option<Usage> {
    let mut response = Fields::parse(data)?.object("response")?;
    let items = response.take("output").map(array).unwrap_or_default();
    if items.is_empty() {
        return read_usage(&mut response, heard);
    }
    read_usage(&mut response, &Pieces::of(&items))
}

/// The type of an event: its name, or where servers leave that out, the member `type`.
fn kind<'a>(event: &'a [u8], data: &'a [u8]) -> Cow<'a, str> {
    if let Some(name) = sse::name(event)
        && let Ok(name) = std::str::from_utf8(name)
        && (name == "error" || name.starts_with("response."))
    {
        return Cow::Borrowed(name);
    }
    let typed = serde_json::from_slice::<Typed<'_>>(data);
    let kind = typed.ok().and_then(|typed| typed.kind);
    kind.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use shared::failure::Kind;

    const CREATED: &str = "event: response.created\ndata: {\"type\":\"response.created\",\
        \"sequence_number\":0,\"response\":{\"id\":\"resp_1\",\"model\":\"m\",\
        \"status\":\"in_progress\",\"tools\":[]}}\n\n";
    const ITEM: &str = "data: {\"type\":\"response.output_item.added\",\"output_index\":0,\
        \"item\":{\"type\":\"message\"}}\n\n";
    const ERROR: &str = "event: error\ndata: {\"type\":\"error\",\"error\":{\
        \"code\":\"rate_limit_exceeded\",\"message\":\"Slow.\"}}\n\n";

    #[test]
    fn usage_stands_in_the_last_event_with_a_name_or_without() {
        for name in ["", "event: response.completed\n"] {
            let mut watcher = Watcher::default();
            assert_eq!(watcher.event(CREATED.as_bytes()), Verdict::Pass);
            assert!(!watcher.seen().began, "nothing is said yet");
            assert_eq!(watcher.event(ITEM.as_bytes()), Verdict::Pass);
            assert!(watcher.seen().began);
            let last = format!(
                "{name}data: {{\"type\":\"response.completed\",\"response\":{{\"usage\":{{\
                 \"input_tokens\":5,\"output_tokens\":7}}}}}}\n\n"
            );
            assert_eq!(watcher.event(last.as_bytes()), Verdict::Pass);
            let seen = watcher.seen();
            assert_eq!(seen.tokens.unwrap().output, 7);
            assert!(seen.complete && seen.over);
        }
    }

    #[test]
    fn an_early_error_is_a_refusal_and_a_late_one_waits_for_the_failed_response() {
        let mut watcher = Watcher::default();
        watcher.event(CREATED.as_bytes());
        let Verdict::Fail(error) = watcher.event(ERROR.as_bytes()) else {
            panic!("an early error")
        };
        assert_eq!((error.status, error.message.as_str()), (429, "Slow."));

        let mut watcher = Watcher::default();
        for event in [CREATED, ITEM, ERROR] {
            assert_eq!(watcher.event(event.as_bytes()), Verdict::Pass);
        }
        let failed = "data: {\"type\":\"response.failed\",\"response\":{\"error\":null}}\n\n";
        let Verdict::Fail(error) = watcher.event(failed.as_bytes()) else {
            panic!("a late error")
        };
        assert_eq!(error.message, "Slow.");
    }

    #[test]
    fn a_stream_that_breaks_off_fails_under_its_own_id_and_number() {
        let mut watcher = Watcher::default();
        watcher.event(CREATED.as_bytes());
        watcher.event(ITEM.as_bytes());
        let failure = Failure::new(Kind::BadGateway, "provider_broke_off", "It broke off.");
        let event = watcher.fail(&failure, RequestId::from_bits(1)).unwrap();
        let data: Value = serde_json::from_slice(&sse::data(&event).unwrap()).unwrap();
        assert_eq!(data["type"], "response.failed");
        assert_eq!(data["sequence_number"], 2);
        assert_eq!(data["response"]["id"], "resp_1");
        assert_eq!(data["response"]["status"], "failed");
        assert_eq!(data["response"]["error"]["code"], "server_error");
    }
}
