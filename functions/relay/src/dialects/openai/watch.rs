//! An answer of the express lane in OpenAI's dialects: usage in its last chunk, `[DONE]` at its end.
//!
//! The usage chunk comes only to callers that ask for it. Tollhouse always asks; from callers that
//! did not, it hides the chunk, and the `"usage":null` that asking puts into every other one.

use bytes::{Bytes, BytesMut};
use memchr::memmem;
use shared::domain::usage::Service;

use super::failure;
use super::usage::{Counts, Reasoning, service};
use crate::dialects::estimate::{Delivered, has_member, strings_of};
use crate::dialects::json::array;
use crate::dialects::sse;
use crate::dialects::watch::{Seen, Verdict, Watch};
use crate::dialects::{UpstreamError, Wanted};

/// What a plain answer says of itself; `texts` are the members whose strings are its text.
pub(in crate::dialects) fn plain(body: &[u8], texts: &[&[&[u8]]]) -> Option<Seen> {
    let json = String::from_utf8_lossy(body);
    super::members(&json)?.take("choices")?;
    let mut delivered = Delivered::default();
    add_delivered(&mut delivered, body, texts);
    Some(Seen {
        tokens: Counts::anywhere(body).map(|usage| usage.tokens(Reasoning::Within)),
        delivered,
        began: true,
        complete: true,
        over: true,
        so_far: None,
        current: false,
    })
}

/// Adds the text of an answer or a chunk. Of names for the same the first one with any text counts:
/// some servers say a thought under two of them.
fn add_delivered(delivered: &mut Delivered, json: &[u8], texts: &[&[&[u8]]]) {
    for names in texts {
        let _said = names.iter().any(|name| delivered.add_members(json, name));
    }
}

/// Names of members, those together that mean the same.
pub(in crate::dialects) type Texts = &'static [&'static [&'static [u8]]];

#[derive(Debug)]
pub(in crate::dialects) struct Watcher {
    usage_wanted: bool,
    /// The members whose strings are the answer's text; those that mean the same stand together.
    texts: Texts,
    /// How many answers there will be, and how many have told why they ended.
    answers: u64,
    finished: u64,
    /// Whether it stood alone, as it does behind all answers.
    alone: bool,
    /// At which service the answer says it is; not every chunk does.
    service: Option<Service>,
    seen: Seen,
}

impl Watcher {
    pub(in crate::dialects) fn new(wanted: &Wanted, texts: Texts) -> Self {
        Self {
            usage_wanted: wanted.usage_wanted,
            texts,
            answers: wanted.answers,
            finished: 0,
            alone: false,
            service: None,
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
            self.weigh();
            return Verdict::Pass;
        }
        if let Some(error) = error(event, &data) {
            // What was used until then is told beside it, and is all that ever will be.
            if self.add(&data) {
                self.seen.tokens = self.seen.so_far;
            }
            return Verdict::Fail(error);
        }
        self.seen.began = true;
        let before = self.seen.delivered.length();
        add_delivered(&mut self.seen.delivered, &data, self.texts);
        self.seen.current &= before == self.seen.delivered.length();
        if let Some(word) = strings_of(&data, br#""service_tier""#).last() {
            let known = str::from_utf8(word).ok().and_then(service);
            self.service = known.or(self.service);
        }
        // Not every server says [DONE]; a reason to finish is an end as well.
        let reasons = strings_of(&data, br#""finish_reason""#);
        self.finished += reasons.filter(|reason| !reason.is_empty()).count() as u64;
        if self.finished >= self.answers {
            self.seen.complete = true;
        }
        let tells = |member| has_member(&data, member, b'{');
        let verdict = if tells(br#""usage""#) || tells(br#""timings""#) {
            self.usage(&data)
        } else if self.usage_wanted {
            Verdict::Pass
        } else {
            without_null_usage(event)
        };
        self.weigh();
        verdict
    }

    fn seen(&self) -> &Seen {
        &self.seen
    }
}

impl Watcher {
    /// Takes the usage of a chunk. Some servers tell it in every one, so far: the last one counts.
    fn add(&mut self, data: &[u8]) -> bool {
        let Some(mut usage) = Counts::anywhere(data) else {
            return false;
        };
        usage.service = usage.service.or(self.service);
        self.seen.so_far = Some(usage.tokens(Reasoning::Within));
        self.seen.current = true;
        true
    }

    /// What was told so far is all, once everything is said.
    fn weigh(&mut self) {
        let is_all = self.seen.current && (self.seen.complete || self.alone);
        self.seen.tokens = self.seen.so_far.filter(|_| is_all);
    }

    fn usage(&mut self, data: &[u8]) -> Verdict {
        let told = self.add(data);
        let json = String::from_utf8_lossy(data);
        let choices = super::members(&json).and_then(|mut chunk| chunk.take("choices"));
        let only_usage = choices.is_some_and(|choices| array(choices).is_empty());
        self.alone |= told && only_usage;
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

    fn watcher(usage_wanted: bool) -> Watcher {
        let wanted = Wanted {
            body: Bytes::new(),
            model: "m".to_owned(),
            stream: true,
            events: true,
            usage_wanted,
            max_output: None,
            answers: 1,
        };
        Watcher::new(&wanted, &[&[br#""content""#]])
    }

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
            let mut watcher = watcher(wanted);
            assert_eq!(watcher.event(chunk), verdict);
            let tokens = watcher.seen().tokens.unwrap();
            assert_eq!((tokens.input, tokens.cache_read), (6, 4));
            assert_eq!((tokens.output, tokens.reasoning), (5, 2));
        }
    }

    #[test]
    fn an_error_inside_a_stream_is_an_error() {
        let mut watcher = watcher(true);
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

    #[test]
    fn usage_is_seen_wherever_a_server_puts_it() {
        for chunk in [
            r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop","usage":{"prompt_tokens":10,"completion_tokens":5}}]}"#,
            r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"x_groq":{"usage":{"prompt_tokens":10,"completion_tokens":5}}}"#,
            r#"{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":2,"total_tokens":15,"completion_tokens_details":{"reasoning_tokens":3}}}"#,
        ] {
            let mut watcher = watcher(true);
            let event = format!("data: {chunk}\n\n");
            assert_eq!(watcher.event(event.as_bytes()), Verdict::Pass);
            let tokens = watcher.seen().tokens.unwrap();
            assert_eq!((tokens.input, tokens.output), (10, 5), "{chunk}");
        }
    }
}
