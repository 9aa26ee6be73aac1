//! A plain answer of OpenAI's chat dialect: what it used, and how much text it carries.

use super::super::wire::Trailer;
use crate::dialects::estimate::TextLength;
use crate::dialects::watch::Seen;

/// The members whose strings are the answer's text.
pub(in crate::dialects) const TEXTS: &[&[u8]] = &[
    br#""content""#,
    br#""reasoning_content""#,
    br#""reasoning""#,
    br#""refusal""#,
    br#""arguments""#,
];

pub(in crate::dialects) fn read(body: &[u8]) -> Option<Seen> {
    let trailer: Trailer = serde_json::from_slice(body).ok()?;
    trailer.choices?;
    let tokens = trailer.usage.map(|usage| usage.tokens());
    Some(Seen {
        tokens,
        delivered: delivered(body),
        began: true,
        complete: true,
        over: true,
        so_far: None,
    })
}

/// How much text an answer or a chunk delivers.
pub(in crate::dialects) fn delivered(json: &[u8]) -> TextLength {
    let mut length = TextLength::default();
    add_delivered(&mut length, json);
    length
}

pub(in crate::dialects) fn add_delivered(length: &mut TextLength, json: &[u8]) {
    for text in TEXTS {
        length.add_members(json, text);
    }
}
