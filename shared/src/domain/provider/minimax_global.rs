//! `MiniMax`, as the world reaches it; in Anthropic's dialect it keeps thoughts and text apart.

use super::card::{API_KEY, Auth, Provider, Tongue};
use crate::domain::dialect::Dialect;

pub(super) const MINIMAX_GLOBAL: Provider = Provider {
    name: "minimax-global",
    label: "MiniMax",
    base_url: Some("https://api.minimax.io/v1"),
    speaks: &[
        Tongue::of(Dialect::Anthropic)
            .for_models(&["MiniMax-M*"])
            .below("https://api.minimax.io/anthropic"),
        Tongue::of(Dialect::OpenaiChat),
    ],
    auth: Auth::Bearer,
    credential: API_KEY,
    names: &[],
    quirks: &[],
    docs: "https://platform.minimax.io/docs/api-reference/text-openai-api",
};
