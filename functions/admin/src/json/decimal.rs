//! Amounts in bodies: a decimal string or a JSON number, read by its text and never through a float.

use std::fmt::Display;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error};
use serde_json::value::RawValue;

/// An amount, a rate or a ratio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decimal<T>(pub(crate) T);

impl<'de, T: FromStr<Err: Display>> Deserialize<'de> for Decimal<T> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(json)?;
        let text = raw.get();
        let quoted = text.starts_with('"');
        let is_number = text.starts_with(|c: char| c == '-' || c.is_ascii_digit());
        let read = if quoted {
            let text: String = serde_json::from_str(text).map_err(D::Error::custom)?;
            text.parse()
        } else if is_number {
            text.parse()
        } else {
            return Err(D::Error::custom(
                "a decimal string such as \"4.20\" is expected",
            ));
        };
        read.map(Self).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use shared::domain::money::{NanoUsd, Rate};

    use super::*;

    fn read(text: &str) -> Option<String> {
        let read = serde_json::from_str::<Decimal<NanoUsd>>(text);
        read.ok().map(|Decimal(amount)| amount.to_string())
    }

    #[test]
    fn numbers_are_read_by_their_text() {
        for (text, amount) in [
            ("\"4.20\"", Some("4.2")),
            ("4.20", Some("4.2")),
            ("-0.000000001", Some("-0.000000001")),
            // As a float it would be 9007199254.740993023…
            ("9007199254.740993001", Some("9007199254.740993001")),
            ("0.1", Some("0.1")),
            ("1e-7", None),
            ("1E3", None),
            ("0.0000000001", None),
            ("\"1,5\"", None),
            ("\"\"", None),
            ("null", None),
            ("true", None),
            ("[1]", None),
        ] {
            assert_eq!(read(text).as_deref(), amount, "{text}");
        }
        assert!(serde_json::from_str::<Decimal<Rate>>("-1").is_err());
    }

    #[test]
    fn an_option_takes_null() {
        let none: Option<Decimal<NanoUsd>> = serde_json::from_str("null").unwrap();
        assert_eq!(none, None);
    }
}
