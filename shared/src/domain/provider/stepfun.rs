//! `StepFun`, with its own models.

use super::card::{API_KEY, Auth, OPENAI_CHAT, Provider, Quirk};

pub(super) const STEPFUN: Provider = Provider {
    name: "stepfun",
    label: "StepFun",
    base_url: Some("https://api.stepfun.com/v1"),
    speaks: OPENAI_CHAT,
    auth: Auth::Bearer,
    credential: API_KEY,
    names: &[],
    quirks: &[Quirk::MaxTokens],
    docs: "https://platform.stepfun.com/docs/zh/api-reference/chat/chat-completion-create",
};
