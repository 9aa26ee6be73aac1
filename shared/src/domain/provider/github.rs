//! GitHub Models; the key is an access token with the scope `models`.

use super::card::{API_KEY, Auth, OPENAI_CHAT, Provider, Quirk};

pub(super) const GITHUB: Provider = Provider {
    name: "github",
    label: "GitHub Models",
    base_url: Some("https://models.github.ai/inference"),
    speaks: OPENAI_CHAT,
    auth: Auth::Bearer,
    credential: API_KEY,
    names: &[],
    quirks: &[Quirk::NoVersion],
    docs: "https://docs.github.com/en/rest/models/inference",
};
