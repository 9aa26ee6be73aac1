//! What a chunk says more: a delta, or a whole message, which is a delta that has everything.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;

use super::blocks::{Blocks, Words};
use super::calls::{self, Piece};
use crate::dialects::json::{Fields, Raw, array, text};
use crate::dialects::neutral::{Block, Event, Kind};
use crate::dialects::openai_chat::{media, wire};

/// The members that tell a thought as a text, the usual one first. Some servers fill two of them with
/// the same.
const THOUGHTS: [&str; 3] = ["reasoning_content", "reasoning", "reasoning_text"];

/// Puts all that a delta says into blocks.
pub(super) fn read(
    mut delta: Fields<'_>,
    blocks: &mut Blocks,
    spoken: &mut Spoken,
    out: &mut Vec<Event>,
) {
    thoughts(&mut delta, blocks, out);
    if let Some(content) = delta.take("content") {
        read_content(content, blocks, out);
    }
    if let Some(refusal) = delta.take("refusal") {
        blocks.say(Words::Refusal, refusal, out);
    }
    if let Some(audio) = delta.object("audio") {
        spoken.add(audio, blocks, out);
    }
    for image in delta.array("images") {
        part(image, blocks, out);
    }
    for citation in delta.array("annotations") {
        if let Some(citation) = wire::read_annotation(citation) {
            blocks.cite(citation, out);
        }
    }
    let mut pieces = delta
        .take("tool_calls")
        .map(calls::pieces)
        .unwrap_or_default();
    pieces.extend(delta.object("function_call").map(Piece::of_function));
    // Google's endpoint puts the state beside the calls, or into the first of them.
    let stated = pieces.iter().any(|piece| piece.state.is_some());
    blocks.call(pieces, out);
    if let Some(state) = delta.take("extra_content").and_then(wire::read_signature)
        && !stated
    {
        blocks.state(state, out);
    }
}

/// The same thought may stand in details and beside them, or in two members: it is said once.
fn thoughts(delta: &mut Fields<'_>, blocks: &mut Blocks, out: &mut Vec<Event>) {
    let details = delta.array("reasoning_details");
    if !details.iter().any(|detail| has_text(detail)) {
        let said = |name| {
            let piece: &RawValue = delta.take(name)?;
            (piece.get().starts_with('"') && piece.get() != "\"\"").then_some(piece)
        };
        if let Some(piece) = THOUGHTS.into_iter().find_map(said) {
            blocks.say(Words::Thought(String::new()), piece, out);
        }
    }
    for detail in details {
        blocks.detail(detail, out);
    }
}

fn has_text(detail: &RawValue) -> bool {
    let text = Fields::of(detail).and_then(|mut fields| {
        let text = fields.take("text");
        text.or_else(|| fields.take("summary"))
    });
    text.is_some_and(|text| text.get() != "\"\"")
}

/// Content is a text, or Mistral's list of parts.
fn read_content(content: &RawValue, blocks: &mut Blocks, out: &mut Vec<Event>) {
    if !content.get().starts_with('[') {
        blocks.say(Words::Text, content, out);
        return;
    }
    for element in array(content) {
        part(element, blocks, out);
    }
}

fn part(element: &RawValue, blocks: &mut Blocks, out: &mut Vec<Event>) {
    let Some(mut part) = Fields::of(element) else {
        blocks.say(Words::Text, element, out);
        return;
    };
    match part.text("type").as_deref() {
        Some("thinking") => {
            let Some(thinking) = part.take("thinking") else {
                return;
            };
            let words = Words::Thought(String::new());
            let inner = array(thinking).into_iter().filter_map(Fields::of);
            let mut texts: Vec<&RawValue> =
                inner.filter_map(|mut inner| inner.take("text")).collect();
            if texts.is_empty() {
                texts.push(thinking);
            }
            for text in texts {
                blocks.say(words.clone(), text, out);
            }
        }
        Some("image_url") => {
            if let Some(image) = part.take("image_url").and_then(media::read_linked) {
                blocks.whole(Block::new(Kind::Image(image)), out);
            }
        }
        Some("refusal") => {
            if let Some(refusal) = part.take("refusal") {
                blocks.say(Words::Refusal, refusal, out);
            }
        }
        _ => {
            if let Some(text) = part.take("text") {
                blocks.say(Words::Text, text, out);
            }
        }
    }
}

/// A spoken answer, which comes in pieces beside its transcript.
#[derive(Debug, Default)]
pub(super) struct Spoken {
    data: Vec<u8>,
    transcript: Vec<Raw>,
    /// Whether the transcript is the answer's text, because there is no other.
    is_text: Option<bool>,
    id: Option<Raw>,
    expires_at: Option<Raw>,
}

impl Spoken {
    fn add(&mut self, mut audio: Fields<'_>, blocks: &mut Blocks, out: &mut Vec<Event>) {
        if let Some(data) = audio.text("data") {
            self.data
                .extend(STANDARD.decode(data.trim()).unwrap_or_default());
        }
        if let Some(transcript) = audio.take("transcript") {
            if *self.is_text.get_or_insert(!blocks.has_text) {
                blocks.say(Words::Text, transcript, out);
            }
            self.transcript.push(transcript.to_owned());
        }
        let own = |raw: &RawValue| raw.to_owned();
        self.id = audio.take("id").map(own).or_else(|| self.id.take());
        let expires_at = audio.take("expires_at").map(own);
        self.expires_at = expires_at.or_else(|| self.expires_at.take());
    }

    /// The whole of it.
    pub(super) fn finish(&mut self) -> Option<Block> {
        if self.data.is_empty() {
            return None;
        }
        let said: Vec<String> = self.transcript.iter().filter_map(|raw| text(raw)).collect();
        let said = (!said.is_empty()).then(|| crate::dialects::json::Json::from(said.concat()));
        let members = [
            ("id", self.id.take()),
            ("expires_at", self.expires_at.take()),
            ("transcript", said.map(|said| said.to_raw())),
        ];
        let members = members
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        let data = STANDARD.encode(std::mem::take(&mut self.data));
        Some(media::spoken(data, members.collect()))
    }
}
