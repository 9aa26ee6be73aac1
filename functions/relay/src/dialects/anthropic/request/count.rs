//! A request to count tokens. <https://platform.claude.com/docs/en/api/messages-count-tokens>

use bytes::Bytes;
use serde_json::value::RawValue;
use shared::failure::Failure;

use crate::dialects::json::{Fields, Object};

/// The members that are taken where tokens are counted; others are refused there.
const TAKEN: [&str; 11] = [
    "model",
    "system",
    "messages",
    "tools",
    "tool_choice",
    "thinking",
    "cache_control",
    "context_management",
    "mcp_servers",
    "output_config",
    "output_format",
];

/// The same request, with nothing in it that only an answer needs.
pub(in crate::dialects::anthropic) fn write(written: &Bytes) -> Result<Bytes, Failure> {
    let fields: Fields<'_> = serde_json::from_slice(written).map_err(Failure::internal)?;
    let mut object = Object::new();
    for (name, value) in fields.rest() {
        if TAKEN.contains(&name.as_str()) {
            object.put(name, value.to_owned());
        }
    }
    Ok(object.to_bytes())
}

/// How many tokens there are.
pub(in crate::dialects::anthropic) fn read(body: &[u8]) -> Option<u64> {
    let body: &RawValue = serde_json::from_slice(body).ok()?;
    Fields::of(body)?.count("input_tokens")
}

/// The same for a caller.
pub(in crate::dialects::anthropic) fn answer(tokens: u64) -> Bytes {
    Object::new().with("input_tokens", tokens).to_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_counted_is_sent() {
        let body = Bytes::from_static(
            br#"{"model":"m","max_tokens":5,"stream":true,"messages":[1.0],"top_p":1,"metadata":{}}"#,
        );
        assert_eq!(write(&body).unwrap(), r#"{"model":"m","messages":[1.0]}"#);
        assert_eq!(
            read(br#"{"input_tokens":12,"context_management":{}}"#),
            Some(12)
        );
        assert_eq!(read(&answer(3)), Some(3));
    }
}
