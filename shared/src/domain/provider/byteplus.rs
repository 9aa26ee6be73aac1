//! `BytePlus`: Volcengine's Ark, as the world reaches it.

use super::card::{API_KEY, Auth, OPENAI_CHAT, Provider, Quirk};

pub(super) const BYTEPLUS: Provider = Provider {
    name: "byteplus",
    label: "BytePlus ModelArk",
    base_url: Some("https://ark.ap-southeast.bytepluses.com/api/v3"),
    speaks: OPENAI_CHAT,
    auth: Auth::Bearer,
    credential: API_KEY,
    names: &[],
    quirks: &[Quirk::ThinkingSwitch, Quirk::ReasoningContent],
    docs: "https://docs.byteplus.com/en/docs/ModelArk/1494384",
};
