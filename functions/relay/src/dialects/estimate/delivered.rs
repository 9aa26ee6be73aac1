//! What an answer delivers as text: how much it is, and how it begins.

use super::strings::{objects_of, strings_of, unescape};
use super::tokenizer;

/// How much of a text is kept: so much is counted exactly, in bytes.
const KEPT: usize = 16 * 1024;

/// How long a text is, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Length {
    ascii: u64,
    other: u64,
}

impl Length {
    fn of(text: &[u8]) -> Self {
        let ascii = text.iter().filter(|byte| byte.is_ascii()).count() as u64;
        Self {
            ascii,
            other: text.len() as u64 - ascii,
        }
    }

    fn add(&mut self, more: Self) {
        self.ascii = self.ascii.saturating_add(more.ascii);
        self.other = self.other.saturating_add(more.other);
    }

    /// How much it weighs beside others: four bytes of ASCII, or three of others.
    fn weight(self) -> u64 {
        let ascii = self.ascii.saturating_mul(3);
        ascii.saturating_add(self.other.saturating_mul(4))
    }
}

/// The text of an answer, or of a request: all of its length, and its beginning.
///
/// Nothing is counted before somebody asks: adding to it costs a copy, and later not even that.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivered {
    all: Length,
    kept: Vec<u8>,
    /// How long that was before escapes were undone.
    of_kept: Length,
}

impl Delivered {
    /// Adds a text.
    pub fn add(&mut self, text: &[u8]) {
        self.add_with(text, |text, kept| kept.extend_from_slice(text));
    }

    /// Adds the inside of a JSON string.
    pub fn add_escaped(&mut self, text: &[u8]) {
        self.add_with(text, unescape);
    }

    fn add_with(&mut self, text: &[u8], keep: impl Fn(&[u8], &mut Vec<u8>)) {
        let room = KEPT.saturating_sub(self.kept.len());
        let fits = text.get(..room).unwrap_or(text);
        if fits.is_empty() {
            return self.all.add(Length::of(text));
        }
        keep(fits, &mut self.kept);
        let length = Length::of(fits);
        self.of_kept.add(length);
        self.all.add(length);
        let rest = text.get(fits.len()..).unwrap_or_default();
        self.all.add(Length::of(rest));
    }

    /// Adds the strings that are values of this member, wherever it stands, and says whether there
    /// was any text. `member` is the name in quotes: within a string those would be escaped, so
    /// nothing else is found.
    pub fn add_members(&mut self, json: &[u8], member: &[u8]) -> bool {
        let mut any = false;
        for text in strings_of(json, member) {
            any |= !text.is_empty();
            self.add_escaped(text);
        }
        any
    }

    /// Adds the objects that are values of this member, wherever it stands: arguments of calls.
    pub fn add_objects(&mut self, json: &[u8], member: &[u8]) {
        for object in objects_of(json, member) {
            // What is still empty is filled by what comes later.
            if object.len() > 2 {
                self.add(object);
            }
        }
    }

    /// How long it is, in bytes.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.all.ascii.saturating_add(self.all.other)
    }

    /// How many tokens it is: exactly, or by the measure of its beginning.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        let counted = u128::from(tokenizer::count(&self.kept));
        if self.all == self.of_kept {
            return u64::try_from(counted).unwrap_or(u64::MAX);
        }
        let all = counted.saturating_mul(self.all.weight().into());
        let tokens = all.div_ceil(u128::from(self.of_kept.weight()).max(1));
        u64::try_from(tokens).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Delivered {
        let mut delivered = Delivered::default();
        delivered.add(text.as_bytes());
        delivered
    }

    #[test]
    fn only_strings_of_real_members_count() {
        let mut delivered = Delivered::default();
        let json = br#"{"content":"a\"content\":\"b","x":{"content" : "cd"},"content":null}"#;
        assert!(delivered.add_members(json, br#""content""#));
        assert!(!delivered.add_members(br#"{"content":""}"#, br#""content""#));
        assert_eq!(delivered.kept, br#"a"content":"bcd"#);
    }

    #[test]
    fn pieces_count_as_the_whole_they_make() {
        let mut pieces = Delivered::default();
        for piece in ["He", "llo, wo", "rld", "!"] {
            pieces.add(piece.as_bytes());
        }
        assert_eq!(pieces.tokens(), of("Hello, world!").tokens());
        assert_eq!(pieces.tokens(), 4);
    }

    #[test]
    fn a_long_text_counts_by_the_measure_of_its_beginning() {
        let sentence = "The quick brown fox jumps over the lazy dog. ";
        let many = of(&sentence.repeat(10_000));
        assert!(many.kept.len() <= KEPT);
        let expected = 10 * 10_000;
        assert!(
            many.tokens().abs_diff(expected) * 50 < expected,
            "{}",
            many.tokens()
        );
        assert_eq!(Delivered::default().tokens(), 0);
    }
}
