//! Azure's deployments: the model stands in the address, and the version of the API behind it.
//! <https://learn.microsoft.com/en-us/azure/ai-services/openai/reference>

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The newest version that is no preview.
pub const API_VERSION: &str = "2024-10-21";

/// What may stand in a path or a query as it is.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// Where a dialect's `path` (`v1/chat/completions`) lies below a resource's endpoint. `deployment`
/// is the provider's name of the model.
///
/// Responses have no deployments in their addresses: they are there under the newer paths alone.
#[must_use]
pub fn path(path: &str, deployment: &str, api_version: Option<&str>) -> String {
    let rest = path.strip_prefix("v1/").unwrap_or(path);
    if rest == "responses" || rest.starts_with("responses/") {
        return format!("openai/v1/{rest}");
    }
    let version = api_version.filter(|version| !version.is_empty());
    let version = utf8_percent_encode(version.unwrap_or(API_VERSION), ESCAPED);
    let deployment = utf8_percent_encode(deployment, ESCAPED);
    format!("openai/deployments/{deployment}/{rest}?api-version={version}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deployment_and_a_version_stand_in_the_address() {
        for (below, deployment, version, expected) in [
            (
                "v1/chat/completions",
                "gpt-4o",
                None,
                "openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21",
            ),
            (
                "v1/completions",
                "my model/2",
                Some("2025-04-01-preview"),
                "openai/deployments/my%20model%2F2/completions?api-version=2025-04-01-preview",
            ),
            (
                "v1/chat/completions",
                "a",
                Some(""),
                "openai/deployments/a/chat/completions?api-version=2024-10-21",
            ),
            ("v1/responses", "gpt-4o", None, "openai/v1/responses"),
        ] {
            assert_eq!(path(below, deployment, version), expected);
        }
    }
}
