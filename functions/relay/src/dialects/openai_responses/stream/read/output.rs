//! The output of a stream: its items, and the blocks that they are told in.
//!
//! Items are told apart by their place in the output and not by their ids, for some servers change
//! those from event to event. Servers differ in how, and whether, they end parts and items.

use serde_json::value::RawValue;

use super::super::super::items;
use super::super::super::reply::read::{Holds, call_id};
use crate::dialects::json::{Fields, Halves};
use crate::dialects::neutral::order::Queue;
use crate::dialects::neutral::{Event, Opening, Reply};

/// Of which item, and which of its blocks.
pub(super) type Key = (usize, usize);

/// Where an event belongs.
#[derive(Debug, Default)]
pub(super) struct Place {
    /// The place of its item in the output.
    pub(super) index: Option<u64>,
    /// The id of its item.
    pub(super) id: Option<String>,
}

/// What an item is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Texts and refusals.
    Message,
    /// A thought.
    Thought,
    /// A call with arguments.
    Function,
    /// A call with any text.
    Custom,
    /// Something that comes in one piece.
    Other,
}

/// What a piece of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Telling {
    /// A message's text.
    Text,
    /// A message's refusal.
    Refusal,
    /// A thought as it was thought.
    Thought,
    /// A thought's summary.
    Summary,
    /// A call's arguments or input.
    Input,
}

/// A part of an item: what it is, and the provider's number of it.
pub(super) type Part = (Telling, u64);

/// The items so far.
#[derive(Debug, Default)]
pub(super) struct Output {
    pub(super) items: Vec<Item>,
    pub(super) queue: Queue<Key>,
    holds: Holds,
    said: bool,
}

/// An item of the output.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) place: Place,
    pub(super) shape: Shape,
    pub(super) blocks: Vec<Block>,
    /// The parts of which something was told.
    pub(super) told: Vec<Part>,
    pub(super) done: bool,
    pub(super) call: Call,
}

/// A block of an item.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) part: Part,
    pub(super) halves: Halves,
    /// Whether its end was told.
    pub(super) ended: bool,
    pub(super) closed: bool,
    pub(super) cited: bool,
}

/// What is known of a call. It is opened when its name is.
#[derive(Debug, Default)]
pub(super) struct Call {
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    /// What was told of its input before it was opened, or with its item.
    pub(super) input: String,
}

impl Shape {
    pub(super) fn of(kind: &str) -> Self {
        match kind {
            "message" => Self::Message,
            "reasoning" => Self::Thought,
            "function_call" => Self::Function,
            "custom_tool_call" => Self::Custom,
            _ => Self::Other,
        }
    }

    pub(super) const fn is_call(self) -> bool {
        matches!(self, Self::Function | Self::Custom)
    }

    /// The member that tells what a call is called with.
    pub(super) const fn input(self) -> &'static str {
        match self {
            Self::Custom => "input",
            _ => "arguments",
        }
    }
}

impl Item {
    pub(super) fn new(place: Place, shape: Shape) -> Self {
        Self {
            place,
            shape,
            blocks: Vec::new(),
            told: Vec::new(),
            done: false,
            call: Call::default(),
        }
    }
}

impl Output {
    /// Whether no block has come.
    pub(super) fn is_silent(&self) -> bool {
        !self.said
    }

    pub(super) fn holds(&self) -> Holds {
        self.holds
    }

    /// The item of an event: by its place, or by its id where a server tells no place, or else the
    /// last one. Where there is none of that shape, it is one that was not announced.
    pub(super) fn find(&mut self, place: Place, shape: Shape) -> usize {
        let mut items = self.items.iter();
        let found = items.rposition(|item| item.shape == shape && place.is_of(&item.place));
        found.unwrap_or_else(|| {
            self.items.push(Item::new(place, shape));
            self.items.len() - 1
        })
    }

    /// An item is announced.
    pub(super) fn add(&mut self, mut place: Place, raw: &RawValue, out: &mut Vec<Event>) {
        let mut fields = Fields::of(raw).unwrap_or_default();
        let shape = Shape::of(&fields.clone().text("type").unwrap_or_default());
        place.id = fields.clone().text("id").or(place.id);
        let again = |item: &Item| {
            item.shape == shape
                && !item.done
                && item.place.index == place.index
                && item.place.id == place.id
        };
        if self.items.last().is_some_and(again) {
            return;
        }
        self.end_what_has_ended(out);
        let mut item = Item::new(place, shape);
        if shape.is_call() {
            item.call = Call {
                id: call_id(&mut fields),
                name: fields.text("name").filter(|name| !name.is_empty()),
                input: fields.text(shape.input()).unwrap_or_default(),
            };
        }
        let named = item.call.name.is_some();
        self.items.push(item);
        if named {
            self.open_call(self.items.len() - 1, out);
        }
    }

    /// A block of an item begins.
    pub(super) fn open(
        &mut self,
        at: usize,
        part: Part,
        opening: Opening,
        out: &mut Vec<Event>,
    ) -> Key {
        self.end_what_has_ended(out);
        self.said = true;
        self.holds.see(&opening.clone().block().kind);
        let mut key = (at, 0);
        if let Some(item) = self.items.get_mut(at) {
            key.1 = item.blocks.len();
            item.blocks.push(Block {
                part,
                halves: Halves::default(),
                ended: false,
                closed: false,
                cited: false,
            });
        }
        self.queue.open(key, opening, out);
        key
    }

    /// A call begins, whose name is known or will never be.
    pub(super) fn open_call(&mut self, at: usize, out: &mut Vec<Event>) {
        let Some(item) = self.items.get_mut(at) else {
            return;
        };
        let id = item.call.id.clone().or_else(|| item.place.id.clone());
        let opening = Opening::ToolUse {
            id: id.unwrap_or_else(|| format!("call_{at}")),
            name: item.call.name.clone().unwrap_or_default(),
        };
        let custom = item.shape == Shape::Custom;
        let key = self.open(at, (Telling::Input, 0), opening, out);
        if custom {
            self.queue.delta(&key, items::ARGUMENTS.0.to_owned(), out);
        }
    }

    /// What comes next is not held back by blocks whose end was told, nor by thoughts that are told as
    /// they were thought: some servers end those after everything else.
    fn end_what_has_ended(&mut self, out: &mut Vec<Event>) {
        for at in 0..self.items.len() {
            let blocks = self.items.get(at).map_or(0, |item| item.blocks.len());
            for number in 0..blocks {
                let block = self.items.get(at).and_then(|item| item.blocks.get(number));
                if block.is_some_and(|block| block.ended || block.part.0 == Telling::Thought) {
                    self.close_block((at, number), out);
                }
            }
        }
    }

    fn close_block(&mut self, key: Key, out: &mut Vec<Event>) {
        let Some(item) = self.items.get_mut(key.0) else {
            return;
        };
        let custom = item.shape == Shape::Custom;
        let Some(block) = item.blocks.get_mut(key.1).filter(|block| !block.closed) else {
            return;
        };
        block.closed = true;
        if item.shape.is_call() {
            self.fill_call(key.0, None, out);
        }
        if custom {
            self.queue.delta(&key, items::ARGUMENTS.1.to_owned(), out);
        }
        self.queue.close(&key, out);
    }

    /// All blocks of an item end.
    pub(super) fn close_item(&mut self, at: usize, out: &mut Vec<Event>) {
        let Some(item) = self.items.get_mut(at) else {
            return;
        };
        item.done = true;
        for number in 0..item.blocks.len() {
            self.close_block((at, number), out);
        }
    }

    /// Everything ends.
    pub(super) fn close(&mut self, out: &mut Vec<Event>) {
        for at in 0..self.items.len() {
            self.close_item(at, out);
        }
    }

    /// Says what comes in one piece.
    pub(super) fn say(&mut self, reply: Reply, out: &mut Vec<Event>) {
        for (at, block) in reply.blocks.into_iter().enumerate() {
            self.said = true;
            self.holds.see(&block.kind);
            let Some((opening, text)) = Opening::of(&block) else {
                self.queue.whole(block, out);
                continue;
            };
            let place = Place::default();
            self.items.push(Item::new(place, Shape::Other));
            let key = (self.items.len() - 1, 0);
            self.queue.open(key, opening, out);
            self.queue.delta(&key, text, out);
            let cited = reply.citations.iter().filter(|(block, _)| *block == at);
            for (_, citation) in cited {
                let citation = Event::Citation(citation.clone());
                self.queue.push(&key, citation, out);
            }
            if let Some(opaque) = block.opaque {
                self.queue.opaque(&key, opaque, out);
            }
            self.queue.close(&key, out);
        }
    }
}

impl Place {
    /// Whether an event with this place belongs to an item with that one.
    pub(super) fn is_of(&self, item: &Self) -> bool {
        match (self.index, &self.id) {
            (Some(index), _) if item.index.is_some() => item.index == Some(index),
            (_, Some(id)) if item.id.is_some() => item.id.as_ref() == Some(id),
            _ => true,
        }
    }
}
