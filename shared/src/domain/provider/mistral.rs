//! Mistral. It refuses every member that it does not know.

use super::card::{API_KEY, Auth, OPENAI_CHAT, Provider, Quirk};

pub(super) const MISTRAL: Provider = Provider {
    name: "mistral",
    label: "Mistral",
    base_url: Some("https://api.mistral.ai/v1"),
    speaks: OPENAI_CHAT,
    auth: Auth::Bearer,
    credential: API_KEY,
    names: &[],
    quirks: &[
        Quirk::MaxTokens,
        Quirk::NineCharacterIds,
        Quirk::Refuses("stream_options"),
        Quirk::Refuses("seed"),
        Quirk::Refuses("logprobs"),
        Quirk::Refuses("top_logprobs"),
        Quirk::Refuses("logit_bias"),
        Quirk::Refuses("user"),
    ],
    docs: "https://docs.mistral.ai/api",
};
