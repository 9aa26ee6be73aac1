//! Cerebras: open models on chips of its own.

use super::card::{API_KEY, Auth, OPENAI_CHAT, Provider, Quirk};

pub(super) const CEREBRAS: Provider = Provider {
    name: "cerebras",
    label: "Cerebras",
    base_url: Some("https://api.cerebras.ai/v1"),
    speaks: OPENAI_CHAT,
    auth: Auth::Bearer,
    credential: API_KEY,
    names: &[],
    quirks: &[
        Quirk::Refuses("frequency_penalty"),
        Quirk::Refuses("presence_penalty"),
        Quirk::Refuses("logit_bias"),
    ],
    docs: "https://inference-docs.cerebras.ai/resources/openai",
};
