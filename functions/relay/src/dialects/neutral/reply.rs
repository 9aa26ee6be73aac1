//! An answer: its blocks, why it ended, what it used.

use shared::domain::usage::Usage;

use super::event::{Event, Opening};
use super::request::{Block, Extras, Kind, ToolUse};
use crate::dialects::json::Raw;

/// A whole answer.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// The provider's id of it.
    pub id: Option<String>,
    /// The provider's name of the model.
    pub model: Option<String>,
    /// What it says.
    pub blocks: Vec<Block>,
    /// Where its texts come from: for the text block of that index.
    pub citations: Vec<(usize, Citation)>,
    /// Why it ended.
    pub finish: Finish,
    /// What it used, if the provider tells.
    pub tokens: Option<Usage>,
    /// What only the provider's dialect understands.
    pub extras: Extras,
}

/// Where a text comes from.
#[derive(Debug, Clone, Default)]
pub struct Citation {
    /// The address of the source.
    pub url: Option<String>,
    /// Its title.
    pub title: Option<String>,
    /// The words that are cited.
    pub quote: Option<String>,
    /// Which part of the text it supports, in characters: from, and to before.
    pub span: Option<(u64, u64)>,
    /// As the provider wrote it.
    pub raw: Option<Raw>,
}

/// Why an answer ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Finish {
    /// As every dialect can say it.
    pub reason: Reason,
    /// The provider's own word.
    pub raw: Option<String>,
    /// The text that ended it.
    pub stop_sequence: Option<String>,
}

/// Why an answer ended, as every dialect can say it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reason {
    /// It was at its end.
    #[default]
    Stop,
    /// It came to a text that ends it.
    StopSequence,
    /// It had as many tokens as it might.
    Length,
    /// Input and output filled all that the model can hold.
    ContextFull,
    /// It calls tools.
    ToolUse,
    /// The model or a filter would not go on.
    Refusal,
    /// It waits for a tool of the provider's own, and goes on when it is sent back.
    Paused,
    /// It tried to call a tool and wrote no valid call.
    MalformedCall,
    /// Something else, that is no error.
    Other,
}

impl Finish {
    /// A reason, and the provider's word for it.
    pub fn new(reason: Reason, raw: impl Into<String>) -> Self {
        Self {
            reason,
            raw: Some(raw.into()),
            stop_sequence: None,
        }
    }

    /// The same, for an answer that calls tools (or not): some providers say that they stopped.
    #[must_use]
    pub fn with_calls(mut self, calls: bool) -> Self {
        if calls && self.reason == Reason::Stop {
            self.reason = Reason::ToolUse;
        }
        self
    }
}

impl Reply {
    /// Whether it calls tools.
    #[must_use]
    pub fn calls(&self) -> bool {
        let mut blocks = self.blocks.iter();
        blocks.any(|block| matches!(block.kind, Kind::ToolUse(_)))
    }

    /// The answer that a stream of events tells.
    #[must_use]
    pub fn fold(events: impl IntoIterator<Item = Event>) -> Self {
        let mut reply = Self::default();
        let mut open: Option<Block> = None;
        for event in events {
            match event {
                Event::Start { id, model } => {
                    reply.id = id;
                    reply.model = model;
                }
                Event::Open(opening) => open = Some(opening.block()),
                Event::Delta(text) => {
                    if let Some(block) = &mut open {
                        block.append(&text);
                    }
                }
                Event::Opaque(opaque) => {
                    if let Some(block) = &mut open {
                        block.opaque = Some(opaque);
                    }
                }
                Event::Citation(citation) => reply.citations.push((reply.blocks.len(), citation)),
                Event::Close => reply.blocks.extend(open.take()),
                Event::Whole(block) => reply.blocks.push(*block),
                Event::Usage(tokens) => reply.tokens = Some(tokens),
                Event::Finish(finish) => reply.finish = finish,
                Event::End => {}
            }
        }
        reply
    }

    /// The stream of events that tells this answer.
    #[must_use]
    pub fn unfold(self) -> Vec<Event> {
        let mut events = vec![Event::Start {
            id: self.id,
            model: self.model,
        }];
        for (at, block) in self.blocks.into_iter().enumerate() {
            let Some((opening, text)) = Opening::of(&block) else {
                events.push(Event::Whole(Box::new(block)));
                continue;
            };
            events.push(Event::Open(opening));
            if !text.is_empty() {
                events.push(Event::Delta(text));
            }
            let cited = self.citations.iter().filter(|(block, _)| *block == at);
            events.extend(cited.map(|(_, citation)| Event::Citation(citation.clone())));
            events.extend(block.opaque.map(Event::Opaque));
            events.push(Event::Close);
        }
        events.extend(self.tokens.map(Event::Usage));
        events.push(Event::Finish(self.finish));
        events.push(Event::End);
        events
    }
}

impl Block {
    /// Adds text to a text, a thought, a refusal, or a call's arguments.
    pub fn append(&mut self, more: &str) {
        match &mut self.kind {
            Kind::Text(text)
            | Kind::Reasoning(text)
            | Kind::Refusal(text)
            | Kind::ToolUse(ToolUse {
                arguments: text, ..
            }) => text.push_str(more),
            _ => {}
        }
    }
}
