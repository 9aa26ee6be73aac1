//! State that a provider hands out and wants back unchanged: signatures, encrypted reasoning.
//!
//! Callers carry it without knowing: as it is to callers of the provider's own dialect, to others in
//! an envelope that tells where it comes from. State never goes to a provider that did not make it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// What an envelope begins with.
pub const MARK: &str = "th1.";
/// The same where an envelope is itself carried in base64.
pub const MARK_IN_BASE64: &str = "dGgxL";

/// Whose state it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Claude's, wherever it runs: signatures are good at Anthropic, Bedrock and Vertex alike.
    Anthropic,
    /// Gemini's thought signatures.
    Gemini,
    /// Encrypted items of OpenAI's Responses.
    OpenaiResponses,
    /// `reasoning_details` of `OpenRouter` and its imitators.
    OpenaiChat,
    /// Models on Bedrock other than Claude.
    Bedrock,
}

impl Origin {
    const ALL: [Self; 5] = [
        Self::Anthropic,
        Self::Gemini,
        Self::OpenaiResponses,
        Self::OpenaiChat,
        Self::Bedrock,
    ];

    /// Whose state chat dialects carry as Google's (`extra_content.google.thought_signature`).
    #[must_use]
    pub const fn google() -> Self {
        Self::Gemini
    }

    /// Whose state a model on Bedrock has: Claude's is the same wherever it runs.
    #[must_use]
    pub const fn on_bedrock(claude: bool) -> Self {
        if claude {
            Self::Anthropic
        } else {
            Self::Bedrock
        }
    }

    /// Whether the state stands on calls and texts, too, and not on thoughts only.
    #[must_use]
    pub const fn marks_any_block(self) -> bool {
        matches!(self, Self::Gemini)
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
            Self::OpenaiResponses => "openai_responses",
            Self::OpenaiChat => "openai_chat",
            Self::Bedrock => "bedrock",
        }
    }
}

/// A provider's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opaque {
    /// Whose it is.
    pub origin: Origin,
    /// The state, in the provider's own text.
    pub data: String,
}

impl Opaque {
    /// State of this origin.
    pub fn new(origin: Origin, data: impl Into<String>) -> Self {
        Self {
            origin,
            data: data.into(),
        }
    }

    /// As a caller of `native`'s dialect carries it: plain when it is theirs, else in an envelope.
    #[must_use]
    pub fn seal(&self, native: Origin) -> String {
        if self.origin == native {
            return self.data.clone();
        }
        let data = URL_SAFE_NO_PAD.encode(&self.data);
        format!("{MARK}{}.{data}", self.origin.word())
    }

    /// What a caller of `native`'s dialect brings back.
    #[must_use]
    pub fn unseal(text: &str, native: Origin) -> Self {
        Self::open(text).unwrap_or_else(|| Self::new(native, text))
    }

    /// What is in an envelope; `None` when it is none.
    fn open(text: &str) -> Option<Self> {
        let (word, data) = text.strip_prefix(MARK)?.split_once('.')?;
        let origin = Origin::ALL.into_iter().find(|one| one.word() == word)?;
        let data = String::from_utf8(URL_SAFE_NO_PAD.decode(data).ok()?).ok()?;
        Some(Self { origin, data })
    }

    /// The state, if it is of this origin.
    #[must_use]
    pub fn of(&self, origin: Origin) -> Option<&str> {
        (self.origin == origin).then_some(self.data.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_opens_to_what_it_holds() {
        let state = Opaque::new(Origin::Gemini, "é sig==");
        let sealed = state.seal(Origin::Anthropic);
        assert!(sealed.starts_with("th1.gemini."), "{sealed}");
        assert_eq!(Opaque::unseal(&sealed, Origin::Anthropic), state);
        assert_eq!(state.seal(Origin::Gemini), "é sig==");
    }

    #[test]
    fn what_is_no_envelope_is_the_callers_own() {
        for text in [
            "",
            "Eo8B",
            "th1.",
            "th1.nobody.YQ",
            "th1.gemini.!",
            "th1.gemini./w",
        ] {
            let state = Opaque::unseal(text, Origin::Anthropic);
            assert_eq!(state, Opaque::new(Origin::Anthropic, text));
        }
    }
}
