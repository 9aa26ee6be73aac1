//! 01.AI, with its Yi models.

use super::card::{API_KEY, Auth, OPENAI_CHAT, Provider, Quirk};

pub(super) const LINGYI: Provider = Provider {
    name: "lingyi",
    label: "01.AI (Lingyi Wanwu)",
    base_url: Some("https://api.lingyiwanwu.com/v1"),
    speaks: OPENAI_CHAT,
    auth: Auth::Bearer,
    credential: API_KEY,
    names: &[],
    quirks: &[Quirk::MaxTokens],
    docs: "https://platform.lingyiwanwu.com/docs",
};
