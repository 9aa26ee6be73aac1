//! `DeepSeek`, with its own models.

use super::card::{API_KEY, Auth, Provider, Quirk, Tongue};
use crate::domain::dialect::Dialect;

pub(super) const DEEPSEEK: Provider = Provider {
    name: "deepseek",
    label: "DeepSeek",
    base_url: Some("https://api.deepseek.com"),
    speaks: &[
        Tongue::of(Dialect::OpenaiChat),
        Tongue::of(Dialect::Anthropic).below("https://api.deepseek.com/anthropic"),
    ],
    auth: Auth::Bearer,
    credential: API_KEY,
    names: &[],
    quirks: &[
        Quirk::MaxTokens,
        Quirk::ReasoningContent,
        Quirk::ThinkingSwitch,
    ],
    docs: "https://api-docs.deepseek.com/",
};
