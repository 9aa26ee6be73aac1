//! Fireworks AI: many open models.

use super::card::{API_KEY, Auth, Provider, Quirk, Tongue};
use crate::domain::dialect::Dialect;

pub(super) const FIREWORKS: Provider = Provider {
    name: "fireworks",
    label: "Fireworks AI",
    base_url: Some("https://api.fireworks.ai/inference/v1"),
    speaks: &[
        Tongue::of(Dialect::OpenaiChat),
        Tongue::of(Dialect::OpenaiEmbeddings),
        Tongue::of(Dialect::Anthropic).below("https://api.fireworks.ai/inference"),
    ],
    auth: Auth::Bearer,
    credential: API_KEY,
    names: &[],
    quirks: &[Quirk::MaxTokens],
    docs: "https://docs.fireworks.ai/tools-sdks/openai-compatibility",
};
