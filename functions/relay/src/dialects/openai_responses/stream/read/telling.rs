//! What an item says: piece by piece, or in full at an end, which counts only where nothing was told
//! before.

use serde_json::value::RawValue;

use super::super::super::items;
use super::output::{Key, Output, Part, Place, Shape, Telling};
use crate::dialects::json::text;
use crate::dialects::neutral::{Event, Opening};

/// A text that says nothing.
const EMPTY: &str = "\"\"";

impl Output {
    /// A piece of a text.
    pub(super) fn tell(&mut self, at: usize, part: Part, piece: &RawValue, out: &mut Vec<Event>) {
        let Some(item) = self.items.get_mut(at).filter(|item| !item.done) else {
            return;
        };
        if item.shape.is_call() && item.blocks.is_empty() {
            // Nobody has said whom to call.
            let more = text(piece).unwrap_or_default();
            item.call.input.push_str(&more);
            return;
        }
        if !item.told.contains(&part) {
            item.told.push(part);
        }
        self.say_piece(at, part, piece, out);
    }

    /// The whole of a text, at its end.
    pub(super) fn tell_whole(
        &mut self,
        at: usize,
        part: Part,
        whole: &RawValue,
        out: &mut Vec<Event>,
    ) {
        let Some(item) = self.items.get_mut(at).filter(|item| !item.done) else {
            return;
        };
        if item.shape.is_call() && item.blocks.is_empty() {
            item.call.input = text(whole).unwrap_or_default();
            return;
        }
        if !item.told.contains(&part) && whole.get() != EMPTY {
            item.told.push(part);
            self.say_piece(at, part, whole, out);
        }
        let Some(item) = self.items.get_mut(at) else {
            return;
        };
        // A thought goes on until its state is told.
        let thought = item.shape == Shape::Thought;
        let ended = item.blocks.iter_mut().filter(|block| block.part == part);
        ended.for_each(|block| block.ended = !thought);
    }

    fn say_piece(&mut self, at: usize, part: Part, piece: &RawValue, out: &mut Vec<Event>) {
        if piece.get() == EMPTY {
            return;
        }
        let Some((key, gap)) = self.block(at, part, out) else {
            return;
        };
        let Some(item) = self.items.get_mut(at) else {
            return;
        };
        let custom = item.shape == Shape::Custom;
        let block = item.blocks.get_mut(key.1);
        let said = block.and_then(|block| block.halves.text(piece));
        if gap {
            self.queue.delta(&key, "\n\n".to_owned(), out);
        }
        let said = said.unwrap_or_default();
        let said = if custom { items::escaped(&said) } else { said };
        self.queue.delta(&key, said, out);
    }

    /// The block of a part, opened if it is not; and whether the thought goes on in a new paragraph.
    fn block(&mut self, at: usize, part: Part, out: &mut Vec<Event>) -> Option<(Key, bool)> {
        let item = self.items.get_mut(at)?;
        let thought = item.shape == Shape::Thought;
        let last = item.blocks.len().checked_sub(1);
        let known = if thought || item.shape.is_call() {
            last
        } else {
            item.blocks.iter().position(|block| block.part == part)
        };
        if let Some(number) = known {
            let block = item.blocks.get_mut(number)?;
            // A thought is told once: as it was thought, or as a summary.
            if thought && block.part.0 != part.0 {
                return None;
            }
            if !block.closed {
                let gap = thought && block.part != part;
                block.part = part;
                return Some(((at, number), gap));
            }
            if !thought {
                return None;
            }
        }
        let opening = match part.0 {
            Telling::Text => Opening::Text,
            Telling::Refusal => Opening::Refusal,
            Telling::Thought | Telling::Summary => Opening::Reasoning,
            Telling::Input => return None,
        };
        Some((self.open(at, part, opening, out), false))
    }

    /// A citation of a text.
    pub(super) fn cite(
        &mut self,
        place: &Place,
        number: u64,
        annotation: &RawValue,
        out: &mut Vec<Event>,
    ) {
        let part = (Telling::Text, number);
        let mut items = self.items.iter();
        let at = items.rposition(|item| item.shape == Shape::Message && place.is_of(&item.place));
        let Some(at) = at else {
            return;
        };
        if let Some((key, _)) = self.block(at, part, out) {
            self.cite_block(key, &[annotation], out);
        }
    }

    /// Citations of the text in a block.
    pub(super) fn cite_block(&mut self, key: Key, annotations: &[&RawValue], out: &mut Vec<Event>) {
        let item = self.items.get_mut(key.0);
        if let Some(block) = item.and_then(|item| item.blocks.get_mut(key.1)) {
            block.cited = true;
        }
        for annotation in annotations {
            let citation = Event::Citation(items::citation(annotation));
            self.queue.push(&key, citation, out);
        }
    }
}
