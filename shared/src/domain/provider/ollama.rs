//! Ollama on the same machine; a channel names any other machine, or `https://ollama.com`.

use super::card::{Auth, MAYBE_API_KEY, OPENAI_CHAT, Provider, Quirk};

pub(super) const OLLAMA: Provider = Provider {
    name: "ollama",
    label: "Ollama",
    base_url: Some("http://localhost:11434/v1"),
    speaks: OPENAI_CHAT,
    auth: Auth::Bearer,
    credential: MAYBE_API_KEY,
    names: &[],
    quirks: &[Quirk::MaxTokens],
    docs: "https://docs.ollama.com/api/openai-compatibility",
};
