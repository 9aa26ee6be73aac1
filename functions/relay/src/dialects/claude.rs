//! What is known of Claude's models by their names, wherever they run.
//!
//! Names are Anthropic's (`claude-sonnet-4-5-20250929`, `claude-3-5-haiku-latest`), Bedrock's
//! (`eu.anthropic.claude-sonnet-4-5-20250929-v1:0`, or an ARN that ends so), Vertex's
//! (`claude-sonnet-4-5@20250929`) or a reseller's (`anthropic/claude-sonnet-4.5`).
//! <https://platform.claude.com/docs/en/about-claude/models/overview>

use super::neutral::request::Effort;

/// A model of Claude's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claude {
    family: Family,
    /// The two parts of its version. A name without one means the newest.
    version: (u32, u32),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Haiku,
    Sonnet,
    Opus,
    /// Fable and Mythos, which always think.
    Fable,
    Other,
}

/// A version above all others.
const NEWEST: (u32, u32) = (u32::MAX, 0);
/// The most tokens of an answer by models that nothing is known of.
const USUAL_OUTPUT: u64 = 4_096;

/// The most tokens that an answer of this model can have; a low number for models of others.
#[must_use]
pub fn most_output(model: &str) -> u64 {
    Claude::read(model).map_or(USUAL_OUTPUT, Claude::most_output)
}

impl Claude {
    /// The model that a name means; `None` when it is none of Claude's.
    #[must_use]
    pub fn read(model: &str) -> Option<Self> {
        let name = model.to_ascii_lowercase();
        let (_, name) = name.rsplit_once("claude")?;
        let mut family = None;
        let mut numbers = Vec::new();
        for part in name.split(['-', '@', '.', ':', '_']) {
            // Claude 2 was `claude-v2`; after a version, `v1` is Bedrock's own revision.
            let bare = part.strip_prefix('v').unwrap_or(part);
            match bare.parse::<u32>() {
                Ok(_)
                    if bare.len() > 2
                        || (bare != part && (!numbers.is_empty() || family.is_some())) =>
                {
                    break;
                }
                Ok(number) => numbers.push(number),
                Err(_) if part.is_empty() => {}
                Err(_) => family = family.or_else(|| Family::read(part)),
            }
        }
        let mut numbers = numbers.into_iter();
        let family = family.unwrap_or(Family::Other);
        let version = match (numbers.next(), numbers.next()) {
            (Some(major), minor) => (major, minor.unwrap_or(0)),
            (None, _) => NEWEST,
        };
        Some(Self { family, version })
    }

    fn since(self, major: u32, minor: u32) -> bool {
        self.version >= (major, minor)
    }

    /// The most tokens that an answer can have.
    #[must_use]
    pub fn most_output(self) -> u64 {
        match (self.family, self.version) {
            (_, (0..=2, _)) | (Family::Opus | Family::Haiku | Family::Sonnet, (3, 0)) => 4_096,
            (_, (3, 0..=6)) => 8_192,
            (Family::Opus, (4, 0..=4)) => 32_000,
            (_, (3, _) | (4, 0..=5)) => 64_000,
            _ => 128_000,
        }
    }

    /// Whether it can think before it answers.
    #[must_use]
    pub fn thinks(self) -> bool {
        self.since(3, 7)
    }

    /// Whether it finds the measure of its thoughts itself: `thinking: {"type": "adaptive"}`.
    /// <https://platform.claude.com/docs/en/build-with-claude/adaptive-thinking>
    #[must_use]
    pub fn adapts(self) -> bool {
        self.since(4, 6)
    }

    /// Whether it takes `thinking.budget_tokens`.
    #[must_use]
    pub fn takes_budget(self) -> bool {
        self.thinks() && !self.since(4, 7)
    }

    /// Whether it can be told not to think. Some think always, and refuse `"disabled"`.
    #[must_use]
    pub fn can_stop_thinking(self) -> bool {
        match self.family {
            Family::Fable => false,
            Family::Haiku => true,
            _ => !self.since(5, 5),
        }
    }

    /// The nearest that it knows for `output_config.effort`; `None` when it knows no effort.
    /// <https://platform.claude.com/docs/en/build-with-claude/effort>
    #[must_use]
    pub fn effort(self, wanted: Effort) -> Option<Effort> {
        let known = self.adapts() || (self.family == Family::Opus && self.since(4, 5));
        if !known {
            return None;
        }
        Some(match wanted {
            Effort::None | Effort::Minimal => Effort::Low,
            Effort::ExtraHigh if self.since(4, 7) => Effort::ExtraHigh,
            Effort::ExtraHigh | Effort::Max if self.adapts() => Effort::Max,
            Effort::ExtraHigh | Effort::Max => Effort::High,
            other => other,
        })
    }

    /// Whether it takes a schema for its answer: `output_config.format`.
    /// <https://platform.claude.com/docs/en/build-with-claude/structured-outputs>
    #[must_use]
    pub fn takes_format(self) -> bool {
        self.since(4, 5) || (self.family == Family::Opus && self.since(4, 1))
    }

    /// Whether it can be made to call a tool, by a choice of `any` or of one tool.
    #[must_use]
    pub fn can_be_forced(self) -> bool {
        self.can_stop_thinking()
    }

    /// Whether it takes the role `system` within a conversation.
    /// <https://platform.claude.com/docs/en/build-with-claude/mid-conversation-system-messages>
    #[must_use]
    pub fn takes_late_system(self) -> bool {
        match self.family {
            Family::Sonnet => self.since(5, 5),
            _ => self.since(4, 8),
        }
    }

    /// Whether it takes `temperature`, `top_p` and `top_k` at all.
    #[must_use]
    pub fn takes_sampling(self) -> bool {
        !self.since(4, 7)
    }

    /// Whether it refuses `temperature` together with `top_p`.
    #[must_use]
    pub fn takes_one_of_temperature_and_top_p(self) -> bool {
        self.since(4, 1)
    }
}

impl Family {
    fn read(word: &str) -> Option<Self> {
        match word {
            "haiku" => Some(Self::Haiku),
            "sonnet" => Some(Self::Sonnet),
            "opus" => Some(Self::Opus),
            "fable" | "mythos" => Some(Self::Fable),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn is(name: &str, family: Family, version: (u32, u32)) {
        assert_eq!(
            Claude::read(name),
            Some(Claude { family, version }),
            "{name}"
        );
    }

    #[test]
    fn a_model_is_known_wherever_it_runs() {
        use Family::{Fable, Haiku, Opus, Other, Sonnet};
        is("claude-sonnet-4-5-20250929", Sonnet, (4, 5));
        is("claude-sonnet-4-20250514", Sonnet, (4, 0));
        is("claude-opus-4-0", Opus, (4, 0));
        is("claude-opus-5", Opus, (5, 0));
        is("claude-fable-5-1", Fable, (5, 1));
        is("claude-mythos-preview", Fable, NEWEST);
        is("claude-3-5-sonnet-latest", Sonnet, (3, 5));
        is("claude-3-opus-20240229", Opus, (3, 0));
        is("claude-3-7-sonnet@20250219", Sonnet, (3, 7));
        is("claude-sonnet-4-5@20250929", Sonnet, (4, 5));
        is("anthropic/claude-haiku-4.5", Haiku, (4, 5));
        is("anthropic.claude-sonnet-4-5-20250929-v1:0", Sonnet, (4, 5));
        is("us.anthropic.claude-opus-4-6-v1", Opus, (4, 6));
        is(
            "global.anthropic.claude-sonnet-4-20250514-v1:0",
            Sonnet,
            (4, 0),
        );
        is("anthropic.claude-v2:1", Other, (2, 1));
        is("anthropic.claude-instant-v1", Other, (1, 0));
        is("claude-2.1", Other, (2, 1));
        is(
            "arn:aws:bedrock:eu-west-1:1:inference-profile/eu.anthropic.claude-3-haiku-20240307-v1:0",
            Haiku,
            (3, 0),
        );
        for other in [
            "glm-4.6",
            "arn:aws:bedrock:eu-west-1:1:application-inference-profile/x",
            "",
        ] {
            assert_eq!(Claude::read(other), None, "{other}");
        }
    }

    #[test]
    fn what_a_model_can_goes_by_its_version() {
        let claude = |name: &str| Claude::read(name).unwrap();
        assert!(!claude("claude-opus-4-5").adapts() && claude("claude-opus-4-6").adapts());
        assert!(
            !claude("claude-sonnet-4-0").takes_format() && claude("claude-opus-4-1").takes_format()
        );
        assert!(
            !claude("claude-opus-4-7").takes_budget() && claude("claude-opus-4-6").takes_budget()
        );
        assert!(!claude("claude-sonnet-5").takes_late_system());
        assert!(claude("claude-opus-4-8").takes_late_system());
        assert!(
            !claude("claude-fable-5").can_be_forced() && claude("claude-opus-5").can_be_forced()
        );
        assert!(claude("claude-3-haiku-20240307").takes_sampling());
        assert!(!claude("claude-opus-5").takes_sampling());
        assert_eq!(
            claude("claude-opus-4-6").effort(Effort::ExtraHigh),
            Some(Effort::Max)
        );
        assert_eq!(
            claude("claude-opus-4-7").effort(Effort::ExtraHigh),
            Some(Effort::ExtraHigh)
        );
        assert_eq!(
            claude("claude-opus-4-5").effort(Effort::Max),
            Some(Effort::High)
        );
        assert_eq!(claude("claude-haiku-4-5").effort(Effort::Low), None);
    }

    #[test]
    fn the_longest_answer_goes_by_the_model() {
        for (name, most) in [
            ("claude-3-haiku-20240307", 4_096),
            ("claude-3-5-haiku-latest", 8_192),
            ("claude-3-7-sonnet-latest", 64_000),
            ("claude-opus-4-1", 32_000),
            ("claude-sonnet-4-0", 64_000),
            ("claude-haiku-4-5", 64_000),
            ("claude-opus-4-6", 128_000),
            ("claude-what-9", 128_000),
            ("glm-4.6", 4_096),
        ] {
            assert_eq!(most_output(name), most, "{name}");
        }
    }
}
