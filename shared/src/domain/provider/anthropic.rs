//! Anthropic itself, and servers that speak its Messages dialect.

use super::card::{API_KEY, Auth, Provider, Tongue};
use crate::domain::dialect::Dialect;

pub(super) const ANTHROPIC: Provider = Provider {
    name: "anthropic",
    label: "Anthropic",
    base_url: Some("https://api.anthropic.com"),
    speaks: &[Tongue::of(Dialect::Anthropic)],
    auth: Auth::Header("x-api-key"),
    credential: API_KEY,
    names: &[],
    quirks: &[],
    docs: "https://docs.anthropic.com/en/api/overview",
};
