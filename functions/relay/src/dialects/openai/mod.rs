//! What OpenAI's dialects share: words of refusals; of chats and older completions also usage and the express lane.

pub(in crate::dialects) mod failure;
pub(in crate::dialects) mod limit;
pub(in crate::dialects) mod room;
pub(in crate::dialects) mod splice;
pub(in crate::dialects) mod usage;
pub(in crate::dialects) mod watch;

use super::json::{Fields, array};

/// The members of an event or a body; `None` when it is no object.
pub(in crate::dialects) fn members(json: &str) -> Option<Fields<'_>> {
    Fields::parse(json.trim())
}

/// The first of the choices, among several by its index.
pub(in crate::dialects) fn first_choice<'a>(chunk: &mut Fields<'a>) -> Option<Fields<'a>> {
    let choices = chunk.take("choices").map(array)?;
    choices.into_iter().find_map(|choice| {
        let mut choice = Fields::of(choice)?;
        (choice.count("index").unwrap_or(0) == 0).then_some(choice)
    })
}
