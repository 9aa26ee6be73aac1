//! `SiliconFlow`, as China reaches it.

use super::card::{API_KEY, Auth, OPENAI_CHAT, Provider, Quirk};

pub(super) const SILICONFLOW: Provider = Provider {
    name: "siliconflow",
    label: "SiliconFlow, China",
    base_url: Some("https://api.siliconflow.cn/v1"),
    speaks: OPENAI_CHAT,
    auth: Auth::Bearer,
    credential: API_KEY,
    names: &[],
    quirks: &[
        Quirk::MaxTokens,
        Quirk::EnableThinking,
        Quirk::ReasoningContent,
    ],
    docs: "https://docs.siliconflow.cn/cn/api-reference/chat-completions/chat-completions",
};
