//! `ModelScope`'s inference API.

use super::card::{API_KEY, Auth, OPENAI_CHAT, Provider, Quirk};

pub(super) const MODELSCOPE: Provider = Provider {
    name: "modelscope",
    label: "ModelScope",
    base_url: Some("https://api-inference.modelscope.cn/v1"),
    speaks: OPENAI_CHAT,
    auth: Auth::Bearer,
    credential: API_KEY,
    names: &[],
    quirks: &[Quirk::MaxTokens, Quirk::EnableThinking],
    docs: "https://modelscope.cn/docs/model-service/API-Inference/intro",
};
