//! Fetches what callers point to, and only from the open internet.
//!
//! A caller must not reach through the gateway what is reachable only from where it runs: its own
//! machine, its network, the cloud's metadata. Addresses are checked when a name is resolved, so
//! that what was checked is what is connected to, and again after each redirect.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use http::header::{CONTENT_TYPE, LOCATION};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Response, Url};
use shared::domain::internet::{is_link_local, is_public};
use tokio::time::timeout;

/// How long a fetch may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often a server may point elsewhere.
const REDIRECTS: usize = 3;

/// What was fetched.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// The type that the server names.
    pub mime: Option<String>,
    /// The bytes.
    pub bytes: Bytes,
}

/// Why nothing was fetched.
#[derive(Debug, thiserror::Error)]
pub enum NotFetched {
    /// It is no address of the web.
    #[error("it is no http or https address")]
    NoAddress,
    /// It leads to where callers may not go.
    #[error("its address is not public")]
    Private,
    /// The server does not have it.
    #[error("its server answered {0}")]
    Refused(u16),
    /// The server points elsewhere again and again.
    #[error("its server redirects too often")]
    Redirects,
    /// It is larger than what may be fetched.
    #[error("it is too large")]
    TooLarge,
    /// It took too long.
    #[error("its server took too long")]
    TooLate,
    /// The server cannot be reached, or broke off.
    #[error("its server cannot be reached")]
    Unreachable(#[source] reqwest::Error),
}

/// From where media may be fetched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reach {
    /// From the open internet.
    #[default]
    Public,
    /// Also from private networks and this machine, but never from link-local addresses, where clouds
    /// keep metadata.
    Private,
}

impl Reach {
    fn allows(self, address: IpAddr) -> bool {
        match self {
            Self::Public => is_public(address),
            Self::Private => !is_link_local(address),
        }
    }
}

/// Fetches what is at an address, of at most so many bytes.
pub(super) async fn fetch(
    client: &reqwest::Client,
    reach: Reach,
    address: &str,
    largest: usize,
) -> Result<Fetched, NotFetched> {
    timeout(PATIENCE, follow(client, reach, address, largest))
        .await
        .unwrap_or(Err(NotFetched::TooLate))
}

async fn follow(
    client: &reqwest::Client,
    reach: Reach,
    address: &str,
    largest: usize,
) -> Result<Fetched, NotFetched> {
    let mut url = Url::parse(address).map_err(|_| NotFetched::NoAddress)?;
    for _ in 0..=REDIRECTS {
        check(&url, reach)?;
        let response = client
            .get(url.clone())
            .send()
            .await
            .map_err(|error| unreachable(error.without_url()))?;
        let status = response.status();
        if status.is_success() {
            return read(response, largest).await;
        }
        if !status.is_redirection() {
            return Err(NotFetched::Refused(status.as_u16()));
        }
        let next = response.headers().get(LOCATION);
        let next = next.and_then(|next| next.to_str().ok());
        url = next
            .and_then(|next| url.join(next).ok())
            .ok_or(NotFetched::Refused(status.as_u16()))?;
    }
    Err(NotFetched::Redirects)
}

/// An address that names its host by number is not resolved: it is checked here.
fn check(url: &Url, reach: Reach) -> Result<(), NotFetched> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(NotFetched::NoAddress);
    }
    let host = url.host_str().ok_or(NotFetched::NoAddress)?;
    match host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(address) if !reach.allows(address) => Err(NotFetched::Private),
        _ => Ok(()),
    }
}

async fn read(response: Response, largest: usize) -> Result<Fetched, NotFetched> {
    let mime = response.headers().get(CONTENT_TYPE);
    let mime = mime.and_then(|mime| mime.to_str().ok()).map(|mime| {
        let mime = mime.split(';').next().unwrap_or_default();
        mime.trim().to_ascii_lowercase()
    });
    let mut bytes = BytesMut::new();
    let mut pieces = response.bytes_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| NotFetched::Unreachable(error.without_url()))?;
        if bytes.len() + piece.len() > largest {
            return Err(NotFetched::TooLarge);
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(Fetched {
        mime,
        bytes: bytes.freeze(),
    })
}

fn unreachable(error: reqwest::Error) -> NotFetched {
    let mut cause: Option<&dyn std::error::Error> = Some(&error);
    while let Some(inner) = cause {
        if inner.is::<NotPublic>() {
            return NotFetched::Private;
        }
        cause = inner.source();
    }
    NotFetched::Unreachable(error)
}

/// A name that leads to nowhere public.
#[derive(Debug, thiserror::Error)]
#[error("the name has no public address")]
struct NotPublic;

/// The system's resolver, with the addresses that are within reach.
impl Resolve for Reach {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = *self;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let usable: Vec<SocketAddr> = found.filter(|at| reach.allows(at.ip())).collect();
            if usable.is_empty() {
                return Err(NotPublic.into());
            }
            Ok(Box::new(usable.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_by_number_are_checked_however_they_are_written() {
        for url in [
            "http://169.254.169.254/latest/meta-data",
            "http://2852039166/",
            "http://0xa9fea9fe/",
            "http://127.1/",
            "http://[::1]:8080/",
            "http://[::ffff:127.0.0.1]/",
        ] {
            let checked = check(&Url::parse(url).unwrap(), Reach::Public);
            assert!(matches!(checked, Err(NotFetched::Private)), "{url}");
        }
        for url in ["file:///etc/passwd", "gopher://x/", "data:text/plain,hi"] {
            let checked = check(&Url::parse(url).unwrap(), Reach::Public);
            assert!(matches!(checked, Err(NotFetched::NoAddress)), "{url}");
        }
        let metadata = Url::parse("http://169.254.169.254/").unwrap();
        assert!(check(&metadata, Reach::Private).is_err());
        assert!(
            check(
                &Url::parse("https://example.com/a.png").unwrap(),
                Reach::Public
            )
            .is_ok()
        );
    }
}
