//! JSON without a tree: members are taken by name and what is left is carried; numbers stay text.
//!
//! Identifiers above 2⁵³, `1.0` beside `1`, the order of members: none of it may change on the way,
//! so no value passes through a float, and what is not understood keeps its bytes.

use std::borrow::Cow;

use bytes::Bytes;
use serde::de::{MapAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use shared::failure::Failure;

/// Some JSON text, as it came.
pub type Raw = Box<RawValue>;

/// The members of an object that have not been taken yet, in their order.
#[derive(Debug, Clone, Default)]
pub struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Fields<'a> {
    /// The members of some JSON text; `None` when it is no object.
    #[must_use]
    pub fn parse(json: &'a str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }

    /// The members of a value; `None` when it is no object.
    #[must_use]
    pub fn of(value: &'a RawValue) -> Option<Self> {
        Self::parse(value.get())
    }

    /// Takes a member out; `None` when it is missing or null.
    pub fn take(&mut self, name: &str) -> Option<&'a RawValue> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        let (_, value) = self.0.remove(at);
        (value.get() != "null").then_some(value)
    }

    /// Takes a member out of a request, as `T`; `None` when it is missing or null.
    ///
    /// # Errors
    /// When it is something else than `expected`.
    pub fn read<T: Deserialize<'a>>(
        &mut self,
        name: &'static str,
        expected: &str,
    ) -> Result<Option<T>, Failure> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        serde_json::from_str(value.get())
            .map(Some)
            .map_err(|_| wrong(name, expected))
    }

    /// Takes a member out of a request whose value is an array; empty when it is missing or null.
    ///
    /// # Errors
    /// When it is no array.
    pub fn read_array(&mut self, name: &'static str) -> Result<Vec<&'a RawValue>, Failure> {
        Ok(self.read(name, "an array")?.unwrap_or_default())
    }

    /// Takes a text out of a provider's answer, however badly it is escaped.
    pub fn text(&mut self, name: &str) -> Option<String> {
        text(self.take(name)?)
    }

    /// Takes a whole number out of a provider's answer; one with a fraction is cut.
    pub fn count(&mut self, name: &str) -> Option<u64> {
        count(self.take(name)?)
    }

    /// Takes a member out of a provider's answer whose value is an object.
    pub fn object(&mut self, name: &str) -> Option<Self> {
        Self::of(self.take(name)?)
    }

    /// Takes a member out of a provider's answer whose value is an array; empty when there is none.
    pub fn array(&mut self, name: &str) -> Vec<&'a RawValue> {
        self.take(name).map(array).unwrap_or_default()
    }

    /// Whether nothing is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is left.
    pub fn rest(self) -> impl Iterator<Item = (String, &'a RawValue)> {
        self.0
            .into_iter()
            .map(|(name, value)| (name.into_owned(), value))
    }
}

/// A member of a request that is something else than `expected`.
pub fn wrong(name: impl Into<Cow<'static, str>>, expected: &str) -> Failure {
    let name = name.into();
    let text = format!("Invalid value for '{name}': {expected} is expected.");
    Failure::bad_field(name, text)
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut found = Vec::with_capacity(map.size_hint().unwrap_or(8));
                while let Some(Name(name)) = map.next_key()? {
                    found.push((name, map.next_value()?));
                }
                Ok(Fields(found))
            }
        }
        reader.deserialize_map(Members)
    }
}

/// A member's name, borrowed where it has no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// The elements of an array; empty when it is none.
#[must_use]
pub fn array(value: &RawValue) -> Vec<&RawValue> {
    serde_json::from_str(value.get()).unwrap_or_default()
}

/// A whole number; one with a fraction is cut.
#[must_use]
pub fn count(value: &RawValue) -> Option<u64> {
    let whole = value.get().split('.').next()?;
    whole.parse().ok()
}

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

/// A value that is being written.
#[derive(Debug, Clone)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Count(u64),
    /// A text.
    Text(Cow<'static, str>),
    /// Something as it came.
    Raw(Raw),
    /// An array.
    Array(Vec<Self>),
    /// An object.
    Object(Object),
}

impl Json {
    /// A constant text.
    #[must_use]
    pub const fn word(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    /// Its text.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        Bytes::from(serde_json::to_vec(self).unwrap_or_default())
    }

    /// Its text, as a value of its own.
    #[must_use]
    pub fn to_raw(&self) -> Raw {
        serde_json::value::to_raw_value(self).unwrap_or_default()
    }
}

/// An object that is being written; its members keep the order in which they are put.
#[derive(Debug, Clone, Default)]
pub struct Object(Vec<(Cow<'static, str>, Json)>);

impl Object {
    /// Without any member.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With a first member `type`.
    #[must_use]
    pub fn of_type(kind: &'static str) -> Self {
        Self::new().with("type", Json::word(kind))
    }

    /// With one member more.
    #[must_use]
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Json>) -> Self {
        self.put(name, value);
        self
    }

    /// With one member more, if there is a value.
    #[must_use]
    pub fn maybe(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: Option<impl Into<Json>>,
    ) -> Self {
        if let Some(value) = value {
            self.put(name, value);
        }
        self
    }

    /// Adds a member.
    pub fn put(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Json>) {
        self.0.push((name.into(), value.into()));
    }

    /// Adds the members of another object.
    pub fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    /// Adds a member at a path of names, within objects that are there; `false` when there are none,
    /// or when it is there already.
    pub fn put_at(&mut self, path: &[&str], value: impl Into<Json>) -> bool {
        let Some((first, rest)) = path.split_first() else {
            return false;
        };
        let known = self.0.iter_mut().find(|(known, _)| known == first);
        match (known, rest.is_empty()) {
            (None, true) => {
                self.put((*first).to_owned(), value);
                true
            }
            (Some((_, Json::Object(inner))), false) => inner.put_at(rest, value),
            _ => false,
        }
    }

    /// Whether it has the member.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    /// Whether it has no members.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Its text.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        Bytes::from(serde_json::to_vec(self).unwrap_or_default())
    }

    /// Its text, as a value of its own.
    #[must_use]
    pub fn to_raw(&self) -> Raw {
        serde_json::value::to_raw_value(self).unwrap_or_default()
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, writer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => writer.serialize_unit(),
            Self::Bool(value) => writer.serialize_bool(*value),
            Self::Count(value) => writer.serialize_u64(*value),
            Self::Text(text) => writer.serialize_str(text),
            Self::Raw(raw) => raw.serialize(writer),
            Self::Array(elements) => {
                let mut array = writer.serialize_seq(Some(elements.len()))?;
                for element in elements {
                    array.serialize_element(element)?;
                }
                array.end()
            }
            Self::Object(object) => object.serialize(writer),
        }
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, writer: S) -> Result<S::Ok, S::Error> {
        let mut map = writer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl From<&'static str> for Json {
    fn from(text: &'static str) -> Self {
        Self::word(text)
    }
}

impl From<String> for Json {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<&String> for Json {
    fn from(text: &String) -> Self {
        Self::Text(Cow::Owned(text.clone()))
    }
}

impl From<u64> for Json {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<Raw> for Json {
    fn from(raw: Raw) -> Self {
        Self::Raw(raw)
    }
}

impl From<&Raw> for Json {
    fn from(raw: &Raw) -> Self {
        Self::Raw(raw.clone())
    }
}

impl From<Object> for Json {
    fn from(object: Object) -> Self {
        Self::Object(object)
    }
}

impl<T: Into<Self>> From<Vec<T>> for Json {
    fn from(elements: Vec<T>) -> Self {
        Self::Array(elements.into_iter().map(Into::into).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_taken_is_left_as_it_came() {
        let json = r#"{"b": 1.0, "a":9007199254740993123 ,"c":null,"d":{"x" : 1e400}}"#;
        let mut fields = Fields::parse(json).unwrap();
        assert_eq!(fields.read::<f64>("b", "a number").unwrap(), Some(1.0));
        assert!(fields.take("c").is_none());
        let rest: Vec<_> = fields
            .rest()
            .map(|(n, v)| (n, v.get().to_owned()))
            .collect();
        assert_eq!(rest[0], ("a".to_owned(), "9007199254740993123".to_owned()));
        assert_eq!(rest[1].1, r#"{"x" : 1e400}"#);
    }

    #[test]
    fn halves_of_a_pair_find_each_other() {
        let raw = |json: &str| RawValue::from_string(json.to_owned()).unwrap();
        let mut halves = Halves::default();
        assert_eq!(halves.text(&raw(r#""a\ud83d""#)).unwrap(), "a");
        assert_eq!(halves.text(&raw(r#""\ude00b\n""#)).unwrap(), "😀b\n");
        assert_eq!(text(&raw(r#""a\ud83d""#)).unwrap(), "a\u{FFFD}");
        assert_eq!(text(&raw(r#""\"\\\ud83d\"""#)).unwrap(), "\"\\\u{FFFD}\"");
        assert_eq!(text(&raw("7")), None);
    }

    #[test]
    fn written_members_keep_their_order() {
        let raw = RawValue::from_string("[1.0, 2]".to_owned()).unwrap();
        let object = Object::of_type("x")
            .with("b", raw)
            .maybe("no", None::<u64>)
            .with("a", 1);
        assert_eq!(object.to_bytes(), r#"{"type":"x","b":[1.0, 2],"a":1}"#);
    }

    #[test]
    fn a_path_leads_into_objects_that_are_there() {
        let mut object = Object::new().with("a", Object::new().with("b", 1));
        assert!(object.put_at(&["a", "c"], 2) && object.put_at(&["d"], 3));
        assert!(!object.put_at(&["e", "f"], 4) && !object.put_at(&["d"], 5));
        assert_eq!(object.to_bytes(), r#"{"a":{"b":1,"c":2},"d":3}"#);
    }
}
