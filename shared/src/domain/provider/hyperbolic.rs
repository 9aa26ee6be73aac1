//! Hyperbolic: many open models.

use super::card::{API_KEY, Auth, OPENAI_CHAT, Provider, Quirk};

pub(super) const HYPERBOLIC: Provider = Provider {
    name: "hyperbolic",
    label: "Hyperbolic",
    base_url: Some("https://api.hyperbolic.xyz/v1"),
    speaks: OPENAI_CHAT,
    auth: Auth::Bearer,
    credential: API_KEY,
    names: &[],
    quirks: &[Quirk::MaxTokens],
    docs: "https://docs.hyperbolic.xyz/docs/rest-api",
};
