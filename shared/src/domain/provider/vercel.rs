//! Vercel's AI Gateway to many providers.

use super::card::{API_KEY, Auth, Provider, Quirk, Tongue};
use crate::domain::dialect::Dialect;

pub(super) const VERCEL: Provider = Provider {
    name: "vercel",
    label: "Vercel AI Gateway",
    base_url: Some("https://ai-gateway.vercel.sh/v1"),
    speaks: &[
        Tongue::of(Dialect::OpenaiChat),
        Tongue::of(Dialect::OpenaiEmbeddings),
        Tongue::of(Dialect::Anthropic)
            .for_models(&["anthropic/*"])
            .below("https://ai-gateway.vercel.sh"),
    ],
    auth: Auth::Bearer,
    credential: API_KEY,
    names: &[],
    quirks: &[Quirk::CacheControl],
    docs: "https://vercel.com/docs/ai-gateway/openai-compat",
};
