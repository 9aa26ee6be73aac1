//! A plain answer of OpenAI's completions: what it used, and how much text it carries.

use crate::dialects::openai::watch::{self, Texts};
use crate::dialects::watch::Seen;

/// The members whose strings are the answer's text.
pub(in crate::dialects) const TEXTS: Texts = &[&[br#""text""#]];

pub(in crate::dialects) fn read(body: &[u8]) -> Option<Seen> {
    watch::plain(body, TEXTS)
}
