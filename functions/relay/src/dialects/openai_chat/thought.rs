//! Thoughts and the state that belongs to them: `reasoning_content`, and `reasoning_details`.
//!
//! A thought's text stands in `reasoning_content` (or `reasoning`); its state in `reasoning_details`,
//! in the form of `OpenRouter`. To callers a detail tells how many characters of the text belong to it, so
//! that several thoughts of one message find their states again without being said twice.
//! <https://openrouter.ai/docs/use-cases/reasoning-tokens>

use serde_json::value::RawValue;

use crate::dialects::json::{Fields, Object, Raw};
use crate::dialects::neutral::{Block, Kind, Opaque, Origin};

/// A detail's text, by its type.
const TEXT: &str = "reasoning.text";
const SUMMARY: &str = "reasoning.summary";
const ENCRYPTED: &str = "reasoning.encrypted";
/// How many characters of the text belong to a detail: a member of our own.
const LENGTH: &str = "length";

/// One of `reasoning_details`, or a piece of one.
#[derive(Debug, Clone, Default)]
pub(super) struct Detail {
    /// Whether it has no text, but state alone.
    pub(super) encrypted: bool,
    /// What is thought.
    pub(super) text: Option<String>,
    /// By which its pieces find each other.
    pub(super) key: String,
    length: Option<u64>,
    /// Everything but the text.
    members: Vec<(String, Raw)>,
}

impl Detail {
    /// Reads a detail; `text` reads its text.
    pub(super) fn read(
        detail: &RawValue,
        mut text: impl FnMut(&RawValue) -> Option<String>,
    ) -> Option<Self> {
        let mut fields = Fields::of(detail)?;
        let said = fields.take("text").or_else(|| fields.take("summary"));
        let length = fields.count(LENGTH);
        let members: Vec<(String, Raw)> = fields
            .rest()
            .filter(|(_, value)| !matches!(value.get(), "null" | "\"\""))
            .map(|(name, value)| (name, value.to_owned()))
            .collect();
        let mut read = Self {
            text: said.and_then(&mut text),
            length,
            members,
            ..Self::default()
        };
        read.encrypted = read.member("data").is_some();
        let mut names = ["index", "id", "type"].into_iter();
        let key = names.find_map(|name| Some(read.member(name)?.get().to_owned()));
        read.key = key.unwrap_or_default();
        Some(read)
    }

    fn member(&self, name: &str) -> Option<&Raw> {
        let mut members = self.members.iter();
        members.find_map(|(known, value)| (known == name).then_some(value))
    }

    fn word(&self, name: &str) -> Option<String> {
        crate::dialects::json::text(self.member(name)?)
    }

    /// Adds a later piece: its members count.
    pub(super) fn merge(&mut self, later: Self) {
        for (name, value) in later.members {
            match self.members.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) => *known = value,
                None => self.members.push((name, value)),
            }
        }
    }

    /// The state: what the provider wants back with the text. A mere text has none.
    pub(super) fn state(&self) -> Option<Opaque> {
        let kind = self.word("type");
        let signed = self.word("signature").or_else(|| self.word("data"));
        if let Some(signed) = signed {
            let state = Opaque::unseal(&signed, Origin::OpenaiChat);
            if state.origin != Origin::OpenaiChat {
                return Some(state);
            }
        } else if kind.is_none_or(|kind| kind == TEXT) {
            return None;
        }
        let mut members = Object::new();
        for (name, value) in &self.members {
            members.put(name.clone(), value);
        }
        Some(Opaque::new(
            Origin::OpenaiChat,
            members.to_raw().get().to_owned(),
        ))
    }

    fn block(self, told: String) -> Block {
        let state = self.state();
        let kind = if self.encrypted {
            Kind::Redacted
        } else {
            Kind::Reasoning(self.text.unwrap_or(told))
        };
        Block::new(kind).with_opaque(state)
    }
}

/// The thoughts of an earlier turn, from its details and from the text that was told beside them.
pub(super) fn history(details: Vec<Detail>, told: Option<String>) -> Vec<Block> {
    let told = told.unwrap_or_default();
    let textless = |detail: &&Detail| !detail.encrypted && detail.text.is_none();
    let waiting: Vec<u64> = details
        .iter()
        .filter(textless)
        .map(|detail| detail.length.unwrap_or(0))
        .collect();
    let said = details.iter().any(|detail| detail.text.is_some());
    let all = told.chars().count() as u64;
    // The same thought is told beside the details that have it.
    let mut left: Vec<char> = if said {
        Vec::new()
    } else {
        told.chars().collect()
    };
    let exact = waiting.iter().sum::<u64>() <= all;
    let mut blocks = Vec::new();
    let mut waited = 0;
    for detail in details {
        let mut text = String::new();
        if textless(&&detail) {
            waited += 1;
            let length = match (exact, detail.length) {
                (true, Some(length)) => usize::try_from(length).unwrap_or(left.len()),
                _ if waited == waiting.len() => left.len(),
                _ => 0,
            };
            let rest = left.split_off(length.min(left.len()));
            text = std::mem::replace(&mut left, rest).into_iter().collect();
        }
        blocks.push(detail.block(text));
    }
    if !left.is_empty() {
        blocks.push(Block::new(Kind::Reasoning(left.into_iter().collect())));
    }
    blocks
}

/// A thought as the provider that made its state wants it back; `None` when that was another.
pub(super) fn write_back(block: &Block) -> Option<Object> {
    let data = block.opaque.as_ref()?.of(Origin::OpenaiChat)?;
    let mut fields = Fields::parse(data)?;
    let kind = fields.text("type");
    let text = match &block.kind {
        Kind::Reasoning(text) => Some(text),
        _ => None,
    };
    let name = match kind.as_deref() {
        Some(SUMMARY) => "summary",
        _ => "text",
    };
    let mut detail = Object::new().maybe("type", kind).maybe(name, text);
    for (name, value) in fields.rest() {
        detail.put(name, value.to_owned());
    }
    Some(detail)
}

/// State for a caller, who brings it back: `index` counts the details of the message, `length` the
/// characters of the thought that it belongs to; there is none where only the state is told.
pub(super) fn write_state(state: &Opaque, index: u64, length: Option<u64>) -> Object {
    if let Some(data) = state.of(Origin::OpenaiChat)
        && let Some(fields) = Fields::parse(data)
    {
        let mut detail = Object::new();
        for (name, value) in fields.rest() {
            detail.put(name, value.to_owned());
        }
        return detail.maybe(LENGTH, length);
    }
    let sealed = state.seal(Origin::OpenaiChat);
    let detail = match length {
        Some(_) => Object::of_type(TEXT).with("signature", sealed),
        None => Object::of_type(ENCRYPTED).with("data", sealed),
    };
    detail.with("index", index).maybe(LENGTH, length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialects::json::text;

    fn detail(json: &str) -> Detail {
        let raw = RawValue::from_string(json.to_owned()).unwrap();
        Detail::read(&raw, text).unwrap()
    }

    fn said(block: &Block) -> &str {
        match &block.kind {
            Kind::Reasoning(text) => text,
            _ => "",
        }
    }

    #[test]
    fn several_thoughts_find_their_states_again() {
        let state = |data: &str| Opaque::new(Origin::Anthropic, data);
        let written: Vec<Detail> = [
            write_state(&state("a"), 0, Some(3)),
            write_state(&state("r"), 1, None),
            write_state(&state("b"), 2, Some(2)),
        ]
        .into_iter()
        .map(|object| detail(object.to_raw().get()))
        .collect();
        let blocks = history(written, Some("éneto".to_owned()));
        assert_eq!(
            blocks.iter().map(said).collect::<Vec<_>>(),
            ["éne", "", "to"]
        );
        assert!(matches!(blocks[1].kind, Kind::Redacted));
        let states = blocks.iter().map(|block| block.opaque.clone().unwrap());
        assert_eq!(
            states.collect::<Vec<_>>(),
            [state("a"), state("r"), state("b")]
        );
    }

    #[test]
    fn the_same_thought_is_not_read_twice() {
        let signed =
            r#"{"type":"reasoning.text","text":"abc","signature":"s","format":"f","index":0}"#;
        let blocks = history(vec![detail(signed)], Some("abc".to_owned()));
        assert_eq!(blocks.len(), 1);
        assert_eq!(write_back(&blocks[0]).unwrap().to_raw().get(), signed);
    }

    #[test]
    fn a_text_without_state_is_a_thought() {
        let blocks = history(Vec::new(), Some("abc".to_owned()));
        assert!(said(&blocks[0]) == "abc" && blocks[0].opaque.is_none());
        assert!(history(Vec::new(), None).is_empty());
        let plain = detail(r#"{"type":"reasoning.text","text":"a","signature":"","format":null}"#);
        assert_eq!(plain.state(), None);
    }
}
