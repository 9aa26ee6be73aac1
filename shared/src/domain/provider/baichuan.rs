//! Baichuan, with its own models.

use super::card::{API_KEY, Auth, OPENAI_CHAT, Provider, Quirk};

pub(super) const BAICHUAN: Provider = Provider {
    name: "baichuan",
    label: "Baichuan",
    base_url: Some("https://api.baichuan-ai.com/v1"),
    speaks: OPENAI_CHAT,
    auth: Auth::Bearer,
    credential: API_KEY,
    names: &[],
    quirks: &[Quirk::MaxTokens],
    docs: "https://platform.baichuan-ai.com/docs/api",
};
