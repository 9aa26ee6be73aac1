//! A plain answer of Gemini's dialect: what it used, and how much text it carries.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use shared::domain::usage::Usage;

use super::super::usage::{self, Searches};
use crate::dialects::estimate::Delivered;
use crate::dialects::json::text;
use crate::dialects::watch::Seen;

/// The members whose strings are the answer's text, in plain answers and in pieces.
const TEXTS: &[&[u8]] = &[
    br#""text""#,
    br#""name""#,
    br#""stringValue""#,
    br#""code""#,
];

/// An answer or a piece of one, as much of it as matters.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Piece<'a> {
    #[serde(borrow, default)]
    candidates: Option<Vec<Candidate<'a>>>,
    #[serde(borrow, default)]
    prompt_feedback: Option<Feedback<'a>>,
    #[serde(borrow, default)]
    usage_metadata: Option<&'a RawValue>,
    #[serde(borrow, default)]
    model_version: Option<&'a RawValue>,
    #[serde(default)]
    pub(super) error: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate<'a> {
    #[serde(default)]
    index: Option<u64>,
    #[serde(borrow, default)]
    finish_reason: Option<&'a RawValue>,
    #[serde(borrow, default)]
    grounding_metadata: Option<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Feedback<'a> {
    #[serde(borrow, default)]
    block_reason: Option<&'a RawValue>,
}

impl Piece<'_> {
    pub(super) fn tokens(&self) -> Option<Usage> {
        usage::read(self.usage_metadata?)
    }

    /// Takes note of the searches that the answer rests on.
    pub(super) fn count(&self, searches: &mut Searches) {
        let model = self.model_version.and_then(text);
        searches.see(model.as_deref(), None);
        for candidate in self.candidates.iter().flatten() {
            searches.see(None, candidate.grounding_metadata);
        }
    }

    /// Which candidates have told why they ended.
    pub(super) fn finished(&self) -> impl Iterator<Item = u64> {
        let candidates = self.candidates.iter().flatten();
        let finished = candidates.filter(|candidate| says(candidate.finish_reason));
        finished.map(|candidate| candidate.index.unwrap_or(0))
    }

    /// Whether there will be no candidate.
    pub(super) fn is_blocked(&self) -> bool {
        let feedback = self.prompt_feedback.as_ref();
        feedback.is_some_and(|feedback| says(feedback.block_reason))
    }
}

/// Whether there is a reason, and not the word for none.
fn says(reason: Option<&RawValue>) -> bool {
    reason.is_some_and(|reason| {
        !reason.get().ends_with("_UNSPECIFIED\"") && !["null", "\"\"", "0"].contains(&reason.get())
    })
}

pub(in crate::dialects) fn read(body: &[u8]) -> Option<Seen> {
    let piece: Piece<'_> = serde_json::from_slice(body).ok()?;
    let is_answer = piece.candidates.is_some()
        || piece.prompt_feedback.is_some()
        || piece.usage_metadata.is_some();
    if !is_answer || piece.error.is_some() {
        return None;
    }
    let mut searches = Searches::default();
    piece.count(&mut searches);
    let mut delivered = Delivered::default();
    add_delivered(&mut delivered, body);
    Some(Seen {
        tokens: piece.tokens().map(|usage| searches.add(usage)),
        so_far: None,
        current: false,
        delivered,
        began: true,
        complete: true,
        over: true,
    })
}

/// Adds the text that an answer or a piece delivers.
pub(super) fn add_delivered(delivered: &mut Delivered, json: &[u8]) {
    for text in TEXTS {
        delivered.add_members(json, text);
    }
    delivered.add_objects(json, br#""args""#);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_without_candidates_is_one_and_an_error_is_none() {
        let blocked = br#"{"promptFeedback":{"blockReason":"SAFETY"},
            "usageMetadata":{"promptTokenCount":12,"totalTokenCount":12}}"#;
        assert_eq!(read(blocked).unwrap().tokens.unwrap().input, 12);
        assert_eq!(read(br#"{"error":{"code":429}}"#), None);
        assert_eq!(read(br#"{"id":"x"}"#), None);
        assert_eq!(read(b"[]"), None);
    }
}
