//! A plain answer of OpenAI's chat dialect: what it used, and how much text it carries.

use crate::dialects::openai::watch::{self, Texts};
use crate::dialects::watch::Seen;

/// The members whose strings are the answer's text. Thoughts have several names; under `text` they, and
/// the answer, stand in parts.
pub(in crate::dialects) const TEXTS: Texts = &[
    &[br#""content""#],
    &[br#""reasoning_content""#, br#""reasoning""#, br#""text""#],
    &[br#""refusal""#],
    &[br#""name""#],
    &[br#""arguments""#],
];

pub(in crate::dialects) fn read(body: &[u8]) -> Option<Seen> {
    watch::plain(body, TEXTS)
}
