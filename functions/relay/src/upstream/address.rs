//! Where a provider's endpoint is: a channel's base URL and a dialect's path, made one.

use std::net::IpAddr;

use super::resolve::is_link_local;

/// The address of a dialect's `path` (which begins with a version: `v1/…`) below a base URL.
///
/// A base URL is what the provider's own SDK takes: OpenAI's ends in a version, Anthropic's does not.
/// A version that is missing is added, and one that is there is not doubled.
#[must_use]
pub fn endpoint(base_url: &str, path: &str) -> String {
    let base = base_url.trim_end_matches('/');
    let versioned = base.rsplit('/').next().is_some_and(is_version);
    match path.split_once('/') {
        Some((_, below)) if versioned => format!("{base}/{below}"),
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
