//! Where a provider's endpoint is: a channel's base URL and a dialect's path, made one.

use std::net::IpAddr;

use shared::domain::channel::Channel;
use shared::domain::dialect::Dialect;
use shared::domain::internet::is_link_local;
use shared::domain::provider::Provider;
use shared::domain::provider::card::{Envelope, Quirk, Tongue};

/// Vertex AI's regions have a host each; two lie apart, and a third is none.
/// <https://cloud.google.com/vertex-ai/generative-ai/docs/learn/locations>
const VERTEX: [(&str, &str); 3] = [
    ("//global-aiplatform.", "//aiplatform."),
    ("//us-aiplatform.", "//aiplatform.us.rep."),
    ("//eu-aiplatform.", "//aiplatform.eu.rep."),
];

/// Why a channel has no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoAddress {
    /// Neither the channel nor its card says one.
    #[error("The channel has no address.")]
    None,
    /// A member of the credential belongs into it.
    #[error("The channel's credential lacks {0:?}, which its address needs.")]
    Missing(String),
    /// A member of the credential does not fit into it.
    #[error("The channel's credential has a {0:?} that fits into no address.")]
    Unfit(String),
}

/// The address of a dialect's `path` (which begins with a version: `v1/…`) at a channel.
///
/// `member` tells the members of the channel's credential.
///
/// # Errors
/// When there is none.
pub fn of(
    channel: &Channel,
    tongue: &Tongue,
    path: &str,
    member: impl Fn(&str) -> Option<String>,
) -> Result<String, NoAddress> {
    let base = channel.base_url_of(tongue).ok_or(NoAddress::None)?;
    let mut base = fill(base, member)?;
    let Some(card) = channel.card() else {
        return Ok(endpoint(&base, path));
    };
    if tongue.envelope == Envelope::AzureDeployment {
        base = resource(&base).to_owned();
    }
    if let Some(place) = card.path() {
        base = below(&base, place);
    }
    match path.split_once('/') {
        Some((version, rest)) if is_version(version) && is_complete(&base, card, tongue) => {
            Ok(format!("{}/{rest}", base.trim_end_matches('/')))
        }
        _ => Ok(endpoint(&base, path)),
    }
}

/// Whether OpenAI's paths stand right below a base URL, though it does not end in a version: its
/// SDKs add none, and some servers have theirs in the middle, or have none.
fn is_complete(base: &str, card: &Provider, tongue: &Tongue) -> bool {
    let openai = matches!(
        tongue.dialect,
        Dialect::OpenaiChat
            | Dialect::OpenaiResponses
            | Dialect::OpenaiCompletions
            | Dialect::OpenaiEmbeddings
    );
    let in_the_middle = || base.split('/').skip(3).any(is_version);
    openai && tongue.envelope == Envelope::None && (card.has(Quirk::NoVersion) || in_the_middle())
}

/// A base URL with members of the credential in place of their names: `{account_id}`.
///
/// # Errors
/// When one is missing, or has other characters than names of hosts and accounts do.
pub fn fill(base_url: &str, member: impl Fn(&str) -> Option<String>) -> Result<String, NoAddress> {
    let mut pieces = base_url.split('{');
    let mut filled = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (name, rest) = piece.split_once('}').unwrap_or((piece, ""));
        let value = member(name).filter(|value| !value.is_empty());
        let value = value.ok_or_else(|| NoAddress::Missing(name.to_owned()))?;
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if !value.chars().all(fits) {
            return Err(NoAddress::Unfit(name.to_owned()));
        }
        filled.push_str(&value);
        filled.push_str(rest);
    }
    for (region, host) in VERTEX {
        filled = filled.replace(region, host);
    }
    Ok(filled)
}

/// A base URL at a path of its host: `openai/v1`. As much of it as is there is not doubled.
fn below(base_url: &str, path: &str) -> String {
    let base = base_url.trim_end_matches('/');
    let ends = std::iter::once(path.len()).chain(path.rmatch_indices('/').map(|(at, _)| at));
    for end in ends {
        let (begun, left) = path.split_at_checked(end).unwrap_or((path, ""));
        if let Some(host) = base.strip_suffix(begun)
            && host.ends_with('/')
        {
            return format!("{base}{left}");
        }
    }
    format!("{base}/{path}")
}

/// An Azure resource's endpoint, whichever of its addresses an operator has copied.
fn resource(base_url: &str) -> &str {
    let base = base_url.trim_end_matches('/');
    let (base, _) = base.split_once("/openai/deployments").unwrap_or((base, ""));
    let base = base.strip_suffix("/openai/v1").unwrap_or(base);
    base.strip_suffix("/openai").unwrap_or(base)
}

/// The address of a dialect's `path` below a base URL.
///
/// A base URL is what the provider's own SDK takes: OpenAI's ends in a version, Anthropic's does not.
/// A version that is missing is added, and one that is there is not doubled.
#[must_use]
pub fn endpoint(base_url: &str, path: &str) -> String {
    let base = base_url.trim_end_matches('/');
    let versioned = base.rsplit('/').next().is_some_and(is_version);
    match path.split_once('/') {
        Some((version, below)) if versioned && is_version(version) => format!("{base}/{below}"),
        _ => format!("{base}/{path}"),
    }
}

/// Whether the host of a URL is a link-local address, which no channel may name.
#[must_use]
pub fn names_link_local(url: &str) -> bool {
    let host = reqwest::Url::parse(url)
        .ok()
        .and_then(|url| url.host_str().map(str::to_owned));
    let address = host.and_then(|host| host.trim_matches(['[', ']']).parse::<IpAddr>().ok());
    address.is_some_and(is_link_local)
}

/// `v1`, `v4`, `v1beta`, `v1beta2`.
fn is_version(segment: &str) -> bool {
    let Some(rest) = segment.strip_prefix('v') else {
        return false;
    };
    rest.starts_with(|c: char| c.is_ascii_digit())
        && rest.chars().all(|c| c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_neither_missing_nor_doubled() {
        for (base, path, expected) in [
            (
                "https://api.openai.com/v1",
                "v1/chat/completions",
                "https://api.openai.com/v1/chat/completions",
            ),
            (
                "https://api.openai.com/",
                "v1/chat/completions",
                "https://api.openai.com/v1/chat/completions",
            ),
            (
                "https://api.anthropic.com",
                "v1/messages",
                "https://api.anthropic.com/v1/messages",
            ),
            (
                "https://api.anthropic.com/v1/",
                "v1/messages",
                "https://api.anthropic.com/v1/messages",
            ),
            (
                "https://open.bigmodel.cn/api/paas/v4",
                "v1/chat/completions",
                "https://open.bigmodel.cn/api/paas/v4/chat/completions",
            ),
            (
                "http://[::1]:80/x",
                "v1/messages",
                "http://[::1]:80/x/v1/messages",
            ),
        ] {
            assert_eq!(endpoint(base, path), expected);
        }
    }

    fn channel(provider: &str, base_url: Option<&str>) -> Channel {
        let channel = serde_json::json!({
            "id": "01KT0000000000000000000000",
            "name": "c", "provider": provider, "base_url": base_url, "credential": null,
            "models": ["*"], "groups": ["default"], "enabled": true,
            "created_at": "2026-01-01T00:00:00Z",
        });
        serde_json::from_value(channel).unwrap()
    }

    fn address(provider: &str, base_url: Option<&str>, model: &str, path: &str) -> String {
        let channel = channel(provider, base_url);
        let tongue = channel.tongues(model).next().unwrap();
        let member = |name: &str| Some(format!("my-{name}"));
        of(&channel, tongue, path, member).unwrap()
    }

    #[test]
    fn paths_stand_where_each_vendor_has_them() {
        const CHAT: &str = "v1/chat/completions";
        for (provider, base_url, expected) in [
            ("openai", None, "https://api.openai.com/v1/chat/completions"),
            (
                "deepseek",
                None,
                "https://api.deepseek.com/v1/chat/completions",
            ),
            (
                "github",
                None,
                "https://models.github.ai/inference/chat/completions",
            ),
            (
                "perplexity",
                None,
                "https://api.perplexity.ai/chat/completions",
            ),
            (
                "deepinfra",
                None,
                "https://api.deepinfra.com/v1/openai/chat/completions",
            ),
            (
                "zhipu",
                None,
                "https://open.bigmodel.cn/api/paas/v4/chat/completions",
            ),
            (
                "cloudflare",
                None,
                "https://api.cloudflare.com/client/v4/accounts/my-account_id/ai/v1/chat/completions",
            ),
            (
                "snowflake",
                None,
                "https://my-account.snowflakecomputing.com/api/v2/cortex/v1/chat/completions",
            ),
            (
                "spark",
                Some("https://spark-api-open.xf-yun.com/x2"),
                "https://spark-api-open.xf-yun.com/x2/chat/completions",
            ),
            (
                "databricks",
                Some("https://w.azuredatabricks.net"),
                "https://w.azuredatabricks.net/serving-endpoints/chat/completions",
            ),
            (
                "azure-v1",
                Some("https://r.openai.azure.com"),
                "https://r.openai.azure.com/openai/v1/chat/completions",
            ),
            (
                "azure-v1",
                Some("https://r.openai.azure.com/openai/"),
                "https://r.openai.azure.com/openai/v1/chat/completions",
            ),
            (
                "azure-v1",
                Some("https://r.openai.azure.com/openai/v1"),
                "https://r.openai.azure.com/openai/v1/chat/completions",
            ),
            (
                "openai-compatible",
                Some("https://generativelanguage.googleapis.com/v1beta/openai"),
                "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions",
            ),
            (
                "openai-compatible",
                Some("http://127.0.0.1:8000"),
                "http://127.0.0.1:8000/v1/chat/completions",
            ),
        ] {
            assert_eq!(address(provider, base_url, "some", CHAT), expected);
        }
    }

    #[test]
    fn a_version_in_the_middle_is_openais_alone() {
        let gateway = Some("https://gateway.example/v1/me/anthropic");
        assert_eq!(
            address("anthropic", gateway, "claude", "v1/messages"),
            "https://gateway.example/v1/me/anthropic/v1/messages"
        );
        assert_eq!(
            address("cohere", None, "command-a", "v2/chat"),
            "https://api.cohere.com/v2/chat"
        );
    }

    #[test]
    fn an_azure_resource_is_found_in_each_of_its_addresses() {
        for copied in [
            "https://r.openai.azure.com",
            "https://r.openai.azure.com/openai/",
            "https://r.openai.azure.com/openai/v1",
            "https://r.openai.azure.com/openai/deployments/gpt-4o",
        ] {
            let path = "openai/deployments/gpt-4o/chat/completions?api-version=1";
            assert_eq!(
                address("azure", Some(copied), "gpt-4o", path),
                format!("https://r.openai.azure.com/{path}")
            );
        }
    }

    #[test]
    fn members_of_the_credential_fill_the_base_url() {
        let card = "https://{location}-aiplatform.googleapis.com";
        let filled = |location: &str| fill(card, |_| Some(location.to_owned()));
        for (location, host) in [
            ("us-central1", "us-central1-aiplatform.googleapis.com"),
            ("global", "aiplatform.googleapis.com"),
            ("eu", "aiplatform.eu.rep.googleapis.com"),
        ] {
            assert_eq!(filled(location).unwrap(), format!("https://{host}"));
        }
        assert_eq!(filled(""), Err(NoAddress::Missing("location".to_owned())));
        for location in ["evil.example/", "a@b", "a?b", "a#", "é"] {
            assert_eq!(
                filled(location),
                Err(NoAddress::Unfit("location".to_owned()))
            );
        }
        let error = fill(card, |_| None).unwrap_err().to_string();
        assert_eq!(
            error,
            "The channel's credential lacks \"location\", which its address needs."
        );
    }

    #[test]
    fn the_metadata_service_is_no_provider() {
        for url in [
            "http://169.254.169.254/latest",
            "http://[fe80::1]/",
            "http://[::ffff:169.254.1.1]/",
        ] {
            assert!(names_link_local(url), "{url}");
        }
        for url in [
            "http://127.0.0.1:8080",
            "http://10.0.0.1",
            "https://api.openai.com/v1",
        ] {
            assert!(!names_link_local(url), "{url}");
        }
    }
}
