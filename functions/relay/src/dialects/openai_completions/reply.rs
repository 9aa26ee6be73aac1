//! A plain answer for a caller of OpenAI's completions: its text.

use bytes::Bytes;

use super::wire;
use crate::dialects::Asked;
use crate::dialects::neutral::{Kind, Reply};
use crate::dialects::openai::usage;

/// An answer. Thoughts are no part of a completion.
pub(super) fn write(reply: &Reply, asked: &Asked<'_>) -> Bytes {
    let mut text = String::new();
    for block in &reply.blocks {
        if let Kind::Text(more) | Kind::Refusal(more) = &block.kind {
            text.push_str(more);
        }
    }
    let reason = wire::finish_word(reply.finish.reason);
    wire::head(asked)
        .with("choices", vec![wire::choice(text, Some(reason))])
        .maybe("usage", reply.tokens.as_ref().map(usage::write))
        .to_bytes()
}
