//! What is known of Bedrock's models, by their ids: Converse is one door to many houses.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-supported-models-features.html>

use crate::dialects::claude::Claude;
use crate::dialects::neutral::Origin;

/// A model, by its id: `us.anthropic.claude-sonnet-4-5-20250929-v1:0`, or an ARN that holds one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Model<'a>(pub(super) &'a str);

/// Whose a model is, where that makes a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum House {
    /// Claude.
    Claude(Claude),
    /// Amazon's Nova.
    Nova,
    /// The second Nova, which thinks.
    Nova2,
    /// OpenAI's models with open weights.
    GptOss,
    /// OpenAI's other models.
    Gpt,
    /// `DeepSeek`, from the third on.
    DeepSeek,
    /// Models that take tools, if at all, as they see fit.
    AsTheySeeFit,
    /// Any other.
    Other,
}

/// How Claude is told to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thinking {
    /// It cannot.
    Never,
    /// So many tokens.
    Budget,
    /// As it finds right, or so many tokens.
    Either,
    /// As it finds right.
    Adaptive,
    /// The same, and it cannot be told not to.
    Always,
}

impl Model<'_> {
    pub(super) fn house(self) -> House {
        let has = |part: &str| self.0.contains(part);
        if let Some(claude) = Claude::read(self.0) {
            return House::Claude(claude);
        }
        if has("nova-2") {
            House::Nova2
        } else if has("nova-") {
            House::Nova
        } else if has("gpt-oss") {
            House::GptOss
        } else if has("openai.gpt-") {
            House::Gpt
        } else if has("deepseek.v") {
            House::DeepSeek
        } else if has("meta.llama") || has("deepseek.r1") || has("ai21.") || has("titan") {
            House::AsTheySeeFit
        } else {
            House::Other
        }
    }

    pub(super) fn claude(self) -> Option<Claude> {
        match self.house() {
            House::Claude(claude) => Some(claude),
            _ => None,
        }
    }

    /// Whose state its thoughts carry.
    pub(super) fn origin(self) -> Origin {
        Origin::on_bedrock(self.claude().is_some())
    }

    /// Whether it heeds a form of the answer by itself.
    pub(super) fn knows_schemas(self) -> bool {
        const KNOWN: [&str; 11] = [
            "deepseek.v3",
            "gemma-3",
            "glm-5",
            "gpt-oss",
            "kimi-k2",
            "minimax-m2",
            "ministral-3",
            "mistral-large-3",
            "nemotron-nano-3",
            "qwen3",
            "voxtral",
        ];
        match self.house() {
            House::Claude(claude) => {
                // Some know it at their vendor's, and not here.
                let not_here = ["opus-4-1", "opus-4-7", "opus-5", "fable"];
                claude.takes_format() && !not_here.iter().any(|part| self.0.contains(part))
            }
            _ => KNOWN.iter().any(|part| self.0.contains(part)),
        }
    }

    /// Whether it can be made to call a tool.
    pub(super) fn can_be_made_to_call(self) -> bool {
        match self.house() {
            House::Claude(claude) => claude.can_be_forced(),
            house => house != House::AsTheySeeFit,
        }
    }

    /// Whether it caches at the points that a caller sets: in messages, and among tools.
    pub(super) fn caches(self) -> (bool, bool) {
        match self.house() {
            House::Claude(claude) => {
                let caches = claude.thinks() || self.0.contains("claude-3-5");
                (caches, caches)
            }
            House::Nova | House::Nova2 => (true, false),
            _ => (false, false),
        }
    }

    /// Whether it can be told to call one tool after the other.
    pub(super) fn knows_parallel_tools(self) -> bool {
        let claude = self.claude();
        claude.is_some_and(Claude::takes_format) && !self.0.contains("opus-4-1")
    }

    /// Whether it is told apart when a tool failed.
    pub(super) fn knows_failed_results(self) -> bool {
        matches!(self.house(), House::Claude(_) | House::Nova | House::Nova2)
    }
}

impl Thinking {
    pub(super) fn of(claude: Claude) -> Self {
        match (claude.adapts(), claude.takes_budget()) {
            _ if !claude.thinks() => Self::Never,
            _ if !claude.can_stop_thinking() => Self::Always,
            (true, true) => Self::Either,
            (true, false) => Self::Adaptive,
            (false, _) => Self::Budget,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_claude_thinks_in_its_way() {
        for (id, thinking) in [
            ("anthropic.claude-3-5-haiku-20241022-v1:0", Thinking::Never),
            (
                "us.anthropic.claude-3-7-sonnet-20250219-v1:0",
                Thinking::Budget,
            ),
            ("anthropic.claude-haiku-4-5-20251001-v1:0", Thinking::Budget),
            ("anthropic.claude-sonnet-4-6", Thinking::Either),
            ("anthropic.claude-opus-4-8", Thinking::Adaptive),
            ("anthropic.claude-fable-5", Thinking::Always),
        ] {
            let claude = Model(id).claude().unwrap();
            assert_eq!(Thinking::of(claude), thinking, "{id}");
        }
    }

    #[test]
    fn other_houses_are_told_apart() {
        for (id, house) in [
            ("us.amazon.nova-pro-v1:0", House::Nova),
            ("us.amazon.nova-2-lite-v1:0", House::Nova2),
            ("openai.gpt-oss-120b-1:0", House::GptOss),
            (
                "us.meta.llama4-scout-17b-instruct-v1:0",
                House::AsTheySeeFit,
            ),
            ("deepseek.v3-v1:0", House::DeepSeek),
            ("moonshot.kimi-k2-thinking", House::Other),
        ] {
            assert_eq!(Model(id).house(), house, "{id}");
        }
    }
}
