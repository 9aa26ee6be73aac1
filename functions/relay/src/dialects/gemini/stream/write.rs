//! Events → a streamed answer of Gemini's dialect: pieces as they come, calls whole, and why it ended
//! and what it used in the last piece.

use bytes::{Bytes, BytesMut};
use shared::domain::id::RequestId;
use shared::domain::usage::Usage;
use shared::failure::Failure;

use super::super::failure;
use super::super::frame::Frame;
use super::super::reply::{Heading, Said, part};
use crate::dialects::Asked;
use crate::dialects::convert;
use crate::dialects::json::{Json, Object};
use crate::dialects::neutral::{Block, Event, Finish, Kind, Opaque};

/// Writes one answer.
#[derive(Debug)]
pub(in crate::dialects::gemini) struct Writer {
    frame: Frame,
    heading: Heading,
    said: Said,
    /// The open block; a call fills until it closes.
    open: Option<Block>,
    tokens: Option<Usage>,
    finish: Finish,
}

impl Writer {
    pub(in crate::dialects::gemini) fn new(asked: &Asked<'_>) -> Self {
        Self {
            frame: Frame::new(asked.wanted.events),
            heading: Heading::new(None, None, asked),
            said: Said::default(),
            open: None,
            tokens: None,
            finish: Finish::default(),
        }
    }

    fn put(&mut self, part: Json, out: &mut BytesMut) {
        let piece = self.heading.piece(part);
        self.frame.put(&piece, out);
    }

    fn whole(&mut self, block: &Block, out: &mut BytesMut) {
        if let Kind::Text(text) | Kind::Refusal(text) = &block.kind {
            self.said.begin();
            self.said.say(text);
        }
        if let Some(part) = part(block) {
            self.put(part, out);
        }
    }

    fn delta(&mut self, more: String, out: &mut BytesMut) {
        let Some(block) = &mut self.open else { return };
        let kind = match &block.kind {
            Kind::ToolUse(_) => return block.append(&more),
            Kind::Reasoning(_) => Kind::Reasoning(more),
            _ => {
                self.said.say(&more);
                Kind::Text(more)
            }
        };
        self.whole_piece(&Block::new(kind), out);
    }

    /// State comes after the text that it belongs to, on a part without one.
    fn state(&mut self, state: Opaque, out: &mut BytesMut) {
        let Some(block) = &mut self.open else { return };
        let kind = match &block.kind {
            Kind::ToolUse(_) => {
                block.opaque = Some(state);
                return;
            }
            Kind::Reasoning(_) => Kind::Reasoning(String::new()),
            _ => Kind::Text(String::new()),
        };
        self.whole_piece(&Block::new(kind).with_opaque(Some(state)), out);
    }

    fn whole_piece(&mut self, block: &Block, out: &mut BytesMut) {
        if let Some(part) = part(block) {
            self.put(part, out);
        }
    }

    fn end(&mut self, out: &mut BytesMut) {
        let nothing = Object::new().with("text", "").into();
        let last = self.said.last(vec![nothing], &self.finish);
        let piece = self.heading.response(last, self.tokens.as_ref());
        self.frame.put(&piece, out);
        self.frame.close(out);
    }
}

impl convert::Writer for Writer {
    fn write(&mut self, event: Event, out: &mut BytesMut) {
        match event {
            Event::Start { id, model } => {
                self.heading.id = id.unwrap_or_else(|| std::mem::take(&mut self.heading.id));
                let asked = &mut self.heading.model;
                *asked = model.unwrap_or_else(|| std::mem::take(asked));
            }
            Event::Open(opening) => {
                let block = opening.block();
                if matches!(block.kind, Kind::Text(_) | Kind::Refusal(_)) {
                    self.said.begin();
                }
                self.open = Some(block);
            }
            Event::Delta(more) => self.delta(more, out),
            Event::Citation(citation) => self.said.cite(citation),
            Event::Opaque(state) => self.state(state, out),
            Event::Close => {
                if let Some(call) = self.open.take()
                    && matches!(call.kind, Kind::ToolUse(_))
                {
                    self.whole_piece(&call, out);
                }
            }
            Event::Whole(block) => self.whole(&block, out),
            Event::Usage(tokens) => self.tokens = Some(tokens),
            Event::Finish(finish) => self.finish = finish,
            Event::End => self.end(out),
        }
    }

    fn fail(&mut self, failure: &Failure, id: RequestId) -> Option<Bytes> {
        Some(self.frame.fail(&failure::write(failure, id)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Reader;
    use super::*;
    use crate::dialects::convert::{Reader as _, Writer as _};
    use crate::dialects::neutral::reply::Citation;
    use crate::dialects::neutral::{Origin, Reason, Reply};
    use crate::dialects::{Wanted, sse};

    fn wanted(events: bool) -> Wanted {
        Wanted {
            body: Bytes::new(),
            model: "asked".to_owned(),
            stream: true,
            events,
            usage_wanted: true,
            max_output: None,
            answers: 1,
        }
    }

    fn asked(wanted: &Wanted) -> Asked<'_> {
        Asked {
            wanted,
            id: RequestId::from_bits(7),
            at_s: 0,
        }
    }

    fn said() -> Reply {
        let sealed = Opaque::new(Origin::Anthropic, "state");
        Reply {
            id: Some("r".to_owned()),
            model: None,
            blocks: vec![
                Block::new(Kind::Reasoning("hm".to_owned())).with_opaque(Some(sealed.clone())),
                Block::new(Kind::Redacted).with_opaque(Some(sealed)),
                Block::text("né wörld"),
                Block::call("call_1", "f", r#"{"a":1}"#),
            ],
            citations: vec![(
                2,
                Citation {
                    url: Some("https://a".to_owned()),
                    span: Some((3, 8)),
                    ..Citation::default()
                },
            )],
            finish: Finish::new(Reason::ToolUse, "tool_use"),
            tokens: Some(Usage {
                input: 3,
                output: 5,
                reasoning: 2,
                ..Usage::default()
            }),
            extras: crate::dialects::neutral::request::Extras::default(),
        }
    }

    fn stream(events: bool) -> BytesMut {
        let wanted = wanted(events);
        let (mut writer, mut out) = (Writer::new(&asked(&wanted)), BytesMut::new());
        for event in said().unfold() {
            writer.write(event, &mut out);
        }
        out
    }

    #[test]
    fn a_stream_tells_what_the_plain_answer_tells() {
        let wanted = wanted(true);
        let plain = super::super::super::reply::write(&said(), &asked(&wanted));
        let plain = super::super::super::reply::read(&plain).unwrap();
        let (mut reader, mut events) = (Reader::default(), Vec::new());
        let out = stream(true);
        for event in String::from_utf8_lossy(&out).split_inclusive("\r\n\r\n") {
            reader.event(event.as_bytes(), &mut events).unwrap();
        }
        reader.end(&mut events);
        let streamed = Reply::fold(events);
        assert_eq!(format!("{streamed:?}"), format!("{plain:?}"));
        assert_eq!(plain.model.as_deref(), Some("asked"));
        assert_eq!(plain.tokens, said().tokens);
        assert_eq!(plain.finish.reason, Reason::ToolUse);
    }

    #[test]
    fn only_the_last_piece_ends_and_counts() {
        let out = stream(true);
        let pieces: Vec<serde_json::Value> = String::from_utf8_lossy(&out)
            .split_inclusive("\r\n\r\n")
            .map(|event| serde_json::from_slice(&sse::data(event.as_bytes()).unwrap()).unwrap())
            .collect();
        let (last, others) = pieces.split_last().unwrap();
        assert_eq!(last["candidates"][0]["finishReason"], "STOP");
        assert_eq!(last["usageMetadata"]["thoughtsTokenCount"], 2);
        let grounding = &last["candidates"][0]["groundingMetadata"]["groundingSupports"][0];
        assert_eq!(grounding["segment"]["startIndex"], 4);
        assert_eq!(grounding["segment"]["text"], "wörld");
        for piece in others {
            assert!(piece["usageMetadata"].is_null());
            assert!(piece["candidates"][0]["finishReason"].is_null());
            assert_eq!(piece["responseId"], "r");
        }
        let call = &others.last().unwrap()["candidates"][0]["content"]["parts"][0]["functionCall"];
        assert_eq!(call["args"]["a"], 1);
    }

    #[test]
    fn without_events_it_is_one_array() {
        let out = stream(false);
        let pieces: Vec<serde_json::Value> = serde_json::from_slice(&out).unwrap();
        assert!(pieces.len() > 3);
    }
}
