//! NVIDIA's NIM, hosted.

use super::card::{API_KEY, Auth, OPENAI_CHAT, Provider, Quirk};

pub(super) const NVIDIA: Provider = Provider {
    name: "nvidia",
    label: "NVIDIA NIM",
    base_url: Some("https://integrate.api.nvidia.com/v1"),
    speaks: OPENAI_CHAT,
    auth: Auth::Bearer,
    credential: API_KEY,
    names: &[],
    quirks: &[Quirk::MaxTokens],
    docs: "https://docs.api.nvidia.com/nim/reference/llm-apis",
};
