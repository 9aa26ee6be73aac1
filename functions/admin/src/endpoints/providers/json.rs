//! Providers, as a form for a channel needs them.

use serde::Serialize;
use shared::domain::dialect::Dialect;
use shared::domain::provider::Provider;
use shared::domain::provider::card::CredentialField;
use utoipa::ToSchema;

/// A kind of upstream.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Provider)]
pub(crate) struct ProviderJson {
    /// The name that channels give.
    name: String,
    /// The name that people read.
    label: String,
    /// Null when each channel must say it, or needs none.
    base_url: Option<String>,
    /// In order of preference.
    #[schema(value_type = Vec<String>)]
    dialects: Vec<Dialect>,
    credential: Vec<CredentialFieldJson>,
    /// The vendor's page.
    docs: String,
}

/// One member of a credential. A credential given as a plain string is the first of them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CredentialField)]
struct CredentialFieldJson {
    name: String,
    label: String,
    required: bool,
}

impl From<&Provider> for ProviderJson {
    fn from(card: &Provider) -> Self {
        Self {
            name: card.name.to_owned(),
            label: card.label.to_owned(),
            base_url: card.base_url.map(str::to_owned),
            dialects: card.dialects(),
            credential: card
                .credential
                .iter()
                .map(CredentialFieldJson::from)
                .collect(),
            docs: card.docs.to_owned(),
        }
    }
}

impl From<&CredentialField> for CredentialFieldJson {
    fn from(field: &CredentialField) -> Self {
        Self {
            name: field.name.to_owned(),
            label: field.label.to_owned(),
            required: field.required,
        }
    }
}
