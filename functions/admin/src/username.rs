//! Names to sign in with: one spelling each.

use shared::failure::Failure;

/// The one spelling of a username, if it is one: 1 to 64 of `a-z 0-9 . _ @ -`, capitals made small.
pub(crate) fn read(text: &str) -> Option<String> {
    let name = text.trim().to_ascii_lowercase();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._@-".contains(c);
    let fits = (1..=64).contains(&name.len()) && name.chars().all(plain);
    fits.then_some(name)
}

/// The same, or why not.
pub(crate) fn require(text: &str) -> Result<String, Failure> {
    let rule = "A username has 1 to 64 letters (a to z), digits, dots, dashes, underscores or @.";
    read(text).ok_or_else(|| Failure::bad_field("username", rule))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_username_has_one_spelling() {
        assert_eq!(
            read(" Ann.B@example.org ").as_deref(),
            Some("ann.b@example.org")
        );
        assert_eq!(read(&"a".repeat(64)).map(|name| name.len()), Some(64));
        for bad in ["", " ", "a b", "é", "a/b", "a#b", &"a".repeat(65)] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }
}
