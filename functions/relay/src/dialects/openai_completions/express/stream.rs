//! A streamed answer of OpenAI's completions, watched as it goes by.

use super::reply::TEXTS;
use crate::dialects::Wanted;
use crate::dialects::openai::watch::Watcher;

pub(in crate::dialects) fn watcher(wanted: &Wanted) -> Watcher {
    Watcher::new(wanted, TEXTS)
}
