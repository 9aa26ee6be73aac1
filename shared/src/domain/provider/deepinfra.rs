//! `DeepInfra`: many open models.

use super::card::{API_KEY, Auth, OPENAI_CHAT, Provider, Quirk};

pub(super) const DEEPINFRA: Provider = Provider {
    name: "deepinfra",
    label: "DeepInfra",
    base_url: Some("https://api.deepinfra.com/v1/openai"),
    speaks: OPENAI_CHAT,
    auth: Auth::Bearer,
    credential: API_KEY,
    names: &[],
    quirks: &[Quirk::MaxTokens],
    docs: "https://docs.deepinfra.com/chat/overview",
};
