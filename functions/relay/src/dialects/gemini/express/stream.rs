//! A streamed answer of Gemini's dialect: every piece is an answer with the usage so far, and nothing
//! marks the last one. <https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent>

use std::collections::BTreeSet;

use bytes::{Bytes, BytesMut};
use shared::domain::id::RequestId;
use shared::failure::Failure;

use super::super::failure;
use super::super::frame::Frame;
use super::super::usage::Searches;
use super::reply::{Piece, add_delivered};
use crate::dialects::sse;
use crate::dialects::watch::{Seen, Verdict, Watch};

#[derive(Debug)]
pub(in crate::dialects) struct Watcher {
    frame: Frame,
    /// How many answers there will be, and which have told why they ended.
    answers: u64,
    finished: BTreeSet<u64>,
    searches: Searches,
    seen: Seen,
}

impl Watcher {
    pub(in crate::dialects) fn new(events: bool, answers: u64) -> Self {
        Self {
            frame: Frame::new(events),
            answers,
            finished: BTreeSet::new(),
            searches: Searches::default(),
            seen: Seen::default(),
        }
    }

    /// The piece as the caller wants it.
    fn pass(&mut self, piece: &[u8]) -> Verdict {
        if self.frame.has_events() {
            return Verdict::Pass;
        }
        let mut out = BytesMut::new();
        self.frame.put(piece, &mut out);
        Verdict::Replace(out.freeze())
    }
}

impl Watch for Watcher {
    fn event(&mut self, event: &[u8]) -> Verdict {
        // Google's clients take a comment, and the last word of other dialects, for an answer.
        let data = sse::data(event).filter(|data| data.trim_ascii() != b"[DONE]");
        let Some(data) = data else {
            return Verdict::Drop;
        };
        let Ok(piece) = serde_json::from_slice::<Piece<'_>>(&data) else {
            // What is no piece may still be an error in an array; an array may hold nothing else.
            return match failure::read(200, &data) {
                Some(error) => Verdict::Fail(error),
                None if self.frame.has_events() => Verdict::Pass,
                None => Verdict::Drop,
            };
        };
        if piece.error.is_some()
            && let Some(error) = failure::read(200, &data)
        {
            return Verdict::Fail(error);
        }
        self.seen.began = true;
        let before = self.seen.delivered.length();
        add_delivered(&mut self.seen.delivered, &data);
        self.seen.current &= self.seen.delivered.length() == before;
        self.finished.extend(piece.finished());
        self.seen.complete |= piece.is_blocked() || self.finished.len() as u64 >= self.answers;
        // What comes later replaces what came before.
        piece.count(&mut self.searches);
        if let Some(usage) = piece.tokens() {
            self.seen.so_far = Some(usage);
            self.seen.current = true;
        }
        let so_far = self.seen.so_far.map(|usage| self.searches.add(usage));
        let is_all = self.seen.complete && self.seen.current;
        self.seen.so_far = so_far;
        self.seen.tokens = so_far.filter(|_| is_all);
        self.pass(&data)
    }

    fn end(&mut self) -> Option<Bytes> {
        // Without a reason to finish the answer was cut, and how that ends is said elsewhere.
        if !self.seen.complete {
            return None;
        }
        self.seen.over = true;
        let mut out = BytesMut::new();
        self.frame.close(&mut out);
        (!out.is_empty()).then(|| out.freeze())
    }

    fn fail(&mut self, failure: &Failure, id: RequestId) -> Option<Bytes> {
        Some(self.frame.fail(&failure::write(failure, id)))
    }

    fn seen(&self) -> &Seen {
        &self.seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIECES: [&str; 2] = [
        r#"{"candidates":[{"content":{"parts":[{"text":"hi"}]}}],"usageMetadata":{"promptTokenCount":3}}"#,
        r#"{"candidates":[{"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":2}}"#,
    ];

    #[test]
    fn the_last_usage_counts_once_there_is_a_reason_to_finish() {
        let mut watcher = Watcher::new(true, 1);
        for piece in PIECES {
            assert_eq!(watcher.seen().tokens, None);
            let event = format!("data: {piece}\r\n\r\n");
            assert_eq!(watcher.event(event.as_bytes()), Verdict::Pass);
        }
        let seen = watcher.seen();
        assert!(seen.complete && !seen.over);
        assert_eq!(seen.tokens.unwrap().output, 2);
        assert_eq!(watcher.end(), None);
        assert!(watcher.seen().over);
    }

    #[test]
    fn what_googles_clients_would_take_for_an_answer_is_dropped() {
        for events in [true, false] {
            let mut watcher = Watcher::new(events, 1);
            for event in [": note\n\n", "data: [DONE]\n\n"] {
                assert_eq!(watcher.event(event.as_bytes()), Verdict::Drop);
            }
            assert!(!watcher.seen().began);
        }
    }

    #[test]
    fn every_candidate_must_finish() {
        let mut watcher = Watcher::new(true, 2);
        for index in [0, 0, 1] {
            assert!(!watcher.seen().complete);
            let event =
                format!(r#"data: {{"candidates":[{{"finishReason":"STOP","index":{index}}}]}}"#);
            watcher.event(event.as_bytes());
        }
        assert!(watcher.seen().complete);
    }

    #[test]
    fn events_become_the_elements_of_an_array() {
        let mut watcher = Watcher::new(false, 1);
        let mut out = BytesMut::new();
        for piece in PIECES {
            match watcher.event(format!("data: {piece}\n\n").as_bytes()) {
                Verdict::Replace(bytes) => out.extend_from_slice(&bytes),
                other => panic!("{other:?}"),
            }
        }
        out.extend_from_slice(&watcher.end().unwrap());
        let array: Vec<serde_json::Value> = serde_json::from_slice(&out).unwrap();
        assert_eq!(array.len(), 2);
    }

    #[test]
    fn an_error_is_the_last_element_of_an_array_that_was_cut() {
        let mut watcher = Watcher::new(false, 1);
        let Verdict::Replace(first) = watcher.event(format!("data: {}", PIECES[0]).as_bytes())
        else {
            panic!()
        };
        assert_eq!(watcher.end(), None);
        let failure = Failure::new(shared::failure::Kind::BadGateway, "x", "Broken.");
        let last = watcher.fail(&failure, RequestId::from_bits(1)).unwrap();
        let array = [first, last].concat();
        let array: Vec<serde_json::Value> = serde_json::from_slice(&array).unwrap();
        assert_eq!(array[1]["error"]["code"], 502);
    }

    #[test]
    fn an_error_in_place_of_a_piece_is_an_error() {
        for data in [
            r#"{"error":{"code":503,"status":"UNAVAILABLE"}}"#,
            r#"[{"error":{"code":503,"status":"UNAVAILABLE"}}]"#,
        ] {
            let mut watcher = Watcher::new(true, 1);
            let Verdict::Fail(error) = watcher.event(format!("data: {data}\n\n").as_bytes()) else {
                panic!("{data}")
            };
            assert_eq!(error.status, 503);
        }
    }

    #[test]
    fn a_blocked_prompt_is_a_whole_answer() {
        let mut watcher = Watcher::new(true, 1);
        watcher.event(br#"data: {"promptFeedback":{"blockReason":"SAFETY"}}"#);
        assert!(watcher.seen().complete);
    }
}
