//! Moonshot's Kimi, as the world reaches it; accounts are apart from those in China.

use super::card::{API_KEY, Auth, Provider, Quirk, Tongue};
use crate::domain::dialect::Dialect;

pub(super) const MOONSHOT_GLOBAL: Provider = Provider {
    name: "moonshot-global",
    label: "Moonshot (Kimi)",
    base_url: Some("https://api.moonshot.ai/v1"),
    speaks: &[
        Tongue::of(Dialect::OpenaiChat),
        Tongue::of(Dialect::Anthropic).below("https://api.moonshot.ai/anthropic"),
    ],
    auth: Auth::Bearer,
    credential: API_KEY,
    names: &[],
    quirks: &[Quirk::ReasoningContent, Quirk::ThinkingSwitch],
    docs: "https://platform.moonshot.ai/docs/api/chat",
};
