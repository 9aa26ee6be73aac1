//! A plain answer of Gemini's dialect → the neutral form: a stream of one piece.

use serde_json::value::RawValue;

use super::super::stream::Reader;
use crate::dialects::convert::Reader as _;
use crate::dialects::json::{Fields, array};
use crate::dialects::neutral::{Reason, Reply};

/// Reads it; `None` when it is none, or an error. An answer that gives no reason to finish is whole all
/// the same, and so is one that came as an array of pieces.
pub(in crate::dialects::gemini) fn read(body: &[u8]) -> Option<Reply> {
    let value: &RawValue = serde_json::from_slice(body).ok()?;
    let says = |name| {
        let mut pieces = std::iter::once(value).chain(array(value));
        pieces.any(|one| Fields::of(one).is_some_and(|mut one| one.take(name).is_some()))
    };
    let spoken = says("candidates");
    if !spoken && !says("promptFeedback") && !says("usageMetadata") {
        return None;
    }
    let (mut reader, mut events) = (Reader::default(), Vec::new());
    reader.piece(body, &mut events).ok()?;
    if !reader.is_finished() {
        reader.finish(if spoken { Reason::Stop } else { Reason::Other });
    }
    reader.end(&mut events);
    Some(Reply::fold(events))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialects::neutral::Kind;

    #[test]
    fn a_blocked_prompt_is_refused_and_has_its_usage() {
        let reply = read(
            br#"{"candidates":[],"promptFeedback":{"blockReason":"SAFETY"},
            "usageMetadata":{"promptTokenCount":12},"modelVersion":"m"}"#,
        )
        .unwrap();
        assert_eq!(reply.finish.reason, Reason::Refusal);
        assert_eq!(reply.finish.raw.as_deref(), Some("SAFETY"));
        assert_eq!(reply.tokens.unwrap().input, 12);
        assert!(reply.blocks.is_empty());
    }

    #[test]
    fn only_the_first_candidate_is_read() {
        let reply = read(
            br#"{"candidates":[{"index":1,"content":{"parts":[{"text":"no"}]}},
            {"index":0,"content":{"parts":[{"text":"yes"}]},"finishReason":"MAX_TOKENS"}]}"#,
        )
        .unwrap();
        assert!(matches!(&reply.blocks[0].kind, Kind::Text(text) if text == "yes"));
        assert_eq!(reply.finish.reason, Reason::Length);
        assert_eq!(reply.blocks.len(), 1);
    }

    #[test]
    fn what_is_no_answer_is_none() {
        for body in [r#"{"error":{"code":503}}"#, "{}", "[]", "<html>", r#""x""#] {
            assert!(read(body.as_bytes()).is_none(), "{body}");
        }
    }
}
