//! Texts out of JSON, however badly a server has cut them.

use serde_json::value::RawValue;

/// A text, however badly it is escaped: half of a surrogate pair becomes `U+FFFD`.
#[must_use]
pub fn text(value: &RawValue) -> Option<String> {
    let mut halves = Halves::default();
    let mut text = halves.text(value)?;
    text.extend(halves.rest());
    Some(text)
}

/// Texts that come in pieces, where a piece may end between the halves of a surrogate pair.
///
/// Servers that cut texts by UTF-16 units send `"\ud83d"` and then `"\ude00"`; a JSON parser refuses
/// either.
#[derive(Debug, Clone, Copy, Default)]
pub struct Halves(Option<u16>);

impl Halves {
    /// The text of the next piece; `None` when it is no text. A half at its end waits for the other.
    pub fn text(&mut self, value: &RawValue) -> Option<String> {
        let json = value.get();
        if self.0.is_none()
            && let Ok(text) = serde_json::from_str::<String>(json)
        {
            return Some(text);
        }
        if json == "\"\"" {
            return Some(String::new());
        }
        json.starts_with('"').then(|| self.unescape(json))
    }

    /// What is left when no other half comes.
    pub fn rest(&mut self) -> Option<char> {
        self.0.take().map(|_| char::REPLACEMENT_CHARACTER)
    }

    fn unescape(&mut self, json: &str) -> String {
        let inside = json.strip_prefix('"').unwrap_or(json);
        let inside = inside.strip_suffix('"').unwrap_or(inside);
        let mut units: Vec<u16> = self.0.take().into_iter().collect();
        let mut characters = inside.chars();
        while let Some(character) = characters.next() {
            if character != '\\' {
                units.extend(character.encode_utf16(&mut [0; 2]).iter());
                continue;
            }
            let unit = match characters.next() {
                Some('n') => u16::from(b'\n'),
                Some('t') => u16::from(b'\t'),
                Some('r') => u16::from(b'\r'),
                Some('b') => 8,
                Some('f') => 12,
                Some('u') => {
                    let digits: String = characters.by_ref().take(4).collect();
                    u16::from_str_radix(&digits, 16).unwrap_or(0xFFFD)
                }
                Some(other) => u16::try_from(u32::from(other)).unwrap_or(0xFFFD),
                None => break,
            };
            units.push(unit);
        }
        if units
            .last()
            .is_some_and(|unit| (0xD800..0xDC00).contains(unit))
        {
            self.0 = units.pop();
        }
        String::from_utf16_lossy(&units)
    }
}
