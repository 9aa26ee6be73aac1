//! A piece of content: text, media, calls and their results, thoughts.

use shared::domain::dialect::Dialect;

use super::extras::Extras;
use super::opaque::Opaque;
use crate::dialects::json::Raw;

/// Some blocks, and whether the caller wrote them as a mere text.
#[derive(Debug, Clone, Default)]
pub struct Content {
    /// The blocks.
    pub blocks: Vec<Block>,
    /// Whether they were one text instead of an array.
    pub plain: bool,
}

/// A piece of content.
#[derive(Debug, Clone)]
pub struct Block {
    /// What it is.
    pub kind: Kind,
    /// Whether the input up to its end shall be cached.
    pub cache: Option<Cache>,
    /// State that belongs to it: the signature of a thought or of a call.
    pub opaque: Option<Opaque>,
    /// What only the caller's dialect understands.
    pub extras: Extras,
}

/// What a block is.
#[derive(Debug, Clone)]
pub enum Kind {
    /// A text.
    Text(String),
    /// A picture.
    Image(Medium),
    /// A document: PDF or text.
    Document(Medium),
    /// A sound.
    Audio(Medium),
    /// A film.
    Video(Medium),
    /// A call of a tool by the model.
    ToolUse(ToolUse),
    /// What the tool answered.
    ToolResult(ToolResult),
    /// A thought; its text may be empty where only its state is told.
    Reasoning(String),
    /// A thought of which only the state is told.
    Redacted,
    /// The model's words when it will not answer.
    Refusal(String),
    /// A block that only one dialect knows.
    Foreign(Dialect, Raw),
}

/// A picture, a document, a sound or a film.
#[derive(Debug, Clone, Default)]
pub struct Medium {
    /// Its type, such as `image/png`; none when the caller does not say.
    pub mime: Option<String>,
    /// Its bytes, or where they are.
    pub source: Source,
    /// What it is called.
    pub name: Option<String>,
    /// How closely it is looked at (OpenAI's `detail`).
    pub detail: Option<String>,
}

/// Where bytes are.
#[derive(Debug, Clone)]
pub enum Source {
    /// Here, in base64.
    Base64(String),
    /// Here, as text.
    Text(String),
    /// At an address.
    Url(String),
    /// Uploaded to the provider before, under this id.
    File(String),
}

impl Default for Source {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

/// A call of a tool.
#[derive(Debug, Clone)]
pub struct ToolUse {
    /// By which its result is found.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// The arguments: the text of a JSON object, or whatever else the model has written.
    pub arguments: String,
}

impl ToolUse {
    /// The arguments as an object: nothing is `{}`, and what is no object is kept under `_raw`.
    #[must_use]
    pub fn object(&self) -> Raw {
        object(&self.arguments)
    }
}

/// Arguments as an object: nothing is `{}`, and what is no object is kept under `_raw`.
#[must_use]
pub fn object(arguments: &str) -> Raw {
    let text = arguments.trim();
    if text.starts_with('{')
        && let Ok(raw) = serde_json::from_str::<Raw>(text)
    {
        return raw;
    }
    let mut object = crate::dialects::json::Object::new();
    if !text.is_empty() && text != "null" {
        object.put("_raw", arguments.to_owned());
    }
    object.to_raw()
}

/// What a tool answered.
#[derive(Debug, Clone)]
pub struct ToolResult {
    /// Of which call.
    pub id: String,
    /// The tool's name, where the caller says it.
    pub name: Option<String>,
    /// What.
    pub content: Content,
    /// Whether it failed; none where the caller does not say.
    pub failed: Option<bool>,
}

/// A hint to cache the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cache {
    /// For how long; none is the provider's usual.
    pub lifetime: Option<Lifetime>,
}

/// How long a cache lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// Five minutes.
    Minutes,
    /// An hour.
    Hour,
}

impl Content {
    /// One text.
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            blocks: vec![Block::text(text)],
            plain: true,
        }
    }

    /// Some blocks.
    #[must_use]
    pub const fn blocks(blocks: Vec<Block>) -> Self {
        Self {
            blocks,
            plain: false,
        }
    }
}

impl Block {
    /// A block and nothing beside it.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            cache: None,
            opaque: None,
            extras: Extras::default(),
        }
    }

    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(Kind::Text(text.into()))
    }

    /// A call.
    pub fn call(
        id: impl Into<String>,
        name: impl Into<String>,
        arguments: impl Into<String>,
    ) -> Self {
        Self::new(Kind::ToolUse(ToolUse {
            id: id.into(),
            name: name.into(),
            arguments: arguments.into(),
        }))
    }

    /// The same block with state that belongs to it.
    #[must_use]
    pub fn with_opaque(mut self, opaque: Option<Opaque>) -> Self {
        self.opaque = opaque;
        self
    }
}
