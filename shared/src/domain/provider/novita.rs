//! Novita AI: many open models.

use super::card::{API_KEY, Auth, OPENAI_CHAT, Provider, Quirk};

pub(super) const NOVITA: Provider = Provider {
    name: "novita",
    label: "Novita AI",
    base_url: Some("https://api.novita.ai/openai/v1"),
    speaks: OPENAI_CHAT,
    auth: Auth::Bearer,
    credential: API_KEY,
    names: &[],
    quirks: &[Quirk::MaxTokens],
    docs: "https://novita.ai/docs/guides/llm-api",
};
