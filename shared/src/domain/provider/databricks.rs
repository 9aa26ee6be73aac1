//! Databricks' model serving, at the address of a workspace.

use super::card::{API_KEY, Auth, OPENAI_CHAT, Provider, Quirk};

pub(super) const DATABRICKS: Provider = Provider {
    name: "databricks",
    label: "Databricks",
    base_url: None,
    speaks: OPENAI_CHAT,
    auth: Auth::Bearer,
    credential: API_KEY,
    names: &[],
    quirks: &[
        Quirk::MaxTokens,
        Quirk::NoVersion,
        Quirk::Below("serving-endpoints"),
    ],
    docs: "https://docs.databricks.com/aws/en/machine-learning/model-serving/score-foundation-models",
};
