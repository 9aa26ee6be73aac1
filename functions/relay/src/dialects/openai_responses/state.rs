//! Where providers' state travels: in `encrypted_content` of reasoning items, which clients bring back.
//!
//! State of another provider's block that is no thought travels in an empty reasoning item of its own
//! behind that block; a word behind the envelope tells so.

use crate::dialects::neutral::{Opaque, Origin};

const NATIVE: Origin = Origin::OpenaiResponses;

/// To what a state belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// To the thought of the same item.
    Thought,
    /// To a thought of which nothing else is told.
    Redacted,
    /// To the text or the call before.
    Before,
    /// To a text that is empty.
    Text,
}

const WORDS: [(&str, Owner); 3] = [
    (".redacted", Owner::Redacted),
    (".before", Owner::Before),
    (".text", Owner::Text),
];

/// The state as `encrypted_content`.
pub(super) fn write(opaque: &Opaque, owner: Owner) -> String {
    let mut sealed = opaque.seal(NATIVE);
    if opaque.origin != NATIVE
        && let Some((word, _)) = WORDS.iter().find(|(_, known)| *known == owner)
    {
        sealed.push_str(word);
    }
    sealed
}

/// The state in an `encrypted_content`.
pub(super) fn read(text: &str) -> (Owner, Opaque) {
    for (word, owner) in WORDS {
        if let Some(sealed) = text.strip_suffix(word) {
            let opaque = Opaque::unseal(sealed, NATIVE);
            if opaque.origin != NATIVE {
                return (owner, opaque);
            }
        }
    }
    (Owner::Thought, Opaque::unseal(text, NATIVE))
}

/// The state, if it was made by a provider of this dialect.
pub(super) fn native(opaque: Option<&Opaque>) -> Option<&str> {
    opaque?.of(NATIVE)
}

/// State that a provider of this dialect has made.
pub(super) fn of_provider(data: String) -> Opaque {
    Opaque::new(NATIVE, data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_state_comes_back_to_where_it_belongs() {
        for owner in [Owner::Thought, Owner::Redacted, Owner::Before, Owner::Text] {
            let state = Opaque::new(Origin::Gemini, "sig");
            assert_eq!(read(&write(&state, owner)), (owner, state));
        }
        let own = of_provider("gAAA.text".to_owned());
        assert_eq!(write(&own, Owner::Redacted), "gAAA.text");
        assert_eq!(read("gAAA.text"), (Owner::Thought, own));
    }
}
