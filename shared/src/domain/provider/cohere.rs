//! Cohere, in its own dialect.

use super::card::{API_KEY, Auth, Provider, Tongue};
use crate::domain::dialect::Dialect;

pub(super) const COHERE: Provider = Provider {
    name: "cohere",
    label: "Cohere",
    base_url: Some("https://api.cohere.com"),
    speaks: &[
        Tongue::of(Dialect::Cohere),
        Tongue::of(Dialect::CohereEmbeddings),
    ],
    auth: Auth::Bearer,
    credential: API_KEY,
    names: &[],
    quirks: &[],
    docs: "https://docs.cohere.com/reference/chat",
};
