//! Usage where a provider gives none: tokens by the length of texts, and the longest that input can be.

use memchr::memmem;
use shared::domain::usage::Usage;

use super::watch::Seen;

/// What an image, a document or a sound is taken to count at most, in tokens: more than any that
/// today's models count for one picture, but for the smallest models at their highest detail.
const MEDIUM: u64 = 6_000;
/// What one is taken to count where the provider does not say, in tokens.
const USUAL_MEDIUM: u64 = 1_500;
/// The types of the parts that carry one, in the dialects' own words.
const MEDIA: [&[u8]; 7] = [
    b"image_url",
    b"image",
    b"input_image",
    b"document",
    b"file",
    b"input_file",
    b"input_audio",
];
/// The members that tell a medium's type where parts have no `type`.
const MIMES: [&[u8]; 2] = [br#""mimeType""#, br#""mime_type""#];
/// The members that carry one's bytes or address.
const CARRIERS: [&[u8]; 3] = [br#""url""#, br#""data""#, br#""file_data""#];
/// Shorter strings in those members are counted as text.
const CARRIED: usize = 256;

/// The most tokens that a request can have: one for each byte, and so many for each medium.
///
/// No tokenizer makes more of a text. What a provider's own tools add is not in it.
#[must_use]
pub fn most_input(body: &[u8]) -> u64 {
    (body.len() as u64).saturating_add(media(body).saturating_mul(MEDIUM))
}

/// How many parts carry a medium.
fn media(body: &[u8]) -> u64 {
    let types = strings_of(body, br#""type""#).filter(|kind| MEDIA.contains(kind));
    let mimes = MIMES.iter().flat_map(|member| strings_of(body, member));
    let mimes = mimes.filter(|mime| !mime.starts_with(b"text/"));
    (types.count() + mimes.count()) as u64
}

/// A likely number of tokens of so much text: four bytes each in ASCII, three in other scripts.
#[must_use]
pub fn tokens(text: TextLength) -> u64 {
    (text.ascii.div_ceil(4)).saturating_add(text.other.div_ceil(3))
}

/// A likely usage of a call: what the provider has told so far, or else the request's text; and what
/// was delivered, unless the provider has counted all of that.
#[must_use]
pub fn usage(request: &[u8], seen: &Seen) -> Usage {
    let output = tokens(seen.delivered);
    match seen.tokens.or(seen.so_far) {
        // Some servers tell the input with the end, or never.
        Some(told) if told.total_input() == 0 => Usage {
            input: likely_input(request),
            output: told.output.max(output),
            ..told
        },
        Some(told) if seen.current => told,
        Some(told) => Usage {
            output: told.output.max(output),
            ..told
        },
        None => Usage {
            input: likely_input(request),
            output,
            ..Usage::default()
        },
    }
}

/// A likely number of tokens of a request: media are no text, however long their bytes are.
#[must_use]
pub fn likely_input(request: &[u8]) -> u64 {
    let mut text = TextLength::of(request);
    for carrier in CARRIERS {
        let carried = strings_of(request, carrier).filter(|string| string.len() >= CARRIED);
        let bytes: u64 = carried.map(|string| string.len() as u64).sum();
        text.ascii = text.ascii.saturating_sub(bytes);
    }
    tokens(text).saturating_add(media(request).saturating_mul(USUAL_MEDIUM))
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

    /// Adds another length.
    pub fn add(&mut self, more: Self) {
        self.ascii += more.ascii;
        self.other += more.other;
    }

    /// Adds the length of the strings that are values of this member, wherever it stands. `member` is
    /// the name in quotes: within a string those would be escaped, so nothing else is found.
    pub fn add_members(&mut self, json: &[u8], member: &[u8]) {
        for text in strings_of(json, member) {
            self.add(Self::of(text));
        }
    }
}

/// The strings that are values of a member, wherever it stands, as they are escaped. `member` is the
/// name in quotes.
pub fn strings_of<'a>(json: &'a [u8], member: &[u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = json;
    std::iter::from_fn(move || {
        loop {
            let at = memmem::find(rest, member)?;
            rest = rest.get(at + member.len()..)?;
            if let Some(text) = string_after_colon(rest) {
                rest = rest.get(text.len()..).unwrap_or_default();
                return Some(text);
            }
        }
    })
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
    fn what_was_told_is_kept_and_what_was_not_is_estimated() {
        let request = br#"{"messages":[{"role":"user","content":"Hello, who is there?"}]}"#;
        let told = |input, output| {
            Some(Usage {
                input,
                output,
                web_searches: 2,
                ..Usage::default()
            })
        };
        let seen = |so_far, current| Seen {
            so_far,
            current,
            delivered: TextLength::of(&[b'a'; 400]),
            ..Seen::default()
        };
        let of = |seen: Seen| {
            let used = usage(request, &seen);
            (used.input, used.output, used.web_searches)
        };
        let likely = likely_input(request);
        assert_eq!(of(seen(None, false)), (likely, 100, 0));
        assert_eq!(of(seen(told(7, 30), false)), (7, 100, 2));
        assert_eq!(of(seen(told(7, 130), false)), (7, 130, 2));
        assert_eq!(of(seen(told(7, 30), true)), (7, 30, 2));
        assert_eq!(of(seen(told(0, 30), true)), (likely, 100, 2));
    }

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
    fn media_count_as_such_and_not_by_their_bytes() {
        let image = |bytes: usize| {
            format!(
                r#"{{"type":"image_url","image_url":{{"url":"data:{}"}}}}"#,
                "A".repeat(bytes)
            )
        };
        let (small, large) = (image(100), image(4_000_000));
        assert_eq!(most_input(small.as_bytes()), small.len() as u64 + MEDIUM);
        assert!((1_500..1_600).contains(&likely_input(large.as_bytes())));
        assert_eq!(most_input(br#"{"text":"\"type\":\"image\""}"#), 29);
        let inline = br#"{"inlineData":{"mimeType":"image/png"},"responseMimeType":"a/b"}"#;
        assert_eq!(most_input(inline), inline.len() as u64 + MEDIUM);
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
