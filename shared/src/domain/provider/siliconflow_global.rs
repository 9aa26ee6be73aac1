//! `SiliconFlow`, as the world reaches it.

use super::card::{API_KEY, Auth, OPENAI_CHAT, Provider, Quirk};

pub(super) const SILICONFLOW_GLOBAL: Provider = Provider {
    name: "siliconflow-global",
    label: "SiliconFlow",
    base_url: Some("https://api.siliconflow.com/v1"),
    speaks: OPENAI_CHAT,
    auth: Auth::Bearer,
    credential: API_KEY,
    names: &[],
    quirks: &[
        Quirk::MaxTokens,
        Quirk::EnableThinking,
        Quirk::ReasoningContent,
    ],
    docs: "https://docs.siliconflow.com/en/api-reference/chat-completions/chat-completions",
};
