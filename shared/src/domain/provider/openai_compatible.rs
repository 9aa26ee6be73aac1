//! Any server that speaks OpenAI's chat dialect: vLLM, llama.cpp, LM Studio, a company's own.

use super::card::{Auth, CredentialField, Provider, Tongue};
use crate::domain::dialect::Dialect;

pub(super) const OPENAI_COMPATIBLE: Provider = Provider {
    name: "openai-compatible",
    label: "OpenAI-compatible server",
    base_url: None,
    speaks: &[Tongue::of(Dialect::OpenaiChat)],
    auth: Auth::Bearer,
    credential: &[CredentialField {
        name: "api_key",
        label: "API key",
        required: false,
    }],
    names: &[],
    quirks: &[],
    docs: "https://platform.openai.com/docs/api-reference/chat",
};
