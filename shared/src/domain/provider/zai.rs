//! Z.ai: Zhipu's GLM, as the world reaches it.

use super::card::{API_KEY, Auth, Provider, Quirk, Tongue};
use crate::domain::dialect::Dialect;

pub(super) const ZAI: Provider = Provider {
    name: "zai",
    label: "Z.ai (GLM)",
    base_url: Some("https://api.z.ai/api/paas/v4"),
    speaks: &[
        Tongue::of(Dialect::OpenaiChat),
        Tongue::of(Dialect::OpenaiEmbeddings),
        Tongue::of(Dialect::Anthropic).below("https://api.z.ai/api/anthropic"),
    ],
    auth: Auth::Bearer,
    credential: API_KEY,
    names: &[],
    quirks: &[
        Quirk::MaxTokens,
        Quirk::ReasoningContent,
        Quirk::ThinkingSwitch,
    ],
    docs: "https://docs.z.ai/api-reference/introduction",
};
