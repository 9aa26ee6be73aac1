//! What happened to a request's members on the way: which were dropped, which stand in for others.

use std::collections::BTreeSet;

/// A member of a request, whatever a dialect calls it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// How random the answer is.
    Temperature,
    /// How much of the likely continuations is considered, by probability.
    TopP,
    /// How much of the likely continuations is considered, by number.
    TopK,
    /// Where chance begins.
    Seed,
    /// How much repetition of topics is discouraged.
    PresencePenalty,
    /// How much repetition of words is discouraged.
    FrequencyPenalty,
    /// The likelihoods of single tokens, changed.
    LogitBias,
    /// Whether the answer tells likelihoods.
    Logprobs,
    /// Texts that end the answer.
    Stop,
    /// How many answers there shall be.
    Answers,
    /// Whether tools may be called at the same time.
    ParallelTools,
    /// Which tools may or must be called.
    ToolChoice,
    /// A tool that only the caller's dialect has, by its name or type.
    Tool(String),
    /// Whether a tool's arguments keep strictly to their schema.
    StrictTools,
    /// The form that the answer must have.
    Format,
    /// How much is thought.
    Reasoning,
    /// Thoughts of earlier turns that the provider did not have itself.
    ReasoningHistory,
    /// Where the provider shall cache the input.
    Cache,
    /// Who the caller's own user is.
    User,
    /// How closely an image is looked at.
    ImageDetail,
    /// A kind of content that the provider does not take.
    Content(&'static str),
    /// Any other member, in the caller's words.
    Other(String),
}

/// What happened to a request's members.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notes {
    /// What the provider does not get.
    pub dropped: BTreeSet<Field>,
    /// What it gets by other means, which do nearly the same.
    pub emulated: BTreeSet<Field>,
}

impl Notes {
    /// The provider does not get this.
    pub fn drop(&mut self, field: Field) {
        self.dropped.insert(field);
    }

    /// The provider gets this by other means.
    pub fn emulate(&mut self, field: Field) {
        self.emulated.insert(field);
    }

    /// Drops the field if there is a value.
    pub fn drop_if<T>(&mut self, value: Option<&T>, field: Field) {
        if value.is_some() {
            self.drop(field);
        }
    }
}
