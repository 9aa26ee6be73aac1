//! An object of a request, and where it stands: so that who wrote it learns what is wrong.

use serde::Deserialize;
use serde_json::value::RawValue;
use shared::domain::dialect::Dialect;
use shared::failure::Failure;

use crate::dialects::json::{self, Fields, wrong};
use crate::dialects::neutral::request::{Cache, Extras};
use crate::dialects::openai_chat::wire;

/// An object of a request.
#[derive(Debug)]
pub(super) struct Node<'a> {
    /// Where it stands: `messages[3].content[0]`; empty for the request itself.
    pub(super) path: String,
    pub(super) fields: Fields<'a>,
}

impl<'a> Node<'a> {
    pub(super) fn new(value: &'a RawValue, path: String) -> Result<Self, Failure> {
        match Fields::of(value) {
            Some(fields) => Ok(Self { path, fields }),
            None => Err(wrong(path, "an object")),
        }
    }

    /// Where a member of it stands.
    pub(super) fn at(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }

    pub(super) fn wrong(&self, name: &str, expected: &str) -> Failure {
        wrong(self.at(name), expected)
    }

    pub(super) fn read<T: Deserialize<'a>>(
        &mut self,
        name: &str,
        expected: &str,
    ) -> Result<Option<T>, Failure> {
        let Some(value) = self.fields.take(name) else {
            return Ok(None);
        };
        let read = serde_json::from_str(value.get()).map_err(|_| self.wrong(name, expected));
        read.map(Some)
    }

    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Failure> {
        let Some(value) = self.fields.take(name) else {
            return Ok(None);
        };
        let text = json::text(value).ok_or_else(|| self.wrong(name, "a string"))?;
        Ok(Some(text))
    }

    pub(super) fn require_text(&mut self, name: &str) -> Result<String, Failure> {
        self.text(name)?.ok_or_else(|| self.wrong(name, "a string"))
    }

    pub(super) fn flag(&mut self, name: &str) -> Result<Option<bool>, Failure> {
        self.read(name, "true or false")
    }

    pub(super) fn count(&mut self, name: &str) -> Result<Option<u64>, Failure> {
        self.read(name, "a whole number")
    }

    /// A number, as it is written.
    pub(super) fn number(&mut self, name: &str) -> Result<Option<Box<RawValue>>, Failure> {
        let Some(value) = self.fields.take(name) else {
            return Ok(None);
        };
        match serde_json::from_str::<f64>(value.get()) {
            Ok(_) => Ok(Some(value.to_owned())),
            Err(_) => Err(self.wrong(name, "a number")),
        }
    }

    pub(super) fn object(&mut self, name: &str) -> Result<Option<Self>, Failure> {
        let path = self.at(name);
        let value = self.fields.take(name);
        value.map(|value| Self::new(value, path)).transpose()
    }

    pub(super) fn require(&mut self, name: &str) -> Result<Self, Failure> {
        self.object(name)?
            .ok_or_else(|| self.wrong(name, "an object"))
    }

    /// The objects of an array, each with its place.
    pub(super) fn array(&mut self, name: &str) -> Result<Vec<Self>, Failure> {
        let values: Vec<&'a RawValue> = self.read(name, "an array")?.unwrap_or_default();
        let path = self.at(name);
        let values = values.into_iter().enumerate();
        values
            .map(|(at, value)| Self::new(value, format!("{path}[{at}]")))
            .collect()
    }

    pub(super) fn cache(&mut self) -> Option<Cache> {
        self.fields.take("cache_control").and_then(wire::read_cache)
    }

    /// What is left of it, under a prefix that tells where in the outer object it stood.
    pub(super) fn rest(self, prefix: &str) -> Extras {
        let mut extras = Extras::rest(Dialect::OpenaiChat, self.fields);
        if !prefix.is_empty() {
            for extra in &mut extras.0 {
                extra.name = format!("{prefix}{}", extra.name);
            }
        }
        extras
    }
}
