//! What an answer says, put into blocks: one text, thought or refusal at a time, and calls beside.

use super::calls::{Calls, InChunk, Piece};
use crate::dialects::json::Halves;
use crate::dialects::neutral::order::Queue;
use crate::dialects::neutral::reply::Citation;
use crate::dialects::neutral::{Block, Event, Opaque, Opening};
use crate::dialects::openai_chat::thought::Detail;
use serde_json::value::RawValue;

/// What is said in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Words {
    Text,
    Refusal,
    /// A thought; several are told apart by a key.
    Thought(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Key {
    Words,
    Call(usize),
}

/// Halves of characters that wait for the others, by what they belong to.
#[derive(Debug, Default)]
struct Waiting {
    text: Halves,
    refusal: Halves,
    thought: Halves,
}

impl Waiting {
    fn of(&mut self, words: &Words) -> &mut Halves {
        match words {
            Words::Text => &mut self.text,
            Words::Refusal => &mut self.refusal,
            Words::Thought(_) => &mut self.thought,
        }
    }
}

/// The blocks of an answer, as far as it has come.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    queue: Queue<Key>,
    open: Option<Words>,
    halves: Waiting,
    thought: Detail,
    calls: Calls,
    /// What the next text cites.
    citations: Vec<Citation>,
    /// Whether there has been any text.
    pub(super) has_text: bool,
    /// The answer, by which ids are made for calls that have none.
    pub(super) answer: String,
}

impl Blocks {
    /// A piece of text, thought or refusal.
    pub(super) fn say(&mut self, words: Words, piece: &RawValue, out: &mut Vec<Event>) {
        let text = self.halves.of(&words).text(piece);
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            self.add(words, text, out);
        }
    }

    fn add(&mut self, words: Words, text: String, out: &mut Vec<Event>) {
        self.open(words, out);
        self.queue.delta(&Key::Words, text, out);
    }

    fn open(&mut self, words: Words, out: &mut Vec<Event>) {
        if self.open.as_ref() == Some(&words) {
            return;
        }
        self.close_words(out);
        self.close_whole_calls(out);
        let opening = match words {
            Words::Text => Opening::Text,
            Words::Refusal => Opening::Refusal,
            Words::Thought(_) => Opening::Reasoning,
        };
        self.queue.open(Key::Words, opening, out);
        self.has_text |= words == Words::Text;
        self.open = Some(words);
        if self.open == Some(Words::Text) {
            for citation in std::mem::take(&mut self.citations) {
                self.queue.push(&Key::Words, Event::Citation(citation), out);
            }
        }
    }

    fn close_words(&mut self, out: &mut Vec<Event>) {
        let Some(words) = self.open.take() else {
            return;
        };
        if let Some(half) = self.halves.of(&words).rest() {
            self.queue.delta(&Key::Words, half.to_string(), out);
        }
        let thought = std::mem::take(&mut self.thought);
        if let Words::Thought(_) = words
            && let Some(state) = thought.state()
        {
            self.queue.opaque(&Key::Words, state, out);
        }
        self.queue.close(&Key::Words, out);
    }

    /// A piece of `reasoning_details`.
    pub(super) fn detail(&mut self, detail: &RawValue, out: &mut Vec<Event>) {
        let halves = &mut self.halves.thought;
        let Some(mut detail) = Detail::read(detail, |text| halves.text(text)) else {
            return;
        };
        if detail.encrypted {
            if let Some(state) = detail.state() {
                let block = Block::new(crate::dialects::neutral::Kind::Redacted);
                self.whole(block.with_opaque(Some(state)), out);
            }
            return;
        }
        let text = detail.text.take().filter(|text| !text.is_empty());
        let words = Words::Thought(detail.key.clone());
        if text.is_none() && detail.state().is_none() && self.open.as_ref() != Some(&words) {
            return;
        }
        self.open(words.clone(), out);
        self.thought.merge(detail);
        if let Some(text) = text {
            self.add(words, text, out);
        }
    }

    /// A block that comes in one piece.
    pub(super) fn whole(&mut self, block: Block, out: &mut Vec<Event>) {
        self.queue.whole(block, out);
    }

    /// What the text cites.
    pub(super) fn cite(&mut self, citation: Citation, out: &mut Vec<Event>) {
        if self.open == Some(Words::Text) {
            self.queue.push(&Key::Words, Event::Citation(citation), out);
        } else {
            self.citations.push(citation);
        }
    }

    /// State of the message: of its text, or else of its last call.
    pub(super) fn state(&mut self, state: Opaque, out: &mut Vec<Event>) {
        let last = self.calls.all.len().checked_sub(1);
        match last.map(Key::Call).filter(|key| self.queue.has(key)) {
            Some(call) if self.open != Some(Words::Text) => {
                self.queue.opaque(&call, state, out);
            }
            _ => {
                self.open(Words::Text, out);
                self.queue.opaque(&Key::Words, state, out);
            }
        }
    }

    /// Some pieces of calls.
    pub(super) fn call(&mut self, pieces: Vec<Piece>, out: &mut Vec<Event>) {
        let (many, calls_before) = (pieces.len(), self.calls.all.len());
        for (position, piece) in pieces.into_iter().enumerate() {
            let state = piece.state.clone();
            let chunk = InChunk {
                position,
                many,
                calls_before,
            };
            let before = self.calls.all.len();
            let Some((at, more)) = self.calls.put(piece, &chunk) else {
                continue;
            };
            if self.calls.all.len() > before {
                self.close_words(out);
                self.close_whole_calls(out);
            }
            let Some(call) = self.calls.all.get_mut(at) else {
                continue;
            };
            if call.opened {
                self.queue.delta(&Key::Call(at), more, out);
            } else if !call.name.is_empty() {
                self.open_call(at, out);
            }
            match (state, self.calls.all.get_mut(at)) {
                (Some(state), Some(call)) if !call.opened => call.state = Some(state),
                (Some(state), _) => self.queue.opaque(&Key::Call(at), state, out),
                (None, _) => {}
            }
        }
    }

    /// Opens a call, with all that has come of it.
    fn open_call(&mut self, at: usize, out: &mut Vec<Event>) {
        let id = self.calls.id(at, &self.answer);
        let Some(call) = self.calls.all.get_mut(at) else {
            return;
        };
        call.opened = true;
        let name = call.name.clone();
        let key = Key::Call(at);
        self.queue
            .open(key.clone(), Opening::ToolUse { id, name }, out);
        self.queue.delta(&key, call.arguments.clone(), out);
        if let Some(state) = call.state.take() {
            self.queue.opaque(&key, state, out);
        }
    }

    /// Closes the calls whose arguments are all there: something else begins.
    fn close_whole_calls(&mut self, out: &mut Vec<Event>) {
        for (at, call) in self.calls.all.iter_mut().enumerate() {
            if call.opened && !call.closed && call.is_whole() {
                call.closed = true;
                self.queue.close(&Key::Call(at), out);
            }
        }
    }

    /// The answer is at its end.
    pub(super) fn close(&mut self, out: &mut Vec<Event>) {
        // Halves for which no text has been opened.
        if let Some(half) = self.halves.text.rest() {
            self.add(Words::Text, half.to_string(), out);
        }
        self.close_words(out);
        for at in 0..self.calls.all.len() {
            let Some(call) = self.calls.all.get_mut(at) else {
                continue;
            };
            let half = call.halves.rest();
            // Its name has never come.
            if !call.opened {
                self.open_call(at, out);
            }
            if let Some(half) = half {
                self.queue.delta(&Key::Call(at), half.to_string(), out);
            }
        }
        self.queue.close_all(out);
    }
}
