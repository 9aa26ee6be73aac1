//! Names of tools, as Cohere takes them: letters, digits and `_`, and no digit first.
//! <https://docs.cohere.com/docs/tool-use-overview>

use std::collections::BTreeMap;

/// The longest name that is passed on.
const LONGEST: usize = 64;

/// The names that were changed: the provider's → the caller's.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeMap<String, String>);

impl Names {
    /// The provider's name of a tool. One that does not fit gets a mark of the whole name at its end,
    /// so that two different names stay different, and each stays the same in every request.
    pub(super) fn write(&mut self, name: &str) -> String {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let digit_first = name.starts_with(|c: char| c.is_ascii_digit());
        if !name.is_empty() && name.len() <= LONGEST && !digit_first && name.chars().all(fits) {
            return name.to_owned();
        }
        let mark = format!("_{:08x}", mark(name));
        let lead = if digit_first { "_" } else { "" };
        let letters = name.chars().map(|c| if fits(c) { c } else { '_' });
        let kept: String = lead
            .chars()
            .chain(letters)
            .take(LONGEST - mark.len())
            .collect();
        let written = format!("{kept}{mark}");
        self.0.insert(written.clone(), name.to_owned());
        written
    }

    /// What must be changed back in the answer.
    pub(super) fn renamed(self) -> BTreeMap<String, String> {
        self.0
    }
}

/// A number that stands for a name: FNV-1a. <http://www.isthe.com/chongo/tech/comp/fnv/>
fn mark(name: &str) -> u32 {
    name.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_do_not_fit_are_changed_and_can_be_changed_back() {
        let mut names = Names::default();
        assert_eq!(names.write("get_weather2"), "get_weather2");
        let long = "x".repeat(80);
        let others = [
            "mcp.server/read-file",
            "mcp.server/read_file",
            "7up",
            "é",
            &long,
        ];
        let written: Vec<String> = others.iter().map(|name| names.write(name)).collect();
        for name in &written {
            assert!(name.len() <= LONGEST, "{name}");
            assert!(!name.starts_with(|c: char| c.is_ascii_digit()), "{name}");
            assert!(
                name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'),
                "{name}"
            );
        }
        assert_ne!(written[0], written[1]);
        assert_eq!(names.write("7up"), written[2]);
        let back = names.renamed();
        assert_eq!(back.len(), others.len());
        assert_eq!(back[&written[0]], others[0]);
    }
}
