//! Volcengine's Ark, with Doubao and others.

use super::card::{API_KEY, Auth, OPENAI_CHAT, Provider, Quirk};

pub(super) const VOLCENGINE: Provider = Provider {
    name: "volcengine",
    label: "Volcengine Ark (Doubao)",
    base_url: Some("https://ark.cn-beijing.volces.com/api/v3"),
    speaks: OPENAI_CHAT,
    auth: Auth::Bearer,
    credential: API_KEY,
    names: &[],
    quirks: &[Quirk::ThinkingSwitch, Quirk::ReasoningContent],
    docs: "https://www.volcengine.com/docs/82379/1494384",
};
