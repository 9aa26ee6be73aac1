//! Voyage AI: embeddings alone.

use super::card::{API_KEY, Auth, Provider, Tongue};
use crate::domain::dialect::Dialect;

pub(super) const VOYAGE: Provider = Provider {
    name: "voyage",
    label: "Voyage AI",
    base_url: Some("https://api.voyageai.com/v1"),
    speaks: &[Tongue::of(Dialect::OpenaiEmbeddings)],
    auth: Auth::Bearer,
    credential: API_KEY,
    names: &[],
    quirks: &[],
    docs: "https://docs.voyageai.com/reference/embeddings-api",
};
