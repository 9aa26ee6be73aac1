//! What is told when a part or an item is done: what was not told before, citations, state.

use serde_json::value::RawValue;

use super::super::super::items;
use super::super::super::reply::read::{self as plain, call_id};
use super::output::{Item, Output, Part, Place, Shape, Telling};
use crate::dialects::json::{Fields, array};
use crate::dialects::neutral::{Block, Event, Kind, Opening, Reply};

impl Output {
    /// A part is done.
    pub(super) fn finish_part(
        &mut self,
        place: Place,
        number: u64,
        raw: &RawValue,
        out: &mut Vec<Event>,
    ) {
        let mut fields = Fields::of(raw).unwrap_or_default();
        let (telling, _) = telling(&mut fields.clone());
        let shape = match telling {
            Telling::Thought => Shape::Thought,
            _ => Shape::Message,
        };
        let at = self.find(place, shape);
        self.end_part(at, number, &mut fields, out);
    }

    fn end_part(&mut self, at: usize, number: u64, fields: &mut Fields<'_>, out: &mut Vec<Event>) {
        let (telling, name) = telling(fields);
        if let Some(text) = fields.take(name) {
            self.tell_whole(at, (telling, number), text, out);
        }
        self.cite_part(at, (telling, number), fields, out);
    }

    /// The citations of a part, where none was told before.
    fn cite_part(&mut self, at: usize, part: Part, fields: &mut Fields<'_>, out: &mut Vec<Event>) {
        let annotations = fields.array("annotations");
        let Some(item) = self.items.get(at) else {
            return;
        };
        let mut blocks = item.blocks.iter();
        let open = blocks.position(|block| block.part == part && !block.closed && !block.cited);
        if let Some(number) = open
            && !annotations.is_empty()
        {
            self.cite_block((at, number), &annotations, out);
        }
    }

    /// An item is done.
    pub(super) fn finish(&mut self, mut place: Place, raw: &RawValue, out: &mut Vec<Event>) {
        let Some(mut fields) = Fields::of(raw) else {
            return;
        };
        let shape = Shape::of(&fields.text("type").unwrap_or_default());
        place.id = fields.clone().text("id").or(place.id);
        let id = place.id.clone();
        let mut at = self.find(place, shape);
        if let Some(item) = self.items.get(at).filter(|item| item.done) {
            if item.place.id == id {
                return;
            }
            // A server that gives all items the same place.
            at = self.items.len();
            self.items.push(Item::new(Place { index: None, id }, shape));
        }
        match shape {
            Shape::Message => {
                let Some(content) = fields.take("content") else {
                    return self.close_item(at, out);
                };
                // Some servers write a mere text.
                if content.get().starts_with('"') {
                    self.tell_whole(at, (Telling::Text, 0), content, out);
                }
                let parts = array(content);
                // Some servers count parts in another way than they list them.
                let told = self.items.get(at).map_or(0, |item| item.told.len());
                let all = told >= parts.len();
                for (number, raw) in (0..).zip(parts) {
                    let mut part = Fields::of(raw).unwrap_or_default();
                    if all {
                        let (telling, _) = telling(&mut part);
                        self.cite_part(at, (telling, number), &mut part, out);
                    } else {
                        self.end_part(at, number, &mut part, out);
                    }
                }
            }
            Shape::Thought => self.finish_thought(at, raw, out),
            Shape::Function | Shape::Custom => self.finish_call(at, &mut fields, out),
            Shape::Other => {
                let mut reply = Reply::default();
                plain::item(raw, &mut reply);
                self.say(reply, out);
            }
        }
        self.close_item(at, out);
    }

    /// The thought, if it was not told before, and its state.
    fn finish_thought(&mut self, at: usize, raw: &RawValue, out: &mut Vec<Event>) {
        let mut reply = Reply::default();
        plain::item(raw, &mut reply);
        let Some(thought) = reply.blocks.pop() else {
            return;
        };
        let Kind::Reasoning(text) = thought.kind else {
            return;
        };
        let Some(item) = self.items.get(at) else {
            return;
        };
        let last = item.blocks.last().map(|block| block.closed);
        let number = item.blocks.len().saturating_sub(1);
        let key = match last {
            None => {
                let key = self.open(at, (Telling::Summary, 0), Opening::Reasoning, out);
                self.queue.delta(&key, text, out);
                key
            }
            Some(false) => (at, number),
            Some(true) => {
                // The thought was closed before its state came: that is told apart from it.
                if let Some(opaque) = thought.opaque {
                    let empty = Kind::Reasoning(String::new());
                    let block = Block::new(empty);
                    self.queue.whole(block.with_opaque(Some(opaque)), out);
                }
                return;
            }
        };
        if let Some(opaque) = thought.opaque {
            self.queue.opaque(&key, opaque, out);
        }
    }

    fn finish_call(&mut self, at: usize, fields: &mut Fields<'_>, out: &mut Vec<Event>) {
        let Some(item) = self.items.get_mut(at) else {
            return;
        };
        let whole = fields.text(item.shape.input());
        if item.blocks.is_empty() {
            item.call.id = call_id(fields).or_else(|| item.call.id.take());
            item.call.name = fields.text("name").or_else(|| item.call.name.take());
            self.open_call(at, out);
        }
        self.fill_call(at, whole, out);
    }

    /// The input of a call that was not told piece by piece.
    pub(super) fn fill_call(&mut self, at: usize, whole: Option<String>, out: &mut Vec<Event>) {
        let Some(item) = self.items.get_mut(at) else {
            return;
        };
        let part = (Telling::Input, 0);
        if item.blocks.is_empty() || item.told.contains(&part) {
            return;
        }
        item.told.push(part);
        let known = std::mem::take(&mut item.call.input);
        let text = whole.filter(|text| !text.is_empty()).unwrap_or(known);
        let text = match item.shape {
            Shape::Custom => items::escaped(&text),
            _ => text,
        };
        self.queue.delta(&(at, 0), text, out);
    }
}

/// What a part is, and which member tells it.
fn telling(part: &mut Fields<'_>) -> (Telling, &'static str) {
    match part.text("type").as_deref() {
        Some("refusal") => (Telling::Refusal, "refusal"),
        Some("reasoning_text") => (Telling::Thought, "text"),
        _ => (Telling::Text, "text"),
    }
}
