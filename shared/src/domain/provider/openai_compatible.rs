//! Any server that speaks OpenAI's chat dialect: vLLM, llama.cpp, LM Studio, a company's own.

use super::card::{Auth, MAYBE_API_KEY, Provider, Tongue};
use crate::domain::dialect::Dialect;

pub(super) const OPENAI_COMPATIBLE: Provider = Provider {
    name: "openai-compatible",
    label: "OpenAI-compatible server",
    base_url: None,
    // Callers of other dialects meet it in chat; only legacy completions go where they are written to.
    speaks: &[
        Tongue::of(Dialect::OpenaiChat),
        Tongue::of(Dialect::OpenaiCompletions),
        Tongue::of(Dialect::OpenaiEmbeddings),
    ],
    auth: Auth::Bearer,
    credential: MAYBE_API_KEY,
    names: &[],
    quirks: &[],
    docs: "https://platform.openai.com/docs/api-reference/chat",
};
