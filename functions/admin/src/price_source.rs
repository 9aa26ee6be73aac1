//! Fetches price maps from where an administrator says, and only from the open internet.
//!
//! An address is checked when its name is resolved, so that what was checked is connected to, and again
//! after each redirect.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::header::LOCATION;
use reqwest::Response;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use shared::domain::internet::is_public;
use shared::failure::{Failure, Kind};
use url::Url;

/// How long a fetch may take: less than the function itself.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often a server may point elsewhere.
const REDIRECTS: usize = 3;
/// The largest map that is read. The whole of LiteLLM's has three megabytes.
const LARGEST_BYTES: usize = 16 * 1_024 * 1_024;

/// From where price maps may be fetched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reach {
    /// By https, and from the open internet only.
    #[default]
    Public,
    /// From anywhere, without encryption, too: for tests.
    Anywhere,
}

/// Where price maps are fetched from. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct PriceSource {
    reach: Reach,
    client: Arc<OnceLock<reqwest::Client>>,
}

impl PriceSource {
    /// One that fetches from there.
    #[must_use]
    pub fn within(reach: Reach) -> Self {
        Self {
            reach,
            ..Self::default()
        }
    }

    /// The text at an address.
    pub(crate) async fn fetch(&self, address: &str) -> Result<Vec<u8>, Failure> {
        let fetched = tokio::time::timeout(PATIENCE, self.follow(address)).await;
        fetched.unwrap_or_else(|_| Err(unfit("Its server took too long.")))
    }

    async fn follow(&self, address: &str) -> Result<Vec<u8>, Failure> {
        let mut url = Url::parse(address).map_err(|_| unfit("This is no address of the web."))?;
        for _ in 0..=REDIRECTS {
            self.check(&url)?;
            let sent = self.client()?.get(url.clone()).send().await;
            let answer = sent.map_err(unreachable)?;
            let status = answer.status();
            if status.is_success() {
                return read(answer).await;
            }
            let next = answer.headers().get(LOCATION);
            let next = next.and_then(|next| next.to_str().ok());
            let next = next.filter(|_| status.is_redirection());
            url = next
                .and_then(|next| url.join(next).ok())
                .ok_or_else(|| unfit(&format!("Its server answered {}.", status.as_u16())))?;
        }
        Err(unfit("Its server redirects too often."))
    }

    /// A host that is named by number is not resolved: it is checked here.
    fn check(&self, url: &Url) -> Result<(), Failure> {
        if self.reach == Reach::Anywhere {
            return Ok(());
        }
        if url.scheme() != "https" {
            return Err(unfit("An address that begins with https:// is expected."));
        }
        let host = url.host_str().unwrap_or_default();
        match host.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(address) if !is_public(address) => Err(unfit(NOT_PUBLIC)),
            _ => Ok(()),
        }
    }

    /// Made when it is first needed: most processes never fetch a map.
    fn client(&self) -> Result<&reqwest::Client, Failure> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        // Whoever comes second finds a provider installed, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        #[expect(
            clippy::disallowed_methods,
            reason = "it fetches price maps, and never speaks to a provider"
        )]
        let builder = reqwest::Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .dns_resolver(Arc::new(self.reach));
        let client = builder.build().map_err(Failure::internal)?;
        Ok(self.client.get_or_init(|| client))
    }
}

async fn read(mut answer: Response) -> Result<Vec<u8>, Failure> {
    let mut text = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(unreachable)? {
        if text.len() + piece.len() > LARGEST_BYTES {
            return Err(unfit("What is there is too large."));
        }
        text.extend_from_slice(&piece);
    }
    Ok(text)
}

const NOT_PUBLIC: &str = "This address is not of the open internet.";

fn unfit(text: &str) -> Failure {
    Failure::bad_field("url", text)
}

fn unreachable(error: reqwest::Error) -> Failure {
    let error = error.without_url();
    let mut cause: Option<&dyn std::error::Error> = Some(&error);
    while let Some(inner) = cause {
        if inner.is::<NotPublic>() {
            return unfit(NOT_PUBLIC);
        }
        cause = inner.source();
    }
    let text = "The server of the price map cannot be reached.";
    Failure::new(Kind::BadGateway, "price_map_unreachable", text).because(error)
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
            let fits = |at: &SocketAddr| reach == Self::Anywhere || is_public(at.ip());
            let usable: Vec<SocketAddr> = found.filter(fits).collect();
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

    #[tokio::test]
    async fn only_https_of_the_open_internet_is_fetched() {
        let source = PriceSource::default();
        for address in [
            "http://example.com/map.json",
            "file:///etc/passwd",
            "ftp://example.com/",
            "not an address",
            "https://127.0.0.1/",
            "https://127.1/",
            "https://2130706433/",
            "https://[::1]:8443/",
            "https://[::ffff:10.0.0.1]/",
            "https://169.254.169.254/latest/meta-data",
            "https://localhost:1/",
        ] {
            let refused = source.fetch(address).await.unwrap_err();
            assert_eq!(
                refused.field.as_deref(),
                Some("url"),
                "{address}: {refused}"
            );
        }
    }
}
