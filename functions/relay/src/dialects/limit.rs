//! A lower limit of an answer, spliced into a request: all other bytes stay as they came.

use std::ops::Range;

use super::members::{self, Members};

/// Other bytes for a span of the request.
pub type Edit = (Range<usize>, Vec<u8>);

/// The edit that makes a member at most `limit`, where it is more, null, or no whole number; none where
/// it is not more. `None` when there is no such member.
#[must_use]
pub fn lower(members: &Members<'_>, name: &str, limit: u64) -> Option<Option<Edit>> {
    let written = limit.to_string().into_bytes();
    if let Some(null) = members.span_of_null(name) {
        return Some(Some((null, written)));
    }
    let member = members.get(name)?;
    let is_lower = serde_json::from_str::<u64>(member.text).is_ok_and(|is| is <= limit);
    Some((!is_lower).then(|| (member.span.clone(), written)))
}

/// The edit that puts a new first member into an object; `at` is where that stands in the request.
#[must_use]
pub fn insert(object: &[u8], at: usize, member: &str) -> Edit {
    let place = members::first_place(object);
    let is_empty = object.get(place..).unwrap_or_default().trim_ascii() == b"}";
    let comma = if is_empty { "" } else { "," };
    let place = at + place;
    (place..place, format!("{member}{comma}").into_bytes())
}

/// The same edit, for a request in which the object that it was made for begins at `at`.
#[must_use]
pub fn moved((span, text): Edit, at: usize) -> Edit {
    (span.start + at..span.end + at, text)
}
