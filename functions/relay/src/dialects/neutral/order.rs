//! Blocks that come interleaved, put one after the other; and a check that a stream keeps the order.

use super::event::{Event, Opening};
use super::opaque::Opaque;
use super::request::Block;

/// The order of a provider's blocks that it names by keys: the first streams, the others wait.
#[derive(Debug)]
pub struct Queue<K> {
    blocks: Vec<Waiting<K>>,
}

#[derive(Debug)]
struct Waiting<K> {
    /// None for a block that came in one piece.
    key: Option<K>,
    /// What has not been said yet.
    events: Vec<Event>,
    closed: bool,
}

impl<K> Default for Queue<K> {
    fn default() -> Self {
        Self { blocks: Vec::new() }
    }
}

impl<K: PartialEq> Queue<K> {
    /// A block begins. It streams at once when no other is open.
    pub fn open(&mut self, key: K, opening: Opening, out: &mut Vec<Event>) {
        self.blocks.push(Waiting {
            key: Some(key),
            events: vec![Event::Open(opening)],
            closed: false,
        });
        self.flush(out);
    }

    /// A block comes in one piece. It is said when those before it are.
    pub fn whole(&mut self, block: Block, out: &mut Vec<Event>) {
        self.blocks.push(Waiting {
            key: None,
            events: vec![Event::Whole(Box::new(block))],
            closed: true,
        });
        self.flush(out);
    }

    /// Whether the block of that key is open, or waits.
    pub fn has(&self, key: &K) -> bool {
        self.blocks
            .iter()
            .any(|block| block.key.as_ref() == Some(key))
    }

    /// The key of the block that was opened last and is not closed.
    pub fn last(&self) -> Option<&K> {
        let mut open = self.blocks.iter().rev().filter(|block| !block.closed);
        open.find_map(|block| block.key.as_ref())
    }

    /// More of a block. What belongs to no open block is nothing.
    pub fn push(&mut self, key: &K, event: Event, out: &mut Vec<Event>) {
        let mut open = self.blocks.iter_mut().filter(|block| !block.closed);
        if let Some(block) = open.find(|block| block.key.as_ref() == Some(key)) {
            block.events.push(event);
            self.flush(out);
        }
    }

    /// More text of a block.
    pub fn delta(&mut self, key: &K, text: String, out: &mut Vec<Event>) {
        if !text.is_empty() {
            self.push(key, Event::Delta(text), out);
        }
    }

    /// State of a block.
    pub fn opaque(&mut self, key: &K, opaque: Opaque, out: &mut Vec<Event>) {
        self.push(key, Event::Opaque(opaque), out);
    }

    /// A block ends.
    pub fn close(&mut self, key: &K, out: &mut Vec<Event>) {
        let mut open = self.blocks.iter_mut().filter(|block| !block.closed);
        if let Some(block) = open.find(|block| block.key.as_ref() == Some(key)) {
            block.events.push(Event::Close);
            block.closed = true;
            self.flush(out);
        }
    }

    /// Every block ends.
    pub fn close_all(&mut self, out: &mut Vec<Event>) {
        for block in self.blocks.iter_mut().filter(|block| !block.closed) {
            block.events.push(Event::Close);
            block.closed = true;
        }
        self.flush(out);
    }

    /// Says what can be said: all of the first block, and of the next ones when it is closed.
    fn flush(&mut self, out: &mut Vec<Event>) {
        while let Some(first) = self.blocks.first_mut() {
            out.append(&mut first.events);
            if !first.closed {
                return;
            }
            self.blocks.remove(0);
        }
    }
}

/// Where a stream of events is; tells the first event that is out of order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Place {
    /// Before its start.
    #[default]
    Before,
    /// Between two blocks.
    Between,
    /// In a block.
    Inside,
    /// After the reason to end.
    Finished,
    /// After the end.
    Ended,
}

impl Place {
    /// Where the stream is after the event.
    ///
    /// # Errors
    /// When the event may not stand here.
    pub fn after(self, event: &Event) -> Result<Self, OutOfOrder> {
        match (self, event) {
            (Self::Before, Event::Start { .. }) | (Self::Inside, Event::Close) => Ok(Self::Between),
            (Self::Between, Event::Open(_)) => Ok(Self::Inside),
            (Self::Between, Event::Whole(_))
            | (Self::Inside, Event::Delta(_) | Event::Citation(_) | Event::Opaque(_))
            | (Self::Between | Self::Inside | Self::Finished, Event::Usage(_)) => Ok(self),
            (Self::Between, Event::Finish(_)) => Ok(Self::Finished),
            (Self::Finished, Event::End) => Ok(Self::Ended),
            _ => Err(OutOfOrder(self)),
        }
    }
}

/// An event that may not stand where it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event is out of order: {0:?}")]
pub struct OutOfOrder(pub Place);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_interleaved_leaves_one_after_the_other() {
        let call = |id: &str| Opening::ToolUse {
            id: id.to_owned(),
            name: "f".to_owned(),
        };
        let (mut queue, mut out) = (Queue::default(), Vec::new());
        queue.open(0, call("a"), &mut out);
        queue.open(1, call("b"), &mut out);
        queue.delta(&1, "2".to_owned(), &mut out);
        queue.delta(&0, "1".to_owned(), &mut out);
        assert_eq!(out.len(), 2, "the first streams, the second waits");
        queue.close(&0, &mut out);
        queue.delta(&1, "3".to_owned(), &mut out);
        queue.close_all(&mut out);
        let mut place = Place::Between;
        for event in &out {
            place = place.after(event).unwrap();
        }
        let reply = super::super::Reply::fold(out);
        let texts = reply.blocks.iter().map(|block| match &block.kind {
            super::super::Kind::ToolUse(call) => call.arguments.as_str(),
            _ => "?",
        });
        assert_eq!(texts.collect::<Vec<_>>(), ["1", "23"]);
    }
}
