//! iFLYTEK's Spark: the model decides whether `/v1`, `/v2` or `/x2` is its base URL.

use super::card::{API_KEY, Auth, OPENAI_CHAT, Provider, Quirk};

pub(super) const SPARK: Provider = Provider {
    name: "spark",
    label: "iFLYTEK Spark",
    base_url: Some("https://spark-api-open.xf-yun.com/v1"),
    speaks: OPENAI_CHAT,
    auth: Auth::Bearer,
    credential: API_KEY,
    names: &[],
    quirks: &[Quirk::MaxTokens, Quirk::NoVersion],
    docs: "https://www.xfyun.cn/doc/spark/HTTP%E8%B0%83%E7%94%A8%E6%96%87%E6%A1%A3.html",
};
