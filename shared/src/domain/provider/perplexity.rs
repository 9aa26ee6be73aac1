//! Perplexity's Sonar.

use super::card::{API_KEY, Auth, OPENAI_CHAT, Provider, Quirk};

pub(super) const PERPLEXITY: Provider = Provider {
    name: "perplexity",
    label: "Perplexity",
    base_url: Some("https://api.perplexity.ai"),
    speaks: OPENAI_CHAT,
    auth: Auth::Bearer,
    credential: API_KEY,
    names: &[],
    quirks: &[Quirk::MaxTokens, Quirk::NoVersion],
    docs: "https://docs.perplexity.ai/api-reference/chat-completions-post",
};
