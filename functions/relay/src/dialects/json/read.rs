//! Members of an object, taken by name; what is left is carried.

use std::borrow::Cow;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use shared::failure::Failure;

use super::text;

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
