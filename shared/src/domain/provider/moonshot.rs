//! Moonshot's Kimi, as China reaches it.

use super::card::{API_KEY, Auth, Provider, Quirk, Tongue};
use crate::domain::dialect::Dialect;

pub(super) const MOONSHOT: Provider = Provider {
    name: "moonshot",
    label: "Moonshot (Kimi), China",
    base_url: Some("https://api.moonshot.cn/v1"),
    speaks: &[
        Tongue::of(Dialect::OpenaiChat),
        Tongue::of(Dialect::Anthropic).below("https://api.moonshot.cn/anthropic"),
    ],
    auth: Auth::Bearer,
    credential: API_KEY,
    names: &[],
    quirks: &[Quirk::ReasoningContent, Quirk::ThinkingSwitch],
    docs: "https://platform.moonshot.cn/docs/api/chat",
};
