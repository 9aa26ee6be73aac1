//! What a card says of a provider: data only; behaviour lives with dialects and auth schemes.

use crate::domain::dialect::Dialect;

/// A kind of upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Provider {
    /// The name that channels give, in lower case with dashes.
    pub name: &'static str,
    /// The name that people read.
    pub label: &'static str,
    /// What the provider's own SDK takes as base URL; `None` when each channel must say it.
    pub base_url: Option<&'static str>,
    /// The dialects it speaks, in order of preference.
    pub speaks: &'static [Dialect],
    /// How it wants its credential.
    pub auth: Auth,
    /// The members of a credential. A credential given as a plain text is the first of them.
    pub credential: &'static [CredentialField],
    /// The vendor's page that this card follows.
    pub docs: &'static str,
}

/// How a provider wants its credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    /// `Authorization: Bearer <credential>`; no header at all when the credential is empty.
    Bearer,
    /// The credential alone in a header of this name.
    Header(&'static str),
    /// Nothing: the upstream is part of this process.
    None,
}

/// One member of a credential, as a form asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CredentialField {
    /// The member's name.
    pub name: &'static str,
    /// What a form calls it.
    pub label: &'static str,
    /// Whether a channel can do without it.
    pub required: bool,
}

/// The usual credential: one secret text.
pub(super) const API_KEY: &[CredentialField] = &[CredentialField {
    name: "api_key",
    label: "API key",
    required: true,
}];
