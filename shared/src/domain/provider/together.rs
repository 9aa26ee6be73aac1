//! Together AI: many open models.

use super::card::{API_KEY, Auth, OPENAI_CHAT, Provider, Quirk};

pub(super) const TOGETHER: Provider = Provider {
    name: "together",
    label: "Together AI",
    base_url: Some("https://api.together.xyz/v1"),
    speaks: OPENAI_CHAT,
    auth: Auth::Bearer,
    credential: API_KEY,
    names: &[],
    quirks: &[Quirk::MaxTokens],
    docs: "https://docs.together.ai/docs/openai-api-compatibility",
};
