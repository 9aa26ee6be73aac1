//! A plain answer of OpenAI's Responses dialect: what it used, and how much text it carries.

use super::super::pieces::Pieces;
use super::super::wire::read_usage;
use crate::dialects::estimate::Delivered;
use crate::dialects::json::{Fields, array};
use crate::dialects::watch::Seen;

/// The members whose strings are the answer's text, in plain answers.
const TEXTS: &[&[u8]] = &[
    br#""text""#,
    br#""arguments""#,
    br#""input""#,
    br#""refusal""#,
    br#""name""#,
    br#""code""#,
];

/// A failed answer is none: its error is one with a status.
pub(in crate::dialects) fn read(body: &[u8]) -> Option<Seen> {
    let mut response = Fields::parse(std::str::from_utf8(body).ok()?)?;
    let items = response.take("output")?;
    let output = items.get();
    if !output.starts_with('[') || response.text("status").as_deref() == Some("failed") {
        return None;
    }
    let mut delivered = Delivered::default();
    for text in TEXTS {
        delivered.add_members(output.as_bytes(), text);
    }
    let pieces = Pieces::of(&array(items));
    Some(Seen {
        tokens: read_usage(&mut response, &pieces),
        delivered,
        began: true,
        complete: true,
        over: true,
        so_far: pieces.some(),
        current: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_told_from_what_is_none() {
        let answer = br#"{"object":"response","status":"completed","output":[{"type":"message",
            "content":[{"type":"output_text","text":"hi"}]}],"instructions":{"text":"not this"},
            "usage":{"input_tokens":3,"output_tokens":2}}"#;
        let seen = read(answer).unwrap();
        assert_eq!(seen.tokens.unwrap().output, 2);
        assert_eq!(seen.delivered.tokens(), 1);
        for none in [
            r#"{"error":{"message":"x"}}"#,
            r#"{"status":"failed","output":[],"error":{"code":"server_error"}}"#,
            r#"{"output":null}"#,
            "[]",
        ] {
            assert!(read(none.as_bytes()).is_none(), "{none}");
        }
    }
}
