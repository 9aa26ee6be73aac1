//! What OpenAI's models take, by their names.
//! <https://platform.openai.com/docs/guides/reasoning>

use crate::dialects::neutral::request::Effort;

/// A family of models that take the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// Models that do not reason: they refuse `reasoning`.
    Plain,
    /// o1, o3, o4: they refuse `temperature`.
    O,
    /// GPT-5 itself: it cannot be kept from thinking.
    Five,
    /// What came after.
    Later,
    /// Nobody knows: everything goes as it is.
    Unknown,
}

impl Family {
    pub(super) fn of(model: &str) -> Self {
        let name = model.rsplit('/').next().unwrap_or(model);
        let name = name.strip_prefix("ft:").unwrap_or(name);
        if let Some(version) = name.strip_prefix("gpt-") {
            let number: String = version
                .chars()
                .take_while(|c| c.is_ascii_digit() || *c == '.')
                .collect();
            let (major, minor) = number.split_once('.').unwrap_or((&number, ""));
            return match (major.parse::<u32>().unwrap_or(0), minor) {
                (0, _) => Self::Unknown,
                (1..5, _) => Self::Plain,
                _ if name.contains("-chat") => Self::Plain,
                (5, "") => Self::Five,
                _ => Self::Later,
            };
        }
        if name.starts_with("chatgpt-") {
            return Self::Plain;
        }
        let digit = name.strip_prefix('o').and_then(|rest| rest.chars().next());
        match digit {
            Some('1'..='9') => Self::O,
            _ if name.starts_with("codex-") => Self::O,
            _ => Self::Unknown,
        }
    }

    /// Whether it is known to reason.
    pub(super) const fn reasons(self) -> bool {
        matches!(self, Self::O | Self::Five | Self::Later)
    }

    /// The nearest effort that it takes.
    pub(super) fn nearest(self, effort: Effort) -> Effort {
        match self {
            Self::O => effort.clamp(Effort::Low, Effort::High),
            Self::Five => effort.clamp(Effort::Minimal, Effort::High),
            Self::Later if effort == Effort::Minimal => Effort::Low,
            Self::Later => effort.min(Effort::ExtraHigh),
            Self::Plain | Self::Unknown => effort,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_told_by_their_names() {
        for (model, family) in [
            ("gpt-4o-mini", Family::Plain),
            ("gpt-4.1", Family::Plain),
            ("gpt-3.5-turbo", Family::Plain),
            ("gpt-5", Family::Five),
            ("gpt-5-mini-2025-08-07", Family::Five),
            ("gpt-5-chat-latest", Family::Plain),
            ("gpt-5.1-codex", Family::Later),
            ("openai/gpt-6", Family::Later),
            ("o3-pro", Family::O),
            ("codex-mini-latest", Family::O),
            ("openrouter", Family::Unknown),
            ("gpt-oss-20b", Family::Unknown),
            ("my-deployment", Family::Unknown),
        ] {
            assert_eq!(Family::of(model), family, "{model}");
        }
    }

    #[test]
    fn an_effort_is_never_one_that_is_refused() {
        assert_eq!(Family::Five.nearest(Effort::None), Effort::Minimal);
        assert_eq!(Family::O.nearest(Effort::Max), Effort::High);
        assert_eq!(Family::Later.nearest(Effort::None), Effort::None);
        assert_eq!(Family::Unknown.nearest(Effort::Max), Effort::Max);
    }
}
