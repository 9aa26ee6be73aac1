//! A streamed answer for a caller of OpenAI's completions.

use bytes::{BufMut, BytesMut};
use shared::domain::usage::Usage;

use super::wire;
use crate::dialects::json::{Json, Object};
use crate::dialects::neutral::{Event, Opening};
use crate::dialects::openai::usage;
use crate::dialects::{Asked, convert};

/// Speaks in chunks of text.
#[derive(Debug)]
pub(super) struct Writer {
    head: Object,
    usage_wanted: bool,
    /// Whether the open block is part of the completion.
    is_text: bool,
    tokens: Option<Usage>,
}

impl Writer {
    pub(super) fn new(asked: &Asked<'_>) -> Self {
        Self {
            head: wire::head(asked),
            usage_wanted: asked.wanted.usage_wanted,
            is_text: false,
            tokens: None,
        }
    }

    fn chunk(&self, choices: Vec<Object>, usage: Option<Object>, out: &mut BytesMut) {
        let mut chunk = self.head.clone().with("choices", choices);
        if self.usage_wanted {
            chunk.put("usage", usage.map_or(Json::Null, Json::Object));
        }
        out.put_slice(b"data: ");
        out.put_slice(&chunk.to_bytes());
        out.put_slice(b"\n\n");
    }
}

impl convert::Writer for Writer {
    fn write(&mut self, event: Event, out: &mut BytesMut) {
        match event {
            Event::Open(opening) => {
                self.is_text = matches!(opening, Opening::Text | Opening::Refusal);
            }
            Event::Delta(text) if self.is_text => {
                self.chunk(vec![wire::choice(text, None)], None, out);
            }
            Event::Usage(tokens) => self.tokens = Some(tokens),
            Event::Finish(finish) => {
                let reason = Some(wire::finish_word(finish.reason));
                self.chunk(vec![wire::choice(String::new(), reason)], None, out);
            }
            Event::End => {
                if let Some(tokens) = self.tokens.filter(|_| self.usage_wanted) {
                    self.chunk(Vec::new(), Some(usage::write(&tokens)), out);
                }
                out.put_slice(b"data: [DONE]\n\n");
            }
            Event::Start { .. }
            | Event::Delta(_)
            | Event::Citation(_)
            | Event::Opaque(_)
            | Event::Close
            | Event::Whole(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialects::convert::Writer as _;
    use crate::dialects::neutral::{Block, Finish, Kind, Reply};
    use crate::dialects::{Wanted, json::Fields};
    use shared::domain::id::RequestId;

    #[test]
    fn a_stream_tells_the_text_of_the_plain_answer() {
        let wanted = Wanted {
            body: bytes::Bytes::new(),
            model: "alias".to_owned(),
            stream: true,
            events: true,
            usage_wanted: true,
            max_output: None,
            answers: 1,
        };
        let asked = Asked {
            wanted: &wanted,
            id: RequestId::from_parts(1, 2),
            at_s: 3,
        };
        let reply = Reply {
            blocks: vec![
                Block::new(Kind::Reasoning("hm".to_owned())),
                Block::text("Hi \u{1F600}"),
            ],
            finish: Finish::default(),
            tokens: Some(Usage::default()),
            ..Reply::default()
        };
        let plain = super::super::reply::write(&reply, &asked);
        let plain = String::from_utf8(plain.to_vec()).unwrap();
        assert!(
            plain.contains(r#""text":"Hi 😀","index":0,"logprobs":null,"finish_reason":"stop""#)
        );
        let (mut writer, mut out) = (Writer::new(&asked), BytesMut::new());
        for event in reply.unfold() {
            writer.write(event, &mut out);
        }
        let out = String::from_utf8(out.to_vec()).unwrap();
        let data: Vec<&str> = out
            .lines()
            .filter_map(|line| line.strip_prefix("data: "))
            .collect();
        assert_eq!(data.len(), 4, "text, reason, usage, end");
        assert!(data[0].contains(r#""text":"Hi 😀""#) && data[0].contains(r#""usage":null"#));
        assert!(Fields::parse(data[2]).unwrap().object("usage").is_some());
        assert_eq!(data[3], "[DONE]");
    }
}
