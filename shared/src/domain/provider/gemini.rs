//! Google's Gemini API, in its own dialect.

use super::card::{API_KEY, Auth, Provider, Tongue};
use crate::domain::dialect::Dialect;

pub(super) const GEMINI: Provider = Provider {
    name: "gemini",
    label: "Google Gemini",
    base_url: Some("https://generativelanguage.googleapis.com"),
    speaks: &[
        Tongue::of(Dialect::Gemini),
        Tongue::of(Dialect::GeminiEmbeddings),
    ],
    auth: Auth::Header("x-goog-api-key"),
    credential: API_KEY,
    names: &[],
    quirks: &[],
    docs: "https://ai.google.dev/gemini-api/docs",
};
