//! Google's Vertex AI: Gemini and Claude, signed in as a service account.
//!
//! The credential carries the account's key file. Credentials that a machine of Google's would find
//! around itself are not looked for: this does not run there.

use super::card::{Auth, CredentialField, Envelope, Provider, SERVICE_ACCOUNT, Tongue};
use crate::domain::dialect::Dialect;

pub(super) const VERTEX: Provider = Provider {
    name: "vertex",
    label: "Google Vertex AI",
    base_url: Some("https://{location}-aiplatform.googleapis.com"),
    speaks: &[
        Tongue::of(Dialect::Gemini)
            .for_models(&["gemini*"])
            .in_envelope(Envelope::Vertex),
        Tongue::of(Dialect::Anthropic)
            .for_models(&["claude*"])
            .in_envelope(Envelope::Vertex),
    ],
    auth: Auth::Google,
    credential: &[
        CredentialField::required(SERVICE_ACCOUNT, "Service account key file (JSON)"),
        CredentialField::required("location", "Location, such as us-central1 or global"),
        CredentialField::optional("project", "Project, unless the key file's"),
    ],
    names: NAMES,
    quirks: &[],
    docs: "https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference",
};

/// Anthropic's names → Vertex's, which have the date after an `@`.
/// <https://docs.anthropic.com/en/api/claude-on-vertex-ai>
const NAMES: &[(&str, &str)] = &[
    ("claude-3-haiku-20240307", "claude-3-haiku@20240307"),
    ("claude-3-5-sonnet-20240620", "claude-3-5-sonnet@20240620"),
    (
        "claude-3-5-sonnet-20241022",
        "claude-3-5-sonnet-v2@20241022",
    ),
    ("claude-3-5-haiku-20241022", "claude-3-5-haiku@20241022"),
    ("claude-3-7-sonnet-20250219", "claude-3-7-sonnet@20250219"),
    ("claude-sonnet-4-20250514", "claude-sonnet-4@20250514"),
    ("claude-opus-4-20250514", "claude-opus-4@20250514"),
    ("claude-opus-4-1-20250805", "claude-opus-4-1@20250805"),
    ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5@20250929"),
    ("claude-haiku-4-5-20251001", "claude-haiku-4-5@20251001"),
    ("claude-opus-4-5-20251101", "claude-opus-4-5@20251101"),
];
