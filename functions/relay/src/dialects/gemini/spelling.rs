//! Members in camel case or in snake case: either is read, and what a caller has written is kept.
//!
//! Google's parser takes both, its documents show both, and its Python client mixes them.

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::value::RawValue;
use shared::domain::dialect::Dialect;
use shared::failure::Failure;

use crate::dialects::json::{Fields, Json, Raw, text, wrong};
use crate::dialects::neutral::request::{Extra, Extras};

/// In snake case.
pub(super) fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

/// Which members a caller spelled in snake case, and whether its bytes are in the alphabet for URLs.
#[derive(Debug, Default)]
pub(super) struct Spelling(RefCell<BTreeSet<String>>);

/// What stands in the set for bytes in base64's alphabet for URLs.
const URL_SAFE: &str = "base64url";
/// The name of the extra that carries the set.
const SPELLED: &str = "=spelling";

impl Spelling {
    fn insert(&self, name: &str) {
        self.0.borrow_mut().insert(name.to_owned());
    }

    /// As a request carries it.
    pub(super) fn carry(self, extras: &mut Extras) {
        let names = self.0.into_inner();
        if !names.is_empty() {
            let names: Vec<Json> = names.into_iter().map(Json::from).collect();
            extras.0.push(own(SPELLED, Json::Array(names).to_raw()));
        }
    }

    /// As a request has carried it.
    pub(super) fn of(extras: &Extras) -> Self {
        let names = extras.get(Dialect::Gemini, SPELLED);
        let names = names.and_then(|names| serde_json::from_str(names.get()).ok());
        Self(RefCell::new(names.unwrap_or_default()))
    }

    /// The member's name as the caller spells it.
    pub(super) fn write(&self, name: &str) -> String {
        if self.0.borrow().contains(name) {
            snake(name)
        } else {
            name.to_owned()
        }
    }

    /// Bytes in base64's usual alphabet.
    pub(super) fn read_bytes(&self, mut data: String) -> String {
        if !data.contains(['-', '_']) {
            return data;
        }
        self.insert(URL_SAFE);
        data = data.replace('-', "+").replace('_', "/");
        while !data.len().is_multiple_of(4) {
            data.push('=');
        }
        data
    }

    /// The same in the alphabet that the caller uses.
    pub(super) fn write_bytes(&self, data: &str) -> String {
        if self.0.borrow().contains(URL_SAFE) {
            data.replace('+', "-").replace('/', "_")
        } else {
            data.to_owned()
        }
    }
}

/// A member that only this dialect understands.
pub(super) fn own(name: impl Into<String>, value: Raw) -> Extra {
    Extra {
        dialect: Dialect::Gemini,
        name: name.into(),
        value,
    }
}

/// An object of a request that is being read.
#[derive(Debug)]
pub(super) struct Reading<'a, 's> {
    /// The whole of it.
    pub(super) raw: &'a RawValue,
    fields: Fields<'a>,
    /// Where it stands, for those who must hear that it is wrong.
    at: String,
    pub(super) spelling: &'s Spelling,
}

impl<'a, 's> Reading<'a, 's> {
    /// The members of an object.
    ///
    /// # Errors
    /// When it is none.
    pub(super) fn of(
        value: &'a RawValue,
        at: String,
        spelling: &'s Spelling,
    ) -> Result<Self, Failure> {
        match Fields::of(value) {
            Some(fields) => Ok(Self {
                raw: value,
                fields,
                at,
                spelling,
            }),
            None => Err(wrong(at, "an object")),
        }
    }

    /// Takes a member; `None` when it is missing or null.
    pub(super) fn take(&mut self, name: &'static str) -> Option<&'a RawValue> {
        if let Some(value) = self.fields.take(name) {
            return Some(value);
        }
        let spelled = snake(name);
        if spelled == name {
            return None;
        }
        let value = self.fields.take(&spelled)?;
        self.spelling.insert(name);
        Some(value)
    }

    /// Takes a member as `T`.
    ///
    /// # Errors
    /// When it is something else than `expected`.
    pub(super) fn read<T: Deserialize<'a>>(
        &mut self,
        name: &'static str,
        expected: &str,
    ) -> Result<Option<T>, Failure> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        serde_json::from_str(value.get())
            .map(Some)
            .map_err(|_| wrong(self.path(name), expected))
    }

    /// Takes a text, however badly it is escaped.
    ///
    /// # Errors
    /// When it is none.
    pub(super) fn text(&mut self, name: &'static str) -> Result<Option<String>, Failure> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        text(value)
            .map(Some)
            .ok_or_else(|| wrong(self.path(name), "a string"))
    }

    /// Takes a number as it is written.
    ///
    /// # Errors
    /// When it is none.
    pub(super) fn number(&mut self, name: &'static str) -> Result<Option<Raw>, Failure> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        if value
            .get()
            .starts_with(|c: char| c == '-' || c.is_ascii_digit())
        {
            return Ok(Some(value.to_owned()));
        }
        Err(wrong(self.path(name), "a number"))
    }

    /// Takes an object.
    ///
    /// # Errors
    /// When it is none.
    pub(super) fn object(&mut self, name: &'static str) -> Result<Option<Self>, Failure> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        Self::of(value, self.path(name), self.spelling).map(Some)
    }

    /// Takes an array of objects. One object stands for an array of one, as Google's parser has it.
    ///
    /// # Errors
    /// When it is neither, or has something else in it.
    pub(super) fn objects(&mut self, name: &'static str) -> Result<Vec<Self>, Failure> {
        let Some(value) = self.take(name) else {
            return Ok(Vec::new());
        };
        let path = self.path(name);
        if value.get().starts_with('{') {
            return Ok(vec![Self::of(value, path, self.spelling)?]);
        }
        let elements: Vec<&'a RawValue> =
            serde_json::from_str(value.get()).map_err(|_| wrong(path.clone(), "an array"))?;
        let elements = elements.into_iter().enumerate();
        elements
            .map(|(at, one)| Self::of(one, format!("{path}[{at}]"), self.spelling))
            .collect()
    }

    /// Where a member of it stands.
    pub(super) fn path(&self, name: &str) -> String {
        if self.at.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.at)
        }
    }

    /// What is left of it, each name after a prefix.
    pub(super) fn rest(self, prefix: &str) -> impl Iterator<Item = Extra> {
        let rest = self.fields.rest();
        rest.map(move |(name, value)| own(format!("{prefix}{name}"), value.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_spelling_is_read_and_the_callers_is_written() {
        let json = r#"{"inline_data":{"mimeType":"a/b"},"b":1}"#;
        let raw = RawValue::from_string(json.to_owned()).unwrap();
        let spelling = Spelling::default();
        let mut reading = Reading::of(&raw, "at".to_owned(), &spelling).unwrap();
        let mut inner = reading.object("inlineData").unwrap().unwrap();
        assert_eq!(inner.text("mimeType").unwrap().as_deref(), Some("a/b"));
        assert_eq!(reading.path("b"), "at.b");
        assert!(reading.text("b").is_err());
        let mut extras = Extras::default();
        spelling.carry(&mut extras);
        let spelling = Spelling::of(&extras);
        assert_eq!(spelling.write("inlineData"), "inline_data");
        assert_eq!(spelling.write("mimeType"), "mimeType");
    }

    #[test]
    fn bytes_are_read_in_either_alphabet() {
        let spelling = Spelling::default();
        assert_eq!(spelling.read_bytes("+/8=".to_owned()), "+/8=");
        assert_eq!(spelling.write_bytes("+/8="), "+/8=");
        assert_eq!(spelling.read_bytes("-_8".to_owned()), "+/8=");
        assert_eq!(spelling.write_bytes("+/8="), "-_8=");
    }
}
