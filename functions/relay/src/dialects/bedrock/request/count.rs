//! A request to count tokens: what `CountTokens` takes of a request for an answer.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CountTokens.html>

use bytes::Bytes;
use shared::failure::Failure;

use crate::dialects::json::{Fields, Object};

/// The members of Converse that are counted.
const COUNTED: [&str; 4] = [
    "messages",
    "system",
    "toolConfig",
    "additionalModelRequestFields",
];

pub(in crate::dialects::bedrock) fn write(written: &Bytes) -> Result<Bytes, Failure> {
    let text = std::str::from_utf8(written).map_err(Failure::internal)?;
    let mut fields = Fields::parse(text).unwrap_or_default();
    let mut converse = Object::new();
    for name in COUNTED {
        if let Some(value) = fields.take(name) {
            converse.put(name, value.to_owned());
        }
    }
    let input = Object::new().with("converse", converse);
    Ok(Object::new().with("input", input).to_bytes())
}

pub(in crate::dialects::bedrock) fn read(body: &[u8]) -> Option<u64> {
    Fields::parse(std::str::from_utf8(body).ok()?)?.count("inputTokens")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_counted_is_sent() {
        let body =
            br#"{"messages":[{"role":"user"}],"inferenceConfig":{"maxTokens":5},"system":[]}"#;
        assert_eq!(
            write(&Bytes::from_static(body)).unwrap(),
            r#"{"input":{"converse":{"messages":[{"role":"user"}],"system":[]}}}"#
        );
        assert_eq!(read(br#"{"inputTokens": 375}"#), Some(375));
        assert_eq!(read(b"{}"), None);
    }
}
