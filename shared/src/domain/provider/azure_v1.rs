//! Azure OpenAI in its newer shape: OpenAI's own paths below `/openai/v1`, without versions by date.

use super::card::{API_KEY, Auth, Provider, Quirk};
use super::openai::{CHAT, COMPLETIONS, EMBEDDINGS, RESPONSES};

pub(super) const AZURE_V1: Provider = Provider {
    name: "azure-v1",
    label: "Azure OpenAI (v1)",
    base_url: None,
    speaks: &[CHAT, RESPONSES, COMPLETIONS, EMBEDDINGS],
    auth: Auth::Header("api-key"),
    credential: API_KEY,
    names: &[],
    quirks: &[Quirk::Openai, Quirk::Below("openai/v1")],
    docs: "https://learn.microsoft.com/en-us/azure/ai-foundry/openai/api-version-lifecycle",
};
