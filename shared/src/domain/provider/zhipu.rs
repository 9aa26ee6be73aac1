//! Zhipu's GLM, as China reaches it.

use super::card::{API_KEY, Auth, Provider, Quirk, Tongue};
use crate::domain::dialect::Dialect;

pub(super) const ZHIPU: Provider = Provider {
    name: "zhipu",
    label: "Zhipu GLM, China",
    base_url: Some("https://open.bigmodel.cn/api/paas/v4"),
    speaks: &[
        Tongue::of(Dialect::OpenaiChat),
        Tongue::of(Dialect::OpenaiEmbeddings),
        Tongue::of(Dialect::Anthropic).below("https://open.bigmodel.cn/api/anthropic"),
    ],
    auth: Auth::Bearer,
    credential: API_KEY,
    names: &[],
    quirks: &[
        Quirk::MaxTokens,
        Quirk::ReasoningContent,
        Quirk::ThinkingSwitch,
    ],
    docs: "https://docs.bigmodel.cn/cn/api/introduction",
};
