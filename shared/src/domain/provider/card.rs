//! What a card says of a provider: data only; behaviour lives with dialects and auth schemes.

use crate::domain::dialect::Dialect;
use crate::domain::pattern;

/// A kind of upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Provider {
    /// The name that channels give, in lower case with dashes.
    pub name: &'static str,
    /// The name that people read.
    pub label: &'static str,
    /// What the provider's own SDK takes as base URL; `None` when each channel must say it. Members
    /// of the credential may stand in it as `{region}`.
    pub base_url: Option<&'static str>,
    /// The dialects it speaks, in order of preference.
    pub speaks: &'static [Tongue],
    /// How it wants its credential.
    pub auth: Auth,
    /// The members of a credential. A credential given as a plain text is the first of them.
    pub credential: &'static [CredentialField],
    /// Names of models that callers may use → the provider's.
    pub names: &'static [(&'static str, &'static str)],
    /// Where it differs from what its dialects say.
    pub quirks: &'static [Quirk],
    /// The vendor's page that this card follows.
    pub docs: &'static str,
}

/// A dialect that a provider speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tongue {
    /// The dialect.
    pub dialect: Dialect,
    /// Patterns of the provider's names of the models that speak it; empty when all do.
    pub models: &'static [&'static str],
    /// Patterns of those that do not, though a pattern of `models` fits them.
    pub except: &'static [&'static str],
    /// The base URL where it is spoken, when that is not the card's. A channel that names an address
    /// of its own is taken to speak it only when it says so.
    pub base_url: Option<&'static str>,
    /// How the dialect travels.
    pub envelope: Envelope,
}

/// How a dialect travels: which address, and what is changed in the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Envelope {
    /// As its vendor says: at the dialect's own path below the base URL.
    None,
    /// Azure's deployments: `/openai/deployments/{model}/…?api-version=`.
    AzureDeployment,
    /// Vertex AI: `/v1/projects/{project}/locations/{location}/publishers/{publisher}/models/{model}:…`.
    Vertex,
    /// Bedrock's `InvokeModel`: the model in the address, events in frames.
    BedrockInvoke,
}

/// How a provider wants its credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    /// `Authorization: Bearer <credential>`; no header at all when the credential is empty.
    Bearer,
    /// The credential alone in a header of this name.
    Header(&'static str),
    /// AWS Signature Version 4 by a role or keys, or a Bedrock API key as Bearer.
    Aws,
    /// A Google access token, by a service account.
    Google,
    /// Nothing: the upstream is part of this process.
    None,
}

/// Where a provider differs from what a dialect says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quirk {
    /// It refuses this member of a request.
    Refuses(&'static str),
    /// It knows `max_tokens` only, and not `max_completion_tokens`.
    MaxTokens,
    /// It wants the reasoning of earlier turns back as `reasoning_content`.
    ReasoningContent,
    /// Thinking is switched by `thinking: {"type": "enabled"}`.
    ThinkingSwitch,
    /// Thinking is switched by `enable_thinking`, and measured by `thinking_budget`.
    EnableThinking,
    /// Thinking is measured by an object `reasoning`, and comes back in `reasoning_details`.
    ReasoningDetails,
    /// Reasoning is not part of the completion tokens that it tells.
    ReasoningApart,
    /// It takes cache hints on parts, as Anthropic writes them.
    CacheControl,
    /// The ids of calls are nine letters or digits.
    NineCharacterIds,
    /// It has the role `developer`, `max_completion_tokens`, and reasoning models that want both.
    Openai,
    /// Its API lies at this path of the host that a channel names.
    Below(&'static str),
    /// Its paths stand right below the base URL, which has no version at its end.
    NoVersion,
}

/// One member of a credential, as a form asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CredentialField {
    /// The member's name.
    pub name: &'static str,
    /// What a form calls it.
    pub label: &'static str,
    /// Whether a channel cannot do without it.
    pub required: bool,
}

impl Tongue {
    /// A dialect as its vendor says, for all models.
    #[must_use]
    pub const fn of(dialect: Dialect) -> Self {
        Self {
            dialect,
            models: &[],
            except: &[],
            base_url: None,
            envelope: Envelope::None,
        }
    }

    /// The same for some models only.
    #[must_use]
    pub const fn for_models(mut self, models: &'static [&'static str]) -> Self {
        self.models = models;
        self
    }

    /// The same, but for some models.
    #[must_use]
    pub const fn except_models(mut self, models: &'static [&'static str]) -> Self {
        self.except = models;
        self
    }

    /// The same, spoken below another base URL than the card's.
    #[must_use]
    pub const fn below(mut self, base_url: &'static str) -> Self {
        self.base_url = Some(base_url);
        self
    }

    /// The same in an envelope.
    #[must_use]
    pub const fn in_envelope(mut self, envelope: Envelope) -> Self {
        self.envelope = envelope;
        self
    }

    /// Whether the model speaks it.
    #[must_use]
    pub fn fits(&self, model: &str) -> bool {
        let named = self.models.is_empty() || pattern::fits_any(self.models, model);
        named && !pattern::fits_any(self.except, model)
    }
}

impl Provider {
    /// The dialects it speaks, in order of preference.
    #[must_use]
    pub fn dialects(&self) -> Vec<Dialect> {
        let mut dialects: Vec<Dialect> = Vec::new();
        for tongue in self.speaks {
            if !dialects.contains(&tongue.dialect) {
                dialects.push(tongue.dialect);
            }
        }
        dialects
    }

    /// Whether it has the quirk.
    #[must_use]
    pub fn has(&self, quirk: Quirk) -> bool {
        self.quirks.contains(&quirk)
    }

    /// The path of a channel's host at which its API lies.
    #[must_use]
    pub fn path(&self) -> Option<&'static str> {
        self.quirks.iter().find_map(|quirk| match quirk {
            Quirk::Below(path) => Some(*path),
            _ => None,
        })
    }

    /// Whether it refuses a member of a request.
    #[must_use]
    pub fn refuses(&self, member: &str) -> bool {
        let mut quirks = self.quirks.iter();
        quirks.any(|quirk| matches!(quirk, Quirk::Refuses(name) if *name == member))
    }
}

/// OpenAI's chat dialect and its embeddings, as their vendor says: what most providers speak.
pub(super) const OPENAI_CHAT: &[Tongue] = &[
    Tongue::of(Dialect::OpenaiChat),
    Tongue::of(Dialect::OpenaiEmbeddings),
];

impl CredentialField {
    /// A member that a channel cannot do without.
    #[must_use]
    pub const fn required(name: &'static str, label: &'static str) -> Self {
        Self {
            name,
            label,
            required: true,
        }
    }

    /// A member that a channel can do without.
    #[must_use]
    pub const fn optional(name: &'static str, label: &'static str) -> Self {
        Self {
            name,
            label,
            required: false,
        }
    }

    /// Whether it is the JSON key file of a Google service account: given as a text of several
    /// lines, or as the object itself.
    #[must_use]
    pub fn is_key_file(&self) -> bool {
        self.name == SERVICE_ACCOUNT
    }
}

/// The member of a credential that holds a Google service account's key file.
pub const SERVICE_ACCOUNT: &str = "service_account";

/// The usual credential: one secret text.
pub(super) const API_KEY: &[CredentialField] = &[CredentialField {
    name: "api_key",
    label: "API key",
    required: true,
}];

/// The same, for servers that may want none.
pub(super) const MAYBE_API_KEY: &[CredentialField] = &[CredentialField {
    name: "api_key",
    label: "API key",
    required: false,
}];
