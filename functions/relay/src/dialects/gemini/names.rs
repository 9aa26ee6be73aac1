//! Names of tools within Gemini's limits, and ids of calls that came without one.

/// What the ids begin with that this house gives: Gemini never sees them.
const MINTED: &str = "gemini_call_";
/// The longest name of a function.
const LONGEST: usize = 64;

/// The id of a call that has none: the same for the same place in the same answer, and different in
/// another answer.
pub(super) fn mint(place: usize, answer: &str) -> String {
    format!("{MINTED}{place}_{:016x}", hash(answer))
}

/// Whether this house gave the id.
pub(super) fn is_minted(id: &str) -> bool {
    id.starts_with(MINTED)
}

/// The name as Gemini takes it: it begins with a letter or `_`, and goes on with letters, digits, `_`,
/// `.`, `:` and `-`. <https://ai.google.dev/api/caching#FunctionDeclaration>
pub(super) fn sanitise(name: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_.:-".contains(c);
    let begins = |c: char| c.is_ascii_alphabetic() || c == '_';
    let starts_well = name.starts_with(begins);
    if starts_well && name.len() <= LONGEST && name.chars().all(fits) {
        return name.to_owned();
    }
    // Two names that differ only in what is replaced must not become one.
    let hash = format!("_{:08x}", hash(name) & 0xFFFF_FFFF);
    let first = if starts_well { "" } else { "_" };
    let kept = LONGEST - hash.len() - first.len();
    let rest = name.chars().map(|c| if fits(c) { c } else { '_' });
    let mut short: String = first.chars().chain(rest.take(kept)).collect();
    short.push_str(&hash);
    short
}

/// FNV-1a, which is the same everywhere and always.
/// <https://datatracker.ietf.org/doc/html/draft-eastlake-fnv>
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_changed_only_where_they_must_and_never_become_one() {
        for name in ["f", "_x", "mcp.server:tool-1"] {
            assert_eq!(sanitise(name), name);
        }
        let names = ["a b", "a/b", "1a", "-a", "é", &"x".repeat(65), ""];
        let changed: std::collections::BTreeSet<_> = names.map(sanitise).into();
        assert_eq!(changed.len(), names.len());
        for name in changed {
            assert!(name.len() <= LONGEST && sanitise(&name) == name, "{name}");
        }
    }

    #[test]
    fn minted_ids_are_known_again() {
        assert_ne!(mint(0, "a"), mint(0, "b"));
        assert!(is_minted(&mint(3, "answer")) && !is_minted("call_1"));
    }
}
