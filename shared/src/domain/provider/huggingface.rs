//! Hugging Face's router to many providers.

use super::card::{API_KEY, Auth, OPENAI_CHAT, Provider, Quirk};

pub(super) const HUGGINGFACE: Provider = Provider {
    name: "huggingface",
    label: "Hugging Face",
    base_url: Some("https://router.huggingface.co/v1"),
    speaks: OPENAI_CHAT,
    auth: Auth::Bearer,
    credential: API_KEY,
    names: &[],
    quirks: &[Quirk::MaxTokens],
    docs: "https://huggingface.co/docs/inference-providers/index",
};
