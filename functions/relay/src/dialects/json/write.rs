//! Values that are being written.

use std::borrow::Cow;

use bytes::Bytes;
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

use super::Raw;

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
