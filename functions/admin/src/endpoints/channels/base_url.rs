//! The rule for base URLs: an operator may name any host but one that only this machine's cloud answers.

use std::net::{Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// The base URL in one spelling, or what is wrong with it.
pub(super) fn read(text: &str) -> Result<String, &'static str> {
    let url = Url::parse(text.trim()).map_err(|_| "It is not a URL.")?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("It must begin with http:// or https://.");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("It must not carry a name or a password: they belong into the credential.");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("It must not have a query or a fragment.");
    }
    let link_local = match url.host() {
        None => return Err("It names no host."),
        Some(Host::Domain(_)) => false,
        Some(Host::Ipv4(address)) => address.is_link_local(),
        Some(Host::Ipv6(address)) => is_link_local(address),
    };
    if link_local {
        return Err("It must not be a link-local address: metadata services answer there.");
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// Also when IPv6 only wraps an IPv4 address: mapped, compatible (`::/96`), or NAT64 (`64:ff9b::/96`).
fn is_link_local(address: Ipv6Addr) -> bool {
    let [head @ .., a, b, c, d] = address.octets();
    let wraps = matches!(
        head,
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 | 0xff, 0 | 0xff]
            | [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0]
    );
    address.is_unicast_link_local() || (wraps && Ipv4Addr::new(a, b, c, d).is_link_local())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_may_be_private_but_not_link_local() {
        for (text, expected) in [
            (
                "https://api.openai.com/v1/",
                Some("https://api.openai.com/v1"),
            ),
            (" http://127.0.0.1:9/ ", Some("http://127.0.0.1:9")),
            ("http://10.0.0.7/openai//", Some("http://10.0.0.7/openai")),
            ("http://[::1]:8000/v1", Some("http://[::1]:8000/v1")),
            ("http://[fd00::1]/", Some("http://[fd00::1]")),
            ("http://169.254.169.254/latest", None),
            // The same address as one number, and in octal.
            ("http://2852039166/", None),
            ("http://0251.0376.0251.0376/", None),
            ("http://[fe80::1]/", None),
            ("http://[febf::1]/", None),
            ("http://[::ffff:169.254.169.254]/", None),
            ("http://[::169.254.169.254]/", None),
            ("http://[64:ff9b::a9fe:a9fe]/", None),
            ("ftp://example.org", None),
            ("file:///etc/passwd", None),
            ("https://user@example.org", None),
            ("https://:secret@example.org", None),
            ("https://example.org/?key=1", None),
            ("https://example.org/#top", None),
            ("example.org/v1", None),
            ("", None),
        ] {
            assert_eq!(read(text).ok().as_deref(), expected, "{text}");
        }
    }
}
