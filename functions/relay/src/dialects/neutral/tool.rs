//! What the model may call, and what it must.

use shared::domain::dialect::Dialect;

use super::block::Cache;
use super::extras::Extras;
use crate::dialects::json::Raw;

/// Something that the model may call.
#[derive(Debug, Clone)]
pub struct Tool {
    /// What it is called.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// What it takes.
    pub input: ToolInput,
    /// Whether arguments must keep strictly to the schema.
    pub strict: Option<bool>,
    /// Whether the input up to its end shall be cached.
    pub cache: Option<Cache>,
    /// What only the caller's dialect understands.
    pub extras: Extras,
}

/// What a tool takes.
#[derive(Debug, Clone)]
pub enum ToolInput {
    /// Arguments of a JSON schema; none where the caller gives none.
    Schema(Option<Raw>),
    /// Any text (OpenAI's custom tools).
    Text,
    /// A tool of the provider's own that only one dialect knows: the whole of its definition.
    Foreign(Dialect, Raw),
}

/// Which tools must be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolChoice {
    /// As the model sees fit.
    Auto,
    /// At least one.
    Any,
    /// None.
    None,
    /// This one.
    Named(String),
    /// One of these, or as the model sees fit among them.
    Among {
        /// Their names.
        names: Vec<String>,
        /// Whether one must be called.
        required: bool,
    },
}
