//! Signs in a request that an earlier turn was answered by somebody else than its provider.
//!
//! What another provider has said stands in the caller's dialect by this gateway's own hand: state in
//! envelopes, thoughts that nobody has signed, items that nobody keeps. A provider of the caller's
//! dialect refuses them, so such a request goes through the neutral form, which leaves them out.

use memchr::memmem;

use super::estimate::strings_of;
use super::neutral::opaque;

/// Whether a request carries another provider's state. In base64, as Gemini's clients carry it, an
/// envelope begins otherwise.
#[must_use]
pub fn has_envelope(body: &[u8]) -> bool {
    let marks = [opaque::MARK, opaque::MARK_IN_BASE64];
    marks.iter().any(|mark| {
        let mut found = memmem::find_iter(body, mark);
        // A text begins with it: what people write about envelopes is none.
        found.any(|at| at > 0 && body.get(at - 1) == Some(&b'"'))
    })
}

/// Whether a member of that name, given in quotes, has the empty text somewhere.
#[must_use]
pub fn has_empty(body: &[u8], member: &[u8]) -> bool {
    strings_of(body, member).any(<[u8]>::is_empty)
}

/// Whether a member of that name, given in quotes, stands somewhere.
#[must_use]
pub fn has_member(body: &[u8], member: &[u8]) -> bool {
    memmem::find_iter(body, member).any(|at| {
        let rest = body.get(at + member.len()..).unwrap_or_default();
        rest.trim_ascii_start().first() == Some(&b':')
    })
}

/// Whether an item has an id that this gateway has made: a kind, the id of a call, a number.
#[must_use]
pub fn has_made_id(body: &[u8], kind: &str) -> bool {
    strings_of(body, br#""id""#).any(|id| is_made(id, kind))
}

/// Whether this gateway has made an id: `rs_01KT…_0`.
#[must_use]
pub fn is_made(id: &[u8], kind: &str) -> bool {
    const ULID: usize = 26;
    let rest = id.strip_prefix(kind.as_bytes());
    let rest = rest.and_then(|rest| rest.strip_prefix(b"_"));
    let Some((ulid, number)) = rest.and_then(|rest| rest.split_at_checked(ULID)) else {
        return false;
    };
    let made = |byte: &u8| byte.is_ascii_digit() || byte.is_ascii_uppercase();
    let number = number.strip_prefix(b"_").unwrap_or_default();
    ulid.iter().all(made) && !number.is_empty() && number.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::super::neutral::{Opaque, Origin};
    use super::*;

    #[test]
    fn envelopes_are_seen_however_they_are_carried() {
        let sealed = Opaque::new(Origin::Bedrock, "x").seal(Origin::Anthropic);
        let text = |text: &str| serde_json::Value::from(text).to_string().into_bytes();
        assert!(has_envelope(&text(&sealed)));
        let wire = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &sealed);
        assert!(has_envelope(&text(&wire)));
        assert!(!has_envelope(br#"{"text":"what is th1.gemini?"}"#));
        assert!(!has_envelope(br#"{"signature":"EqQBCgABAhgBMT"}"#));
    }

    #[test]
    fn ids_of_this_gateways_making_are_known() {
        assert!(is_made(b"rs_01J00000000000000000000000_0", "rs"));
        for other in ["rs_0a1b2c3d4e5f60718293a4b5c6_0", "rs_1", "msg_01J", ""] {
            assert!(!is_made(other.as_bytes(), "rs"), "{other}");
        }
        let body = br#"{"input":[{"type":"reasoning","id":"rs_01J00000000000000000000000_12"}]}"#;
        assert!(has_made_id(body, "rs"));
    }

    #[test]
    fn members_are_told_from_words_in_texts() {
        assert!(has_empty(br#"{"signature" : ""}"#, br#""signature""#));
        assert!(!has_empty(
            br#"{"text":"\"signature\":\"\""}"#,
            br#""signature""#
        ));
        assert!(has_member(
            br#"{"reasoning_details": []}"#,
            br#""reasoning_details""#
        ));
        assert!(!has_member(
            br#"["reasoning_details"]"#,
            br#""reasoning_details""#
        ));
    }
}
