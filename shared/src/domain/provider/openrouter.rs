//! `OpenRouter`, where many providers are behind one door.

use super::card::{API_KEY, Auth, Provider, Quirk, Tongue};
use crate::domain::dialect::Dialect;

pub(super) const OPENROUTER: Provider = Provider {
    name: "openrouter",
    label: "OpenRouter",
    base_url: Some("https://openrouter.ai/api/v1"),
    speaks: &[
        Tongue::of(Dialect::OpenaiChat),
        Tongue::of(Dialect::OpenaiEmbeddings),
        Tongue::of(Dialect::Anthropic)
            .for_models(&["anthropic/*", "~anthropic/*"])
            .below("https://openrouter.ai/api"),
    ],
    auth: Auth::Bearer,
    credential: API_KEY,
    names: &[],
    quirks: &[Quirk::ReasoningDetails, Quirk::CacheControl],
    docs: "https://openrouter.ai/docs/api-reference/overview",
};
