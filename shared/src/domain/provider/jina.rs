//! Jina AI: embeddings alone.

use super::card::{API_KEY, Auth, Provider, Tongue};
use crate::domain::dialect::Dialect;

pub(super) const JINA: Provider = Provider {
    name: "jina",
    label: "Jina AI",
    base_url: Some("https://api.jina.ai/v1"),
    speaks: &[Tongue::of(Dialect::OpenaiEmbeddings)],
    auth: Auth::Bearer,
    credential: API_KEY,
    names: &[],
    quirks: &[],
    docs: "https://jina.ai/embeddings/",
};
