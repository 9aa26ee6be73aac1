//! Names and ids within the provider's limits: what does not fit is cut, and told apart by a hash.

use std::collections::BTreeMap;

/// The longest name of a tool, id of a call, or name of a user.
const LONGEST: usize = 64;
/// How much of a text that does not fit is kept, before its hash.
const KEPT: usize = LONGEST - 9;

/// What had to be changed.
#[derive(Debug, Default)]
pub(super) struct Limits {
    /// The names of tools that were written → the caller's.
    pub(super) renamed: BTreeMap<String, String>,
}

impl Limits {
    /// The name of a tool.
    pub(super) fn tool(&mut self, given: &str) -> String {
        let written = name(given);
        if written != given {
            self.renamed.insert(written.clone(), given.to_owned());
        }
        written
    }
}

/// A name of letters, digits, `_` and `-`.
pub(super) fn name(given: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if given.len() <= LONGEST && !given.is_empty() && given.chars().all(fits) {
        return given.to_owned();
    }
    let kept = given.chars().take(KEPT);
    let kept: String = kept.map(|c| if fits(c) { c } else { '_' }).collect();
    format!("{kept}_{:08x}", hash(given))
}

/// A text of at most so many characters as fit.
pub(super) fn fit(given: &str) -> String {
    if given.chars().count() <= LONGEST {
        return given.to_owned();
    }
    let kept: String = given.chars().take(KEPT).collect();
    format!("{kept}_{:08x}", hash(given))
}

/// FNV-1a: the same in every process, for names stand in conversations that go on for days.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_stays_and_what_does_not_is_told_apart() {
        let mut limits = Limits::default();
        assert_eq!(limits.tool("get_weather"), "get_weather");
        let (a, b) = (limits.tool("ns.tool:a"), limits.tool("ns.tool.a"));
        assert_ne!(a, b);
        assert_eq!(limits.renamed.get(&a).unwrap(), "ns.tool:a");
        assert_eq!(limits.renamed.len(), 2);
        let long = "é".repeat(80);
        assert_eq!(fit(&long).chars().count(), LONGEST);
        assert_eq!(name(&long).len(), LONGEST);
    }
}
