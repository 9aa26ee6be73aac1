//! `SambaNova`: open models on chips of its own.

use super::card::{API_KEY, Auth, OPENAI_CHAT, Provider, Quirk};

pub(super) const SAMBANOVA: Provider = Provider {
    name: "sambanova",
    label: "SambaNova",
    base_url: Some("https://api.sambanova.ai/v1"),
    speaks: OPENAI_CHAT,
    auth: Auth::Bearer,
    credential: API_KEY,
    names: &[],
    quirks: &[Quirk::MaxTokens],
    docs: "https://docs.sambanova.ai/docs/en/features/openai-compatibility",
};
