//! `MiniMax`, as China reaches it; in Anthropic's dialect it keeps thoughts and text apart.

use super::card::{API_KEY, Auth, Provider, Tongue};
use crate::domain::dialect::Dialect;

pub(super) const MINIMAX: Provider = Provider {
    name: "minimax",
    label: "MiniMax, China",
    base_url: Some("https://api.minimaxi.com/v1"),
    speaks: &[
        Tongue::of(Dialect::Anthropic)
            .for_models(&["MiniMax-M*"])
            .below("https://api.minimaxi.com/anthropic"),
        Tongue::of(Dialect::OpenaiChat),
    ],
    auth: Auth::Bearer,
    credential: API_KEY,
    names: &[],
    quirks: &[],
    docs: "https://platform.minimaxi.com/docs/api-reference/text-openai-api",
};
