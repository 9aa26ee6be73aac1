//! Baidu's Qianfan in its second version, with ERNIE and others.

use super::card::{API_KEY, Auth, OPENAI_CHAT, Provider};

pub(super) const BAIDU: Provider = Provider {
    name: "baidu",
    label: "Baidu Qianfan",
    base_url: Some("https://qianfan.baidubce.com/v2"),
    speaks: OPENAI_CHAT,
    auth: Auth::Bearer,
    credential: API_KEY,
    names: &[],
    quirks: &[],
    docs: "https://cloud.baidu.com/doc/qianfan-api/s/3m7of64lb",
};
