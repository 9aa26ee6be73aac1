//! An object's members and what lies between them: whole members are taken out of it, and all other
//! bytes stay.

use std::ops::Range;

use bytes::Bytes;
use serde::Serialize;

use super::json::Fields;
use super::members::splice;

/// An object within a text, cut at its commas.
#[derive(Debug, Clone, Default)]
pub struct Parts {
    /// Where the first member may stand.
    inside: usize,
    parts: Vec<Part>,
}

#[derive(Debug, Clone)]
struct Part {
    name: String,
    /// From one comma to the next.
    span: Range<usize>,
    /// The value.
    value: Range<usize>,
}

impl Parts {
    /// The object that stands in `span` of `text`; `None` when there is none.
    #[must_use]
    pub fn of(text: &str, span: Range<usize>) -> Option<Self> {
        let object = text.get(span)?;
        let fields = Fields::parse(object)?;
        let at = |inner: &str| inner.as_ptr().addr().wrapping_sub(text.as_ptr().addr());
        let inside = at(object) + object.find('{')? + 1;
        let mut parts = Vec::new();
        let mut start = inside;
        for (name, value) in fields.rest() {
            let from = at(value.get());
            let value = from..from + value.get().len();
            let rest = text.get(value.end..)?;
            let end = value.end + rest.find([',', '}'])?;
            let span = start..end;
            start = end + 1;
            parts.push(Part { name, span, value });
        }
        Some(Self { inside, parts })
    }

    /// Where the value of a member stands.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<Range<usize>> {
        let mut parts = self.parts.iter();
        parts.find_map(|part| (part.name == name).then(|| part.value.clone()))
    }

    /// Every member's name, and where its value stands.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Range<usize>)> {
        let parts = self.parts.iter();
        parts.map(|part| (part.name.as_str(), part.value.clone()))
    }

    /// What must go, so that the members of these names are gone.
    fn removals(&self, goes: impl Fn(&str) -> bool) -> Vec<Range<usize>> {
        let mut removals = Vec::new();
        let mut kept = false;
        let last = self.parts.len().saturating_sub(1);
        for (at, part) in self.parts.iter().enumerate() {
            if !goes(&part.name) {
                kept = true;
            } else if kept {
                // With the comma before it.
                removals.push(part.span.start - 1..part.span.end);
            } else {
                // With the comma after it, unless nothing is left.
                removals.push(part.span.start..part.span.end + usize::from(at < last));
            }
        }
        removals
    }
}

/// Changes of a text, in any order.
#[derive(Debug, Default)]
pub struct Edits(Vec<(Range<usize>, Vec<u8>)>);

impl Edits {
    /// Takes members out of an object.
    pub fn remove(&mut self, object: &Parts, goes: impl Fn(&str) -> bool) {
        let removals = object.removals(goes).into_iter();
        self.0.extend(removals.map(|span| (span, Vec::new())));
    }

    /// Puts another value in the place of one.
    pub fn replace(&mut self, value: Range<usize>, other: &impl Serialize) {
        let other = serde_json::to_vec(other).unwrap_or_default();
        self.0.push((value, other));
    }

    /// Puts members in front of an object's. It must keep one of its own.
    pub fn put_first<'a>(
        &mut self,
        object: &Parts,
        members: impl IntoIterator<Item = (&'static str, &'a str)>,
    ) {
        let members = members.into_iter();
        let text: String = members
            .map(|(name, value)| format!("\"{name}\":{value},"))
            .collect();
        if !text.is_empty() {
            self.0
                .push((object.inside..object.inside, text.into_bytes()));
        }
    }

    /// The text with all changes.
    #[must_use]
    pub fn apply(mut self, text: &Bytes) -> Bytes {
        self.0.sort_by_key(|(span, _)| (span.start, span.end));
        splice(text, &self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without(text: &str, names: &[&str]) -> String {
        let parts = Parts::of(text, 0..text.len()).unwrap();
        let mut edits = Edits::default();
        edits.remove(&parts, |name| names.contains(&name));
        let left = edits.apply(&Bytes::copy_from_slice(text.as_bytes()));
        String::from_utf8(left.to_vec()).unwrap()
    }

    #[test]
    fn whole_members_go_with_one_comma_each() {
        let text = r#" { "a" : 1 , "b":{"a":[",}"]} ,"c" : "x"  } "#;
        for (names, left) in [
            (&["a"][..], r#" { "b":{"a":[",}"]} ,"c" : "x"  } "#),
            (&["b"], r#" { "a" : 1 ,"c" : "x"  } "#),
            (&["c"], r#" { "a" : 1 , "b":{"a":[",}"]} } "#),
            (&["b", "c"], r#" { "a" : 1 } "#),
            (&["a", "c"], r#" { "b":{"a":[",}"]} } "#),
            (&["a", "b", "c"], " {} "),
            (&["d"], text),
        ] {
            assert_eq!(without(text, names), left, "{names:?}");
        }
        assert_eq!(without("{}", &["a"]), "{}");
        assert_eq!(
            without(r#"{"m\u006fdel":1,"b":2}"#, &["model"]),
            r#"{"b":2}"#
        );
    }

    #[test]
    fn members_are_put_and_replaced_in_place() {
        let text = r#"{"model":"m", "n":1.0}"#;
        let parts = Parts::of(text, 0..text.len()).unwrap();
        let mut edits = Edits::default();
        edits.replace(parts.value("n").unwrap(), &[2]);
        edits.remove(&parts, |name| name == "model");
        edits.put_first(&parts, [("v", "\"1\"")]);
        let left = edits.apply(&Bytes::from_static(text.as_bytes()));
        assert_eq!(left, r#"{"v":"1", "n":[2]}"#);
    }
}
