//! A plain answer of Anthropic's dialect: what it used, and how much text it carries.

use serde_json::value::RawValue;

use super::super::wire::Counts;
use crate::dialects::estimate::Delivered;
use crate::dialects::json::Fields;
use crate::dialects::watch::Seen;

/// The members whose strings are the answer's text, in plain answers and in deltas; `name` is a tool's.
const TEXTS: &[&[u8]] = &[
    br#""text""#,
    br#""thinking""#,
    br#""partial_json""#,
    br#""name""#,
];

pub(in crate::dialects) fn read(body: &[u8]) -> Option<Seen> {
    let message: &RawValue = serde_json::from_slice(body).ok()?;
    let mut message = Fields::of(message)?;
    if message.text("type")? != "message" {
        return None;
    }
    let mut delivered = Delivered::default();
    add_delivered(&mut delivered, body);
    let usage = message.take("usage").and_then(Counts::read);
    let usage = usage.map(|usage| usage.within(message.take("container")));
    Some(Seen {
        tokens: usage.map(Counts::tokens),
        delivered,
        began: true,
        complete: true,
        over: true,
        so_far: None,
        current: false,
    })
}

pub(in crate::dialects) fn add_delivered(delivered: &mut Delivered, json: &[u8]) {
    for text in TEXTS {
        delivered.add_members(json, text);
    }
    delivered.add_objects(json, br#""input""#);
}
