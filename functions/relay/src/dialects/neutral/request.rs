//! A request: the conversation so far, what may be called, and how the answer shall be.

use crate::dialects::json::Raw;

pub use super::block::{
    Block, Cache, Content, Kind, Lifetime, Medium, Source, ToolResult, ToolUse, object,
};
pub use super::extras::{Extra, Extras};
pub use super::reasoning::{Effort, Reasoning};
pub use super::tool::{Tool, ToolChoice, ToolInput};

/// A request.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// What the model is told before the conversation, apart from it.
    pub instructions: Content,
    /// The conversation. Neighbours may have the same role; writers merge them where they must.
    pub turns: Vec<Turn>,
    /// What may be called.
    pub tools: Vec<Tool>,
    /// Which of it must be called.
    pub tool_choice: Option<ToolChoice>,
    /// Whether several may be called at once.
    pub parallel_tools: Option<bool>,
    /// The most tokens that the answer may have.
    pub max_output: Option<u64>,
    /// How the answer is chosen.
    pub sampling: Sampling,
    /// How much is thought.
    pub reasoning: Option<Reasoning>,
    /// The form of the answer.
    pub format: Option<Format>,
    /// Who the caller's own user is.
    pub user: Option<String>,
    /// Whether all of the input shall be cached, where a caller says so once for all.
    pub cache: Option<Cache>,
    /// What only the caller's dialect understands.
    pub extras: Extras,
}

/// How an answer is chosen. Numbers keep the caller's text.
#[derive(Debug, Clone, Default)]
pub struct Sampling {
    /// How random.
    pub temperature: Option<Raw>,
    /// How much of the likely, by probability.
    pub top_p: Option<Raw>,
    /// How much of the likely, by number.
    pub top_k: Option<Raw>,
    /// Where chance begins.
    pub seed: Option<Raw>,
    /// How much repetition of topics is discouraged.
    pub presence_penalty: Option<Raw>,
    /// How much repetition of words is discouraged.
    pub frequency_penalty: Option<Raw>,
    /// Likelihoods of single tokens, changed.
    pub logit_bias: Option<Raw>,
    /// Texts that end the answer.
    pub stop: Vec<String>,
    /// How many answers; none is one.
    pub answers: Option<u64>,
    /// How many likely alternatives are told for each token; `Some(0)` is none beside the chosen one.
    pub logprobs: Option<u64>,
}

/// What one side said.
#[derive(Debug, Clone)]
pub struct Turn {
    /// Which side.
    pub role: Role,
    /// What.
    pub content: Content,
    /// What only the caller's dialect understands.
    pub extras: Extras,
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The operator of the model.
    System,
    /// The same, in OpenAI's newer word.
    Developer,
    /// The user, and the results of tools where a dialect gives them to the user.
    User,
    /// The model.
    Assistant,
    /// A tool.
    Tool,
}

/// The form of an answer.
#[derive(Debug, Clone)]
pub enum Format {
    /// Any text, said so.
    Text,
    /// Any JSON.
    Json,
    /// JSON of a schema.
    Schema(Schema),
}

/// A JSON schema for the answer.
#[derive(Debug, Clone)]
pub struct Schema {
    /// What it is called.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// The schema.
    pub schema: Raw,
    /// Whether the answer must keep strictly to it.
    pub strict: Option<bool>,
}

impl Turn {
    /// What one side said.
    #[must_use]
    pub fn new(role: Role, content: Content) -> Self {
        Self {
            role,
            content,
            extras: Extras::default(),
        }
    }
}
