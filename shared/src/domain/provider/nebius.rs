//! Nebius, in its Token Factory.

use super::card::{API_KEY, Auth, OPENAI_CHAT, Provider, Quirk};

pub(super) const NEBIUS: Provider = Provider {
    name: "nebius",
    label: "Nebius Token Factory",
    base_url: Some("https://api.tokenfactory.nebius.com/v1"),
    speaks: OPENAI_CHAT,
    auth: Auth::Bearer,
    credential: API_KEY,
    names: &[],
    quirks: &[Quirk::MaxTokens],
    docs: "https://docs.tokenfactory.nebius.com/quickstart",
};
