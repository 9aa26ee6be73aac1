//! OpenAI itself.

use super::card::{API_KEY, Auth, Provider, Quirk, Tongue};
use crate::domain::dialect::Dialect;

pub(super) const OPENAI: Provider = Provider {
    name: "openai",
    label: "OpenAI",
    base_url: Some("https://api.openai.com/v1"),
    speaks: &[Tongue::of(Dialect::OpenaiChat)],
    auth: Auth::Bearer,
    credential: API_KEY,
    names: &[],
    quirks: &[Quirk::Openai],
    docs: "https://platform.openai.com/docs/api-reference",
};
