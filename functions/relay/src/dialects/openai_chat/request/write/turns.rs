//! Which turns of the assistant are one message: other dialects say its thoughts and its calls apart.

use std::borrow::Cow;

use shared::domain::dialect::Dialect;

use crate::dialects::neutral::{Kind, Role, Turn};

/// The turns, with the assistant's neighbours joined where they must not stand alone.
pub(super) fn joined(turns: &[Turn]) -> Vec<Cow<'_, Turn>> {
    let mut joined: Vec<Cow<'_, Turn>> = Vec::with_capacity(turns.len());
    for turn in turns {
        match joined.last_mut() {
            Some(last) if are_one(last, turn) => {
                let last = last.to_mut();
                last.content.blocks.extend(turn.content.blocks.clone());
                last.extras.0.extend(turn.extras.0.iter().cloned());
            }
            _ => joined.push(Cow::Borrowed(turn)),
        }
    }
    joined
}

/// Results must follow a message with calls, and a thought belongs to what it led to. Of two whole
/// messages a caller of this dialect has meant two.
fn are_one(before: &Turn, after: &Turn) -> bool {
    let both = before.role == Role::Assistant && after.role == Role::Assistant;
    both && (calls(before) || !speaks(before) || is_foreign(before) || is_foreign(after))
}

fn calls(turn: &Turn) -> bool {
    let mut blocks = turn.content.blocks.iter();
    blocks.any(|block| matches!(block.kind, Kind::ToolUse(_)))
}

fn speaks(turn: &Turn) -> bool {
    let mut blocks = turn.content.blocks.iter();
    blocks.any(|block| !matches!(block.kind, Kind::Reasoning(_) | Kind::Redacted))
}

fn is_foreign(turn: &Turn) -> bool {
    let mut extras = turn.extras.0.iter();
    extras.any(|extra| extra.dialect != Dialect::OpenaiChat)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialects::neutral::Block;
    use crate::dialects::neutral::request::{Content, ToolUse};

    fn says(kind: Kind) -> Turn {
        Turn::new(Role::Assistant, Content::blocks(vec![Block::new(kind)]))
    }

    fn call(id: &str) -> Turn {
        says(Kind::ToolUse(ToolUse {
            id: id.to_owned(),
            name: "f".to_owned(),
            arguments: "{}".to_owned(),
        }))
    }

    fn lengths(turns: &[Turn]) -> Vec<usize> {
        let joined = joined(turns);
        joined
            .iter()
            .map(|turn| turn.content.blocks.len())
            .collect()
    }

    #[test]
    fn a_thought_and_all_calls_after_it_are_one_message() {
        let thought = says(Kind::Reasoning("hm".to_owned()));
        let user = Turn::new(Role::User, Content::text("x"));
        let turns = [thought, call("a"), call("b"), user, call("c")];
        assert_eq!(lengths(&turns), [3, 1, 1]);
    }

    #[test]
    fn two_texts_stay_two_messages() {
        let text = || says(Kind::Text("x".to_owned()));
        assert_eq!(lengths(&[text(), text()]), [1, 1]);
    }
}
