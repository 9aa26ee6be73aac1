//! A streamed answer of Anthropic's dialect: usage at its start and near its end.
//! <https://docs.anthropic.com/en/docs/build-with-claude/streaming>

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::failure;
use super::super::wire::{Counts, container};
use super::reply::add_delivered;
use crate::dialects::json::Fields;
use crate::dialects::sse;
use crate::dialects::watch::{Seen, Verdict, Watch};

#[derive(Debug, Default)]
pub(in crate::dialects) struct Watcher {
    usage: Option<Counts>,
    /// Whether all is said.
    finished: bool,
    seen: Seen,
}

/// The name of an event, in its data.
#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
}

impl Watch for Watcher {
    fn event(&mut self, event: &[u8]) -> Verdict {
        // Behind the end there is nothing of this answer, whatever a proxy has put there.
        if self.seen.over {
            return Verdict::Pass;
        }
        let Some(data) = sse::data(event) else {
            return Verdict::Pass;
        };
        // Some servers leave the line with the name out; the data have it, too.
        let kind: Cow<'_, [u8]> = match sse::name(event) {
            Some(name) => Cow::Borrowed(name),
            None => serde_json::from_slice::<Named<'_>>(&data)
                .map(|named| named.kind.into_owned().into_bytes())
                .unwrap_or_default()
                .into(),
        };
        match kind.as_ref() {
            b"ping" => return Verdict::Pass,
            b"error" => return Verdict::Fail(failure::read_event(&data)),
            b"message_start" => {
                let message = fields(&data).and_then(|mut event| event.object("message"));
                self.add(message);
            }
            b"message_delta" => {
                self.add(fields(&data));
                // It comes once all is said.
                self.finished = true;
            }
            b"message_stop" => {
                self.seen.complete = true;
                self.seen.over = true;
            }
            _ => {
                add_delivered(&mut self.seen.delivered, &data);
                self.seen.current = false;
            }
        }
        self.seen.began = true;
        // The start tells a token or two of output: once more was said, that is no usage.
        let is_all = (self.finished || self.seen.complete) && self.seen.current;
        self.seen.tokens = self.seen.so_far.filter(|_| is_all);
        Verdict::Pass
    }

    fn seen(&self) -> &Seen {
        &self.seen
    }
}

impl Watcher {
    fn add(&mut self, teller: Option<Fields<'_>>) {
        let Some(mut teller) = teller else {
            return;
        };
        if let Some(later) = teller.take("usage").and_then(Counts::read) {
            self.seen.current |= later.output.is_some();
            let later = later.within(container(&mut teller));
            let usage = self.usage.unwrap_or_default().then(later);
            self.usage = Some(usage);
            self.seen.so_far = Some(usage.tokens());
        }
    }
}

fn fields(data: &[u8]) -> Option<Fields<'_>> {
    Fields::of(serde_json::from_slice::<&RawValue>(data).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_is_merged_and_never_summed() {
        let mut watcher = Watcher::default();
        for event in [
            "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\
             \"input_tokens\":3,\"cache_read_input_tokens\":7,\"cache_creation_input_tokens\":9,\
             \"cache_creation\":{\"ephemeral_5m_input_tokens\":4,\"ephemeral_1h_input_tokens\":5},\
             \"output_tokens\":1}}}\n\n",
            "event: content_block_delta\ndata: {\"delta\":{\"type\":\"text_delta\",\"text\":\"hi\"}}\n\n",
            "event: message_delta\ndata: {\"usage\":{\"output_tokens\":12}}\n\n",
            "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
        ] {
            assert_eq!(watcher.event(event.as_bytes()), Verdict::Pass);
        }
        let tokens = watcher.seen().tokens.unwrap();
        assert_eq!((tokens.input, tokens.cache_read), (3, 7));
        assert_eq!(
            (tokens.cache_write_5m, tokens.cache_write_1h, tokens.output),
            (4, 5, 12)
        );
    }

    #[test]
    fn usage_counts_once_the_end_of_the_message_told_it() {
        let mut watcher = Watcher::default();
        let start = "data:{\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":3,\
                     \"output_tokens\":1}}}\n\n";
        let said = "data:{\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\
                    \"text\":\"hi\"}}\n\n";
        let end = "data:{\"type\":\"message_delta\",\"usage\":{\"output_tokens\":5}}\n\n";
        for (event, told) in [(start, None), (said, None), (end, Some(5)), (said, None)] {
            assert_eq!(watcher.event(event.as_bytes()), Verdict::Pass);
            let tokens = watcher.seen().tokens;
            assert_eq!(tokens.map(|tokens| tokens.output), told, "{event}");
        }
    }

    #[test]
    fn events_without_names_are_known_by_their_types() {
        let mut watcher = Watcher::default();
        for event in [
            "data:{\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":3}}}\n\n",
            "data:{\"type\":\"message_delta\",\"usage\":{\"output_tokens\":5}}\n\n",
            "data:{\"type\":\"message_stop\"}\n\n",
        ] {
            assert_eq!(watcher.event(event.as_bytes()), Verdict::Pass);
        }
        let tokens = watcher.seen().tokens.unwrap();
        assert_eq!((tokens.input, tokens.output), (3, 5));
        let mut watcher = Watcher::default();
        let event = "data: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}\n\n";
        let Verdict::Fail(error) = watcher.event(event.as_bytes()) else {
            panic!("it is an error");
        };
        assert_eq!(error.status, 529);
    }

    #[test]
    fn what_comes_behind_the_end_is_not_used() {
        let mut watcher = Watcher::default();
        for output in [5, 7] {
            let delta = format!(
                "data:{{\"type\":\"message_delta\",\"usage\":{{\"output_tokens\":{output}}}}}\n\n"
            );
            watcher.event(delta.as_bytes());
            watcher.event(b"data:{\"type\":\"message_stop\"}\n\n");
        }
        assert_eq!(watcher.seen().tokens.unwrap().output, 5);
    }
}
