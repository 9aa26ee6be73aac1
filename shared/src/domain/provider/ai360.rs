//! 360, with its own and other models.

use super::card::{API_KEY, Auth, OPENAI_CHAT, Provider, Quirk};

pub(super) const AI360: Provider = Provider {
    name: "360",
    label: "360 AI",
    base_url: Some("https://api.360.cn/v1"),
    speaks: OPENAI_CHAT,
    auth: Auth::Bearer,
    credential: API_KEY,
    names: &[],
    quirks: &[Quirk::MaxTokens],
    docs: "https://ai.360.com/platform/docs/overview",
};
