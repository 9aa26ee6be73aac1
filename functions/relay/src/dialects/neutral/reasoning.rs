//! How much is thought, in words or in tokens.

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
