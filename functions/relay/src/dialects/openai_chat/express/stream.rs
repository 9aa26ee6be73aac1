//! A streamed answer of OpenAI's chat dialect: usage in its last chunk, `[DONE]` at its end.
//!
//! The usage chunk comes only to callers that ask for it. Tollhouse always asks; from callers that
//! did not, it hides the chunk, and the `"usage":null` that asking puts into every other one.

use bytes::{Bytes, BytesMut};
use memchr::memmem;

use super::super::failure;
use super::super::wire::Trailer;
use super::reply::add_delivered;
use crate::dialects::UpstreamError;
use crate::dialects::estimate::{has_member, strings_of};
use crate::dialects::sse;
use crate::dialects::watch::{Seen, Verdict, Watch};

#[derive(Debug)]
pub(in crate::dialects) struct Watcher {
    usage_wanted: bool,
    /// How many answers there will be, and how many have told why they ended.
    answers: u64,
    finished: u64,
    seen: Seen,
}

impl Watcher {
    pub(in crate::dialects) fn new(usage_wanted: bool, answers: u64) -> Self {
        Self {
            usage_wanted,
            answers,
            finished: 0,
            seen: Seen::default(),
        }
    }
}

impl Watch for Watcher {
    fn event(&mut self, event: &[u8]) -> Verdict {
        let Some(data) = sse::data(event) else {
            return Verdict::Pass;
        };
        if data.trim_ascii() == b"[DONE]" {
            self.seen.complete = true;
            self.seen.over = true;
            return Verdict::Pass;
        }
        if let Some(error) = error(event, &data) {
            return Verdict::Fail(error);
        }
        self.seen.began = true;
        add_delivered(&mut self.seen.delivered, &data);
        // Not every server says [DONE]; a reason to finish is an end as well.
        let reasons = strings_of(&data, br#""finish_reason""#);
        self.finished += reasons.filter(|reason| !reason.is_empty()).count() as u64;
        if self.finished >= self.answers {
            self.seen.complete = true;
        }
        if has_member(&data, br#""usage""#, b'{') {
            return self.usage(&data);
        }
        if self.usage_wanted {
            Verdict::Pass
        } else {
            without_null_usage(event)
        }
    }

    fn seen(&self) -> Seen {
        self.seen
    }
}

impl Watcher {
    /// Some servers tell the usage in every chunk, so far: the last one counts.
    fn usage(&mut self, data: &[u8]) -> Verdict {
        let Ok(trailer) = serde_json::from_slice::<Trailer>(data) else {
            return Verdict::Pass;
        };
        if let Some(usage) = trailer.usage {
            self.seen.tokens = Some(usage.tokens());
        }
        let only_usage = trailer.choices.is_some_and(|choices| choices.is_empty());
        if only_usage && !self.usage_wanted {
            Verdict::Drop
        } else {
            Verdict::Pass
        }
    }
}

/// An error in the place of a chunk: by the event's name, or by a member of the chunk.
fn error(event: &[u8], data: &[u8]) -> Option<UpstreamError> {
    let named = sse::name(event) == Some(b"error");
    let suspicious =
        named || has_member(data, br#""error""#, b'{') || has_member(data, br#""error""#, b'"');
    suspicious.then(|| failure::read(200, data)).flatten()
}

/// The event without the member `"usage":null`, and one of the commas beside it.
fn without_null_usage(event: &[u8]) -> Verdict {
    let Some(at) = memmem::find(event, br#""usage""#) else {
        return Verdict::Pass;
    };
    let (before, rest) = event.split_at(at);
    let value = rest
        .get(br#""usage""#.len()..)
        .unwrap_or_default()
        .trim_ascii_start();
    let value = value.strip_prefix(b":").map(<[u8]>::trim_ascii_start);
    let Some(after) = value.and_then(|value| value.strip_prefix(b"null")) else {
        return Verdict::Pass;
    };
    let trimmed = before.trim_ascii_end();
    let mut out = BytesMut::with_capacity(event.len());
    match (
        trimmed.strip_suffix(b","),
        after.trim_ascii_start().strip_prefix(b","),
    ) {
        (Some(before), _) => {
            out.extend_from_slice(before);
            out.extend_from_slice(after);
        }
        (None, Some(after)) => {
            out.extend_from_slice(before);
            out.extend_from_slice(after.trim_ascii_start());
        }
        (None, None) => return Verdict::Pass,
    }
    Verdict::Replace(Bytes::from(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_usage_is_taken_out_with_one_comma() {
        for (event, expected) in [
            ("data: {\"a\":1,\"usage\":null}\n\n", "data: {\"a\":1}\n\n"),
            (
                "data: {\"usage\": null, \"a\":1}\n\n",
                "data: {\"a\":1}\n\n",
            ),
            (
                "data: {\"a\":1, \"usage\":null,\"b\":2}\n\n",
                "data: {\"a\":1,\"b\":2}\n\n",
            ),
        ] {
            assert_eq!(
                without_null_usage(event.as_bytes()),
                Verdict::Replace(Bytes::from(expected)),
            );
        }
        let quoted = "data: {\"content\":\"\\\"usage\\\":null\"}\n\n";
        assert_eq!(without_null_usage(quoted.as_bytes()), Verdict::Pass);
    }

    #[test]
    fn a_usage_chunk_is_seen_and_hidden_from_those_who_did_not_ask() {
        let chunk =
            b"data: {\"choices\":[],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":5,\
            \"prompt_tokens_details\":{\"cached_tokens\":4},\
            \"completion_tokens_details\":{\"reasoning_tokens\":2}}}\n\n";
        for (wanted, verdict) in [(false, Verdict::Drop), (true, Verdict::Pass)] {
            let mut watcher = Watcher::new(wanted, 1);
            assert_eq!(watcher.event(chunk), verdict);
            let tokens = watcher.seen().tokens.unwrap();
            assert_eq!((tokens.input, tokens.cache_read), (6, 4));
            assert_eq!((tokens.output, tokens.reasoning), (5, 2));
        }
    }

    #[test]
    fn an_error_inside_a_stream_is_an_error() {
        let mut watcher = Watcher::new(true, 1);
        for event in [
            "data: {\"error\":{\"message\":\"overloaded\",\"code\":503}}\n\n",
            "event: error\ndata: {\"error\":\"overloaded\"}\n\n",
        ] {
            let Verdict::Fail(error) = watcher.event(event.as_bytes()) else {
                panic!("{event}")
            };
            assert_eq!(error.message, "overloaded");
        }
        let said = "data: {\"choices\":[{\"delta\":{\"content\":\"{\\\"error\\\":{}}\"}}]}\n\n";
        assert_eq!(watcher.event(said.as_bytes()), Verdict::Pass);
    }
}
