//! Azure OpenAI, where the address names a deployment and the version of the API.

use super::card::{Auth, CredentialField, Envelope, Provider, Quirk};
use super::openai::{CHAT, COMPLETIONS, EMBEDDINGS, RESPONSES};

pub(super) const AZURE: Provider = Provider {
    name: "azure",
    label: "Azure OpenAI (deployments)",
    base_url: None,
    speaks: &[
        CHAT.in_envelope(Envelope::AzureDeployment),
        RESPONSES.in_envelope(Envelope::AzureDeployment),
        COMPLETIONS.in_envelope(Envelope::AzureDeployment),
        EMBEDDINGS.in_envelope(Envelope::AzureDeployment),
    ],
    auth: Auth::Header("api-key"),
    credential: &[
        CredentialField::required("api_key", "API key"),
        CredentialField::optional("api_version", "API version"),
    ],
    names: &[],
    quirks: &[Quirk::Openai],
    docs: "https://learn.microsoft.com/en-us/azure/ai-services/openai/reference",
};
