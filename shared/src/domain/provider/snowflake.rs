//! Snowflake's Cortex; the key is a programmatic access token.

use super::card::{Auth, CredentialField, OPENAI_CHAT, Provider, Quirk};

pub(super) const SNOWFLAKE: Provider = Provider {
    name: "snowflake",
    label: "Snowflake Cortex",
    base_url: Some("https://{account}.snowflakecomputing.com/api/v2/cortex/v1"),
    speaks: OPENAI_CHAT,
    auth: Auth::Bearer,
    credential: &[
        CredentialField::required("api_key", "Programmatic access token"),
        CredentialField::required("account", "Account identifier"),
    ],
    names: &[],
    quirks: &[Quirk::ReasoningDetails],
    docs: "https://docs.snowflake.com/en/user-guide/snowflake-cortex/cortex-rest-api",
};
