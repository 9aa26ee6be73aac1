//! Alibaba's Qwen in Model Studio, as China reaches it.

use super::card::{API_KEY, Auth, Provider, Quirk, Tongue};
use crate::domain::dialect::Dialect;

pub(super) const QWEN: Provider = Provider {
    name: "qwen",
    label: "Qwen (DashScope), China",
    base_url: Some("https://dashscope.aliyuncs.com/compatible-mode/v1"),
    speaks: &[
        Tongue::of(Dialect::OpenaiChat),
        Tongue::of(Dialect::OpenaiEmbeddings),
        Tongue::of(Dialect::Anthropic)
            .for_models(&[
                "qwen3-max*",
                "qwen3.*-max*",
                "qwen3.*-plus*",
                "qwen3.*-flash*",
                "qwen-max*",
                "qwen-plus*",
                "qwen-flash*",
                "qwen-turbo*",
                "qwen3-coder*",
            ])
            .below("https://dashscope.aliyuncs.com/apps/anthropic"),
    ],
    auth: Auth::Bearer,
    credential: API_KEY,
    names: &[],
    quirks: &[Quirk::MaxTokens, Quirk::EnableThinking],
    docs: "https://help.aliyun.com/en/model-studio/compatibility-of-openai-with-dashscope",
};
