//! Cloudflare's Workers AI.

use super::card::{Auth, CredentialField, OPENAI_CHAT, Provider, Quirk};

pub(super) const CLOUDFLARE: Provider = Provider {
    name: "cloudflare",
    label: "Cloudflare Workers AI",
    base_url: Some("https://api.cloudflare.com/client/v4/accounts/{account_id}/ai/v1"),
    speaks: OPENAI_CHAT,
    auth: Auth::Bearer,
    credential: &[
        CredentialField::required("api_key", "API token"),
        CredentialField::required("account_id", "Account ID"),
    ],
    names: &[],
    quirks: &[Quirk::MaxTokens],
    docs: "https://developers.cloudflare.com/workers-ai/configuration/open-ai-compatibility/",
};
