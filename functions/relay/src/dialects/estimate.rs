//! Usage where a provider gives none: tokens by the length of texts, and the longest that input can be.

use memchr::memmem;
use shared::domain::usage::Tokens;

use super::watch::Seen;

/// The most tokens that a request's text can have: one for each byte.
///
/// No tokenizer makes more of a text, and an image or a document that travels inside is longer than
/// it counts. What a request only names (an image's address, a file's id) and what a provider's own
/// tools add is not in it.
#[must_use]
pub fn most_input(body: &[u8]) -> u64 {
    body.len() as u64
}

/// A likely number of tokens of so much text: four bytes each in ASCII, three in other scripts.
#[must_use]
pub fn tokens(text: TextLength) -> u64 {
    (text.ascii.div_ceil(4)).saturating_add(text.other.div_ceil(3))
}

/// A likely usage of a call: what the provider has told so far, or else the request's text; and what
/// was delivered, or else what the provider has told.
#[must_use]
pub fn usage(request: &[u8], seen: &Seen) -> Tokens {
    let output = tokens(seen.delivered);
    match seen.so_far {
        Some(told) => Tokens {
            output: told.output.max(output),
            ..told
        },
        None => Tokens {
            input: tokens(TextLength::of(request)),
            output,
            ..Tokens::default()
        },
    }
}

/// How long a text is, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TextLength {
    ascii: u64,
    other: u64,
}

impl TextLength {
    /// The length of a text.
    #[must_use]
    pub fn of(text: &[u8]) -> Self {
        let ascii = text.iter().filter(|byte| byte.is_ascii()).count() as u64;
        Self {
            ascii,
            other: text.len() as u64 - ascii,
        }
    }

    /// Adds the length of the strings that are values of this member, wherever it stands. `member` is
    /// the name in quotes: within a string those would be escaped, so nothing else is found.
    pub fn add_members(&mut self, json: &[u8], member: &[u8]) {
        let mut rest = json;
        while let Some(at) = memmem::find(rest, member) {
            rest = rest.get(at + member.len()..).unwrap_or_default();
            let Some(text) = string_after_colon(rest) else {
                continue;
            };
            let more = Self::of(text);
            self.ascii += more.ascii;
            self.other += more.other;
            rest = rest.get(text.len()..).unwrap_or_default();
        }
    }
}

/// The inside of a string that follows a colon; `None` when something else follows.
fn string_after_colon(json: &[u8]) -> Option<&[u8]> {
    let value = json
        .trim_ascii_start()
        .strip_prefix(b":")?
        .trim_ascii_start();
    let inside = value.strip_prefix(b"\"")?;
    let mut from = 0;
    loop {
        let found = memchr::memchr2(b'"', b'\\', inside.get(from..)?)? + from;
        if inside.get(found) == Some(&b'"') {
            return inside.get(..found);
        }
        from = found + 2;
    }
}

/// Whether a member stands in the text with a value that begins with `first`. `member` is the name in
/// quotes; a member inside a string has them escaped, so it is not mistaken for one.
#[must_use]
pub fn has_member(json: &[u8], member: &[u8], first: u8) -> bool {
    memmem::find_iter(json, member).any(|at| {
        let rest = json
            .get(at + member.len()..)
            .unwrap_or_default()
            .trim_ascii_start();
        let value = rest.strip_prefix(b":").map(<[u8]>::trim_ascii_start);
        value.and_then(<[u8]>::first) == Some(&first)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_strings_of_real_members_count() {
        let mut length = TextLength::default();
        let json = br#"{"content":"a\"content\":\"b","x":{"content" : "cd"},"content":null}"#;
        length.add_members(json, br#""content""#);
        assert_eq!(
            length,
            TextLength {
                ascii: 16 + 2,
                other: 0
            }
        );
    }

    #[test]
    fn members_are_told_from_their_names_in_strings() {
        assert!(has_member(br#"{"usage": {"#, br#""usage""#, b'{'));
        assert!(!has_member(br#"{"usage":null}"#, br#""usage""#, b'{'));
        assert!(!has_member(
            br#"{"content":"\"usage\":{"}"#,
            br#""usage""#,
            b'{'
        ));
    }
}
