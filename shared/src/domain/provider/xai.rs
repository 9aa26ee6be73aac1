//! xAI, with Grok.

use super::card::{API_KEY, Auth, Provider, Quirk, Tongue};
use crate::domain::dialect::Dialect;

pub(super) const XAI: Provider = Provider {
    name: "xai",
    label: "xAI",
    base_url: Some("https://api.x.ai/v1"),
    speaks: &[
        Tongue::of(Dialect::OpenaiChat),
        Tongue::of(Dialect::OpenaiResponses).below("https://api.x.ai/v1"),
    ],
    auth: Auth::Bearer,
    credential: API_KEY,
    names: &[],
    quirks: &[
        Quirk::ReasoningApart,
        Quirk::Refuses("logit_bias"),
        Quirk::Refuses("presence_penalty"),
        Quirk::Refuses("frequency_penalty"),
    ],
    docs: "https://docs.x.ai/docs/api-reference",
};
