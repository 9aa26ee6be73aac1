//! Names and ids as providers of OpenAI's chat dialect take them, and back again.

use std::collections::BTreeMap;

use crate::dialects::openai_chat::wire::hash;

/// The longest name of a tool. <https://platform.openai.com/docs/guides/function-calling>
const LONGEST_NAME: usize = 64;
/// The longest id of a call that OpenAI takes.
const LONGEST_ID: usize = 40;

/// The names that were changed: the provider's → the caller's.
#[derive(Debug, Default)]
pub(super) struct Names(pub(super) BTreeMap<String, String>);

impl Names {
    /// A tool's name: letters, digits, dashes and underscores. Another name is changed, and ends in a
    /// hash of what it was.
    pub(super) fn write(&mut self, name: &str) -> String {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        if !name.is_empty() && name.len() <= LONGEST_NAME && name.chars().all(fits) {
            return name.to_owned();
        }
        let cleaned = name.chars().map(|c| if fits(c) { c } else { '_' });
        let short: String = cleaned.take(LONGEST_NAME - 9).collect();
        let written = format!("{short}_{}", hash(name, 8));
        self.0.insert(written.clone(), name.to_owned());
        written
    }
}

/// A call's id.
pub(super) fn id(id: &str) -> String {
    if !id.is_empty() && id.len() <= LONGEST_ID {
        id.to_owned()
    } else {
        format!("call_{}", hash(id, 24))
    }
}

/// A call's id of nine letters or digits, as Mistral wants it.
pub(super) fn id_of_nine(id: &str) -> String {
    if id.len() == 9 && id.chars().all(|c| c.is_ascii_alphanumeric()) {
        id.to_owned()
    } else {
        hash(id, 9)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_do_not_fit_are_changed_and_remembered() {
        let mut names = Names::default();
        assert_eq!(names.write("get_weather-2"), "get_weather-2");
        let (dotted, dashed) = (names.write("a.b"), names.write("a:b"));
        assert!(dotted.starts_with("a_b_") && dotted != dashed);
        let long = names.write(&"é".repeat(80));
        assert!(long.len() <= 64);
        assert_eq!(names.0.get(&dotted).map(String::as_str), Some("a.b"));
        assert_eq!(names.0.len(), 3);
    }

    #[test]
    fn ids_stay_the_same_for_calls_and_results() {
        assert_eq!(id("call_1"), "call_1");
        assert_eq!(id(&"x".repeat(90)), id(&"x".repeat(90)));
        assert!(id(&"x".repeat(90)).len() <= LONGEST_ID);
        assert_eq!(id_of_nine("abcDEF123"), "abcDEF123");
        assert_eq!(id_of_nine("call_1").len(), 9);
    }
}
