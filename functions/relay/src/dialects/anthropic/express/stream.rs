//! A streamed answer of Anthropic's dialect: usage at its start and near its end.
//! <https://docs.anthropic.com/en/docs/build-with-claude/streaming>

use super::super::failure;
use super::super::wire::{MessageDelta, MessageStart, Usage};
use super::reply::add_delivered;
use crate::dialects::UpstreamError;
use crate::dialects::sse;
use crate::dialects::watch::{Seen, Verdict, Watch};

#[derive(Debug, Default)]
pub(in crate::dialects) struct Watcher {
    usage: Option<Usage>,
    seen: Seen,
}

impl Watch for Watcher {
    fn event(&mut self, event: &[u8]) -> Verdict {
        let Some(data) = sse::data(event) else {
            return Verdict::Pass;
        };
        match sse::name(event).unwrap_or_default() {
            b"ping" => return Verdict::Pass,
            b"error" => {
                let unnamed = || UpstreamError {
                    code: "api_error".to_owned(),
                    status: 502,
                    message: String::new(),
                    retry_after_s: None,
                };
                return Verdict::Fail(failure::read(200, &data).unwrap_or_else(unnamed));
            }
            b"message_start" => {
                let start = serde_json::from_slice::<MessageStart>(&data).ok();
                self.add(start.and_then(|start| start.message.usage));
            }
            b"message_delta" => {
                let delta = serde_json::from_slice::<MessageDelta>(&data).ok();
                self.add(delta.and_then(|delta| delta.usage));
            }
            b"message_stop" => {
                self.seen.complete = true;
                self.seen.over = true;
            }
            _ => add_delivered(&mut self.seen.delivered, &data),
        }
        self.seen.began = true;
        Verdict::Pass
    }

    fn seen(&self) -> Seen {
        // The output told at the start is a token or two: before the end it is no usage.
        let so_far = self.usage.map(Usage::tokens);
        Seen {
            tokens: so_far.filter(|_| self.seen.complete),
            so_far,
            ..self.seen
        }
    }
}

impl Watcher {
    fn add(&mut self, later: Option<Usage>) {
        if let Some(later) = later {
            self.usage = Some(self.usage.unwrap_or_default().then(later));
        }
    }
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
}
