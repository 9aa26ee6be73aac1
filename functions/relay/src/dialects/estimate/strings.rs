//! Strings found in JSON by the names of their members, without reading the rest.

use memchr::memmem;

/// The strings that are values of a member, wherever it stands, as they are escaped. `member` is the
/// name in quotes.
pub fn strings_of<'a>(json: &'a [u8], member: &[u8]) -> impl Iterator<Item = &'a [u8]> {
    values_of(json, member, b'"', |value| inside(value.get(1..)?))
}

/// The objects that are values of a member, wherever it stands. `member` is the name in quotes.
pub(super) fn objects_of<'a>(json: &'a [u8], member: &[u8]) -> impl Iterator<Item = &'a [u8]> {
    values_of(json, member, b'{', object)
}

fn values_of<'a>(
    json: &'a [u8],
    member: &[u8],
    first: u8,
    take: impl Fn(&'a [u8]) -> Option<&'a [u8]>,
) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = json;
    std::iter::from_fn(move || {
        loop {
            let at = memmem::find(rest, member)?;
            rest = rest.get(at + member.len()..)?;
            let value = rest
                .trim_ascii_start()
                .strip_prefix(b":")
                .map(<[u8]>::trim_ascii_start);
            let value = value.filter(|value| value.first() == Some(&first));
            if let Some(value) = value.and_then(&take) {
                rest = rest.get(value.len()..).unwrap_or_default();
                return Some(value);
            }
        }
    })
}

/// What stands before the quote that ends a string.
pub(super) fn inside(text: &[u8]) -> Option<&[u8]> {
    let mut from = 0;
    loop {
        let found = memchr::memchr2(b'"', b'\\', text.get(from..)?)? + from;
        if text.get(found) == Some(&b'"') {
            return text.get(..found);
        }
        from = found + 2;
    }
}

/// The object with which a text begins.
fn object(text: &[u8]) -> Option<&[u8]> {
    let (mut at, mut open) = (0, 0_usize);
    loop {
        let rest = text.get(at..)?;
        at += rest
            .iter()
            .position(|byte| matches!(byte, b'"' | b'{' | b'}'))?
            + 1;
        match text.get(at - 1)? {
            b'"' => at += inside(text.get(at..)?)?.len() + 1,
            b'{' => open += 1,
            _ => open -= 1,
        }
        if open == 0 {
            return text.get(..at);
        }
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

/// Writes the inside of a string as it is meant. What is no escape stays as it is.
pub(super) fn unescape(mut text: &[u8], out: &mut Vec<u8>) {
    while let Some(at) = memchr::memchr(b'\\', text) {
        out.extend_from_slice(text.get(..at).unwrap_or_default());
        let Some(escape) = text.get(at + 1).copied() else {
            return;
        };
        text = text.get(at + 2..).unwrap_or_default();
        match escape {
            b'n' => out.push(b'\n'),
            b't' => out.push(b'\t'),
            b'r' => out.push(b'\r'),
            b'b' | b'f' => out.push(b' '),
            b'u' => text = unescape_unit(text, out),
            other => out.push(other),
        }
    }
    out.extend_from_slice(text);
}

/// Writes the character of `\uXXXX`, or of two of them, and gives what stands behind.
fn unescape_unit<'a>(text: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    let unit = |text: &[u8]| {
        let digits = std::str::from_utf8(text.get(..4)?).ok()?;
        u16::from_str_radix(digits, 16).ok()
    };
    let Some(first) = unit(text) else {
        return text;
    };
    let rest = text.get(4..).unwrap_or_default();
    let second = rest.strip_prefix(br"\u").and_then(unit);
    let pair = [Some(first), second].into_iter().flatten();
    let mut decoded = char::decode_utf16(pair);
    let Some(read) = decoded.next() else {
        return rest;
    };
    let character = read.unwrap_or(char::REPLACEMENT_CHARACTER);
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    if character.len_utf16() == 2 {
        return rest.get(6..).unwrap_or_default();
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn strings_and_objects_are_found_by_their_members() {
        let json = br#"{"input":"a\"b","x":[{"input" : {"k":"}","l":{}}}],"input":{"open"}"#;
        let strings: Vec<_> = strings_of(json, br#""input""#).collect();
        assert_eq!(strings, [br#"a\"b"#]);
        let objects: Vec<_> = objects_of(json, br#""input""#).collect();
        assert_eq!(objects, [&br#"{"k":"}","l":{}}"#[..], br#"{"open"}"#]);
        assert_eq!(objects_of(br#"{"input":{"open""#, br#""input""#).count(), 0);
    }

    #[test]
    fn escapes_are_undone() {
        for (escaped, meant) in [
            (r#"a\nb\"\\\/"#, "a\nb\"\\/"),
            (r"\u4f60\u597d", "你好"),
            (r"\ud83d\ude00!", "😀!"),
            (r"\ud83dx", "\u{fffd}x"),
            (r"\ud83d\u0041", "\u{fffd}A"),
            (r"\u00", "00"),
            ("a\\", "a"),
        ] {
            let mut out = Vec::new();
            unescape(escaped.as_bytes(), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), meant, "{escaped}");
        }
    }
}
