//! What a model's name says about it: its generation, and how its thinking is measured.

use crate::dialects::json::{Json, Object};
use crate::dialects::neutral::request::{Effort, Reasoning};

/// A model, as far as its name tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Model {
    /// Whether it is Gemini 3 or later: it wants signatures back, and takes media in answers of tools.
    pub(super) third: bool,
    thinking: Thinking,
}

/// How thinking is measured. <https://ai.google.dev/gemini-api/docs/thinking>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Thinking {
    /// Not at all.
    No,
    /// In tokens: the least and the most, and whether none is possible, too.
    Budget { least: u64, most: u64, off: bool },
    /// In words: the least, and what stands for a medium effort.
    Level {
        least: &'static str,
        medium: &'static str,
    },
}

impl Model {
    /// The model of that name, with or without a path before it.
    pub(super) fn of(name: &str) -> Self {
        let name = name.rsplit('/').next().unwrap_or(name);
        let version = name.strip_prefix("gemini-").unwrap_or_default();
        let (major, minor) = version_of(version);
        // Names that mean the latest one mean one of these.
        let third =
            major >= 3 || (!version.is_empty() && version.ends_with("-latest") && major == 0);
        let pro = version.contains("pro");
        let makes_media = ["image", "tts", "audio"]
            .iter()
            .any(|word| version.contains(word));
        let thinking = match (major, minor) {
            _ if makes_media => Thinking::No,
            (2, 5) if pro => budget(128, 32_768, false),
            (2, 5) if version.contains("lite") => budget(512, 24_576, true),
            (2, 5) => budget(1, 24_576, true),
            _ if !third => Thinking::No,
            (3, 0) if pro => level("LOW", "HIGH"),
            _ if pro => level("LOW", "MEDIUM"),
            _ => level("MINIMAL", "MEDIUM"),
        };
        Self { third, thinking }
    }

    /// Whether a schema for the answer may stand beside functions.
    pub(super) fn takes_format_with_functions(self) -> bool {
        self.third
    }

    /// Whether thinking can be measured at all.
    pub(super) fn thinks(self) -> bool {
        self.thinking != Thinking::No
    }

    /// `thinkingConfig`, and whether it does exactly what is wanted.
    pub(super) fn thinking(self, reasoning: &Reasoning) -> (Object, bool) {
        let mut config = Object::new();
        let off = reasoning.as_effort() == Some(Effort::None);
        let exact = match self.thinking {
            Thinking::No => off || (!reasoning.adaptive && reasoning.as_effort().is_none()),
            Thinking::Budget {
                least,
                most,
                off: can_be_off,
            } => {
                let free = reasoning.adaptive && reasoning.effort.is_none();
                match reasoning.as_budget() {
                    Some(0) if can_be_off => config.put("thinkingBudget", 0),
                    _ if free => config.put("thinkingBudget", Json::Raw(minus_one())),
                    Some(budget) => config.put("thinkingBudget", budget.clamp(least, most)),
                    None => {}
                }
                !off || can_be_off
            }
            Thinking::Level { least, medium } => {
                let free = reasoning.adaptive && reasoning.effort.is_none();
                let effort = reasoning.as_effort().filter(|_| off || !free);
                let word = effort.map(|effort| match effort {
                    Effort::None | Effort::Minimal => least,
                    Effort::Low => "LOW",
                    Effort::Medium => medium,
                    Effort::High | Effort::ExtraHigh | Effort::Max => "HIGH",
                });
                if let Some(word) = word {
                    config.put("thinkingLevel", Json::word(word));
                }
                !off
            }
        };
        let thinks = !off && reasoning.as_effort().is_some();
        if self.thinks() && reasoning.told.unwrap_or(thinks) {
            config.put("includeThoughts", true);
        }
        (config, exact)
    }
}

const fn budget(least: u64, most: u64, off: bool) -> Thinking {
    Thinking::Budget { least, most, off }
}

const fn level(least: &'static str, medium: &'static str) -> Thinking {
    Thinking::Level { least, medium }
}

/// Gemini's word for as much as the model likes.
fn minus_one() -> crate::dialects::json::Raw {
    serde_json::value::to_raw_value(&-1).unwrap_or_default()
}

/// `2.5-pro` → 2 and 5; zeros where there is none.
fn version_of(version: &str) -> (u32, u32) {
    let number = version.split('-').next().unwrap_or_default();
    let mut parts = number.split('.').map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thinking(model: &str, reasoning: &Reasoning) -> (String, bool) {
        let (config, exact) = Model::of(model).thinking(reasoning);
        (config.to_raw().get().to_owned(), exact)
    }

    fn effort(effort: Effort) -> Reasoning {
        Reasoning {
            effort: Some(effort),
            ..Reasoning::default()
        }
    }

    #[test]
    fn each_generation_measures_thinking_in_its_own_way() {
        for (model, wanted, config, exact) in [
            (
                "gemini-3-pro-preview",
                Effort::Medium,
                r#"{"thinkingLevel":"HIGH","includeThoughts":true}"#,
                true,
            ),
            (
                "gemini-3.1-pro",
                Effort::Medium,
                r#"{"thinkingLevel":"MEDIUM","includeThoughts":true}"#,
                true,
            ),
            (
                "models/gemini-3-flash",
                Effort::None,
                r#"{"thinkingLevel":"MINIMAL"}"#,
                false,
            ),
            (
                "gemini-flash-latest",
                Effort::Max,
                r#"{"thinkingLevel":"HIGH","includeThoughts":true}"#,
                true,
            ),
            (
                "gemini-2.5-pro",
                Effort::None,
                r#"{"thinkingBudget":128}"#,
                false,
            ),
            (
                "gemini-2.5-flash",
                Effort::None,
                r#"{"thinkingBudget":0}"#,
                true,
            ),
            (
                "gemini-2.5-flash-lite",
                Effort::High,
                r#"{"thinkingBudget":16384,"includeThoughts":true}"#,
                true,
            ),
            ("gemini-2.0-flash", Effort::High, "{}", false),
            ("gemma-3-27b", Effort::High, "{}", false),
            ("gemini-2.5-flash-image", Effort::High, "{}", false),
        ] {
            assert_eq!(
                thinking(model, &effort(wanted)),
                (config.to_owned(), exact),
                "{model}"
            );
        }
    }

    #[test]
    fn a_model_that_finds_the_measure_itself_is_told_no_measure() {
        let free = Reasoning {
            enabled: Some(true),
            adaptive: true,
            told: Some(false),
            ..Reasoning::default()
        };
        assert_eq!(
            thinking("gemini-2.5-pro", &free).0,
            r#"{"thinkingBudget":-1}"#
        );
        assert_eq!(thinking("gemini-3-pro", &free).0, "{}");
    }
}
