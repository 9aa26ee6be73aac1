//! Groq: open models on chips of its own.

use super::card::{API_KEY, Auth, OPENAI_CHAT, Provider, Quirk};

pub(super) const GROQ: Provider = Provider {
    name: "groq",
    label: "Groq",
    base_url: Some("https://api.groq.com/openai/v1"),
    speaks: OPENAI_CHAT,
    auth: Auth::Bearer,
    credential: API_KEY,
    names: &[],
    quirks: &[
        Quirk::Refuses("logprobs"),
        Quirk::Refuses("top_logprobs"),
        Quirk::Refuses("logit_bias"),
    ],
    docs: "https://console.groq.com/docs/openai",
};
