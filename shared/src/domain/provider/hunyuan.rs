//! Tencent's Hunyuan, with its own models.

use super::card::{API_KEY, Auth, OPENAI_CHAT, Provider, Quirk};

pub(super) const HUNYUAN: Provider = Provider {
    name: "hunyuan",
    label: "Tencent Hunyuan",
    base_url: Some("https://api.hunyuan.cloud.tencent.com/v1"),
    speaks: OPENAI_CHAT,
    auth: Auth::Bearer,
    credential: API_KEY,
    names: &[],
    quirks: &[Quirk::MaxTokens],
    docs: "https://cloud.tencent.com/document/product/1729/111007",
};
