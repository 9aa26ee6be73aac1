//! An answer as it comes: blocks one after the other, each opened, filled and closed.
//!
//! The order is `Start (Open (Delta | Citation | Opaque)* Close | Whole)* Finish End`; `Usage` may
//! stand anywhere after `Start`, and the last one counts. At most one block is open at a time:
//! readers put calls that come interleaved one after the other.

use shared::domain::usage::Usage;

use super::opaque::Opaque;
use super::reply::{Citation, Finish};
use super::request::{Block, Kind, ToolUse};

/// A step of an answer.
#[derive(Debug, Clone)]
pub enum Event {
    /// It begins.
    Start {
        /// The provider's id of the answer.
        id: Option<String>,
        /// The provider's name of the model.
        model: Option<String>,
    },
    /// A block begins.
    Open(Opening),
    /// More of the open block: text, thought, refusal, or a call's arguments.
    Delta(String),
    /// Where the open text comes from.
    Citation(Citation),
    /// State that belongs to the open block.
    Opaque(Opaque),
    /// The open block ends.
    Close,
    /// A block that comes in one piece.
    Whole(Box<Block>),
    /// What was used so far, all told; the last one counts.
    Usage(Usage),
    /// Why it ends.
    Finish(Finish),
    /// The provider has said its last word.
    End,
}

/// What kind of block begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opening {
    /// A text.
    Text,
    /// A thought.
    Reasoning,
    /// The model's words when it will not answer.
    Refusal,
    /// A call.
    ToolUse {
        /// By which its result is found.
        id: String,
        /// The tool's name.
        name: String,
    },
}

impl Opening {
    /// The empty block that begins.
    #[must_use]
    pub fn block(self) -> Block {
        Block::new(match self {
            Self::Text => Kind::Text(String::new()),
            Self::Reasoning => Kind::Reasoning(String::new()),
            Self::Refusal => Kind::Refusal(String::new()),
            Self::ToolUse { id, name } => Kind::ToolUse(ToolUse {
                id,
                name,
                arguments: String::new(),
            }),
        })
    }

    /// How a block begins, and what fills it; `None` when it comes in one piece.
    #[must_use]
    pub fn of(block: &Block) -> Option<(Self, String)> {
        match &block.kind {
            Kind::Text(text) => Some((Self::Text, text.clone())),
            Kind::Reasoning(text) => Some((Self::Reasoning, text.clone())),
            Kind::Refusal(text) => Some((Self::Refusal, text.clone())),
            Kind::ToolUse(call) => {
                let opening = Self::ToolUse {
                    id: call.id.clone(),
                    name: call.name.clone(),
                };
                Some((opening, call.arguments.clone()))
            }
            _ => None,
        }
    }
}
