//! A request: the conversation so far, what may be called, and how the answer shall be.

use shared::domain::dialect::Dialect;

use super::opaque::Opaque;
use crate::dialects::json::Raw;

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

/// Some blocks, and whether the caller wrote them as a mere text.
#[derive(Debug, Clone, Default)]
pub struct Content {
    /// The blocks.
    pub blocks: Vec<Block>,
    /// Whether they were one text instead of an array.
    pub plain: bool,
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

/// How much is thought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reasoning {
    /// Whether there is thinking at all; none where the caller does not say.
    pub enabled: Option<bool>,
    /// How much, in words.
    pub effort: Option<Effort>,
    /// How much, in tokens.
    pub budget: Option<u64>,
    /// Whether the model finds the measure itself.
    pub adaptive: bool,
    /// Whether thoughts are told.
    pub told: Option<bool>,
    /// How they are summarised, in OpenAI's words.
    pub summary: Option<String>,
    /// Whether only a measure is said, and thinking itself is left to the model (Anthropic's
    /// `output_config.effort` without `thinking`).
    pub measure_only: bool,
}

/// How much is thought, in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effort {
    /// Not at all.
    None,
    /// As little as can be.
    Minimal,
    /// A little.
    Low,
    /// As usual.
    Medium,
    /// Much.
    High,
    /// More than much.
    ExtraHigh,
    /// As much as can be.
    Max,
}

impl Effort {
    const WORDS: [(&'static str, Self); 7] = [
        ("none", Self::None),
        ("minimal", Self::Minimal),
        ("low", Self::Low),
        ("medium", Self::Medium),
        ("high", Self::High),
        ("xhigh", Self::ExtraHigh),
        ("max", Self::Max),
    ];

    /// The effort that a word means.
    #[must_use]
    pub fn read(word: &str) -> Option<Self> {
        let word = word.to_ascii_lowercase();
        Self::WORDS
            .into_iter()
            .find_map(|(known, effort)| (known == word).then_some(effort))
    }

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS
            .into_iter()
            .find_map(|(word, effort)| (effort == self).then_some(word))
            .unwrap_or("medium")
    }

    /// How many tokens that is, where a provider wants a number.
    #[must_use]
    pub const fn budget(self) -> u64 {
        match self {
            Self::None => 0,
            Self::Minimal => 1_024,
            Self::Low => 2_048,
            Self::Medium => 8_192,
            Self::High => 16_384,
            Self::ExtraHigh | Self::Max => 32_768,
        }
    }

    /// The effort that so many tokens mean, where a provider wants a word.
    #[must_use]
    pub const fn of_budget(budget: u64) -> Self {
        match budget {
            0 => Self::None,
            1..2_048 => Self::Low,
            2_048..8_192 => Self::Medium,
            _ => Self::High,
        }
    }
}

impl Reasoning {
    /// The effort, however the caller has said it; none when only that there shall be thinking.
    #[must_use]
    pub fn as_effort(&self) -> Option<Effort> {
        match (self.enabled, self.effort, self.budget) {
            (Some(false), ..) => Some(Effort::None),
            (_, Some(effort), _) => Some(effort),
            (_, None, Some(budget)) => Some(Effort::of_budget(budget)),
            (Some(true), None, None) => Some(Effort::Medium),
            (None, None, None) => None,
        }
    }

    /// The tokens, however the caller has said it.
    #[must_use]
    pub fn as_budget(&self) -> Option<u64> {
        match (self.enabled, self.budget, self.effort) {
            (Some(false), ..) => Some(0),
            (_, Some(budget), _) => Some(budget),
            (_, None, Some(effort)) => Some(effort.budget()),
            (Some(true), None, None) => Some(Effort::Medium.budget()),
            (None, None, None) => None,
        }
    }
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

/// Members that only one dialect understands, in their order.
#[derive(Debug, Clone, Default)]
pub struct Extras(pub Vec<Extra>);

/// One of them.
#[derive(Debug, Clone)]
pub struct Extra {
    /// Who understands it.
    pub dialect: Dialect,
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Raw,
}

impl Extras {
    /// What a name begins with where the extra only tells how its dialect spelled what the neutral
    /// form says as well: it is written back to the same dialect, and no other one misses it.
    pub const SPELLING: char = '=';

    /// What is left of an object that a dialect has read.
    #[must_use]
    pub fn rest(dialect: Dialect, fields: crate::dialects::json::Fields<'_>) -> Self {
        let rest = fields.rest().map(|(name, value)| Extra {
            dialect,
            name,
            value: value.to_owned(),
        });
        Self(rest.collect())
    }

    /// Those of one dialect.
    pub fn of(&self, dialect: Dialect) -> impl Iterator<Item = &Extra> {
        self.0.iter().filter(move |extra| extra.dialect == dialect)
    }

    /// Those that `dialect` does not understand, and that say something which is lost with them.
    pub fn foreign(&self, dialect: Dialect) -> impl Iterator<Item = &Extra> {
        let foreign = self.0.iter().filter(move |extra| extra.dialect != dialect);
        foreign.filter(|extra| extra.says_something())
    }

    /// The value of one, by its dialect and name.
    #[must_use]
    pub fn get(&self, dialect: Dialect, name: &str) -> Option<&Raw> {
        self.of(dialect)
            .find_map(|extra| (extra.name == name).then_some(&extra.value))
    }
}

impl Extra {
    /// A member of one dialect.
    pub fn new(dialect: Dialect, name: impl Into<String>, value: Raw) -> Self {
        Self {
            dialect,
            name: name.into(),
            value,
        }
    }

    /// Whether anything is lost without it: what only names a thing, and what is empty, says nothing
    /// to anybody else.
    fn says_something(&self) -> bool {
        const NAMING: [&str; 4] = ["id", "object", "status", "type"];
        const EMPTY: [&str; 4] = ["null", "[]", "{}", "\"\""];
        !self.name.starts_with(Extras::SPELLING)
            && !NAMING.contains(&self.name.as_str())
            && !EMPTY.contains(&self.value.get())
    }
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
