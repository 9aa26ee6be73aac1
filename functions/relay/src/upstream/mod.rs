//! The only room with sockets: sends a letter to a provider, and hands back the answer as it comes.

pub mod address;
pub mod auth;
pub mod fetch;
pub mod framing;
mod resolve;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt};
use http::{HeaderMap, StatusCode};
use reqwest::dns::Resolve;
use shared::domain::channel::Timeouts;
use shared::domain::provider::Provider;
use shared::domain::provider::card::Auth;
use tokio::time::timeout;

use fetch::{Fetched, NotFetched, Reach};
use resolve::NoLinkLocal;

/// For how long an idle connection is kept.
const KEPT_IDLE: Duration = Duration::from_secs(90);

/// What goes to a provider.
#[derive(Clone)]
pub struct Letter {
    /// Where to.
    pub url: String,
    /// With which headers, the credential among them.
    pub headers: HeaderMap,
    /// What.
    pub body: Bytes,
    /// How long to wait.
    pub timeouts: Timeouts,
}

impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Letter")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// The head of an answer, and its body as it comes.
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, piece by piece.
    pub body: BoxStream<'static, Result<Bytes, BrokenOff>>,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// Nobody can be reached there.
    #[error("the provider cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    /// It took too long.
    #[error("the provider did not begin to answer in time")]
    TooLate,
    /// The address or a header makes no request.
    #[error("the request to the provider cannot be made")]
    Unsendable(#[source] reqwest::Error),
}

/// Why an answer's body ends before its end.
#[derive(Debug, thiserror::Error)]
#[error("the provider's answer broke off")]
pub struct BrokenOff(#[source] pub reqwest::Error);

/// The way to providers. Cheap to clone; connections are pooled, and made when first needed.
#[derive(Debug, Clone, Default)]
pub struct Upstream {
    clients: Arc<Clients>,
    aws: Arc<auth::aws::Identities>,
    google: Arc<auth::google::SignIns>,
    bedrock_url: Option<Arc<str>>,
    reach: Reach,
}

#[derive(Debug, Default)]
struct Clients {
    providers: OnceLock<reqwest::Client>,
    web: OnceLock<reqwest::Client>,
}

impl Upstream {
    /// The way to providers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with an AWS configuration that has been made already.
    #[must_use]
    pub fn with_sdk(mut self, sdk: aws_config::SdkConfig) -> Self {
        self.aws = Arc::new(auth::aws::Identities::of(sdk));
        self
    }

    /// The same with another address for Bedrock than the regions' own: an endpoint in a VPC.
    #[must_use]
    pub fn with_bedrock_url(mut self, url: Option<String>) -> Self {
        self.bedrock_url = url.map(Arc::from);
        self
    }

    /// The same with media from elsewhere than the open internet, too.
    #[must_use]
    pub fn with_media_from(mut self, reach: Reach) -> Self {
        self.reach = reach;
        self
    }

    /// The base URL of a provider in this place, where that is not the card's.
    #[must_use]
    pub fn base_url(&self, card: &Provider) -> Option<&str> {
        self.bedrock_url
            .as_deref()
            .filter(|_| card.auth == Auth::Aws)
    }

    /// Sends a letter, and waits for the head of the answer.
    ///
    /// # Errors
    /// When there is none.
    pub async fn send(&self, letter: &Letter) -> Result<Answer, NoAnswer> {
        let request = self
            .client()
            .post(&letter.url)
            .headers(letter.headers.clone())
            .body(letter.body.clone())
            .timeout(milliseconds(letter.timeouts.total_ms));
        let sent = timeout(milliseconds(letter.timeouts.first_byte_ms), request.send()).await;
        let response = match sent {
            Err(_) => return Err(NoAnswer::TooLate),
            Ok(Err(error)) if error.is_timeout() => return Err(NoAnswer::TooLate),
            Ok(Err(error)) if error.is_builder() => {
                return Err(NoAnswer::Unsendable(error.without_url()));
            }
            Ok(Err(error)) => return Err(NoAnswer::Unreachable(error.without_url())),
            Ok(Ok(response)) => response,
        };
        Ok(Answer {
            status: response.status(),
            headers: response.headers().clone(),
            body: response
                .bytes_stream()
                .map(|piece| piece.map_err(|error| BrokenOff(error.without_url())))
                .boxed(),
        })
    }

    /// Fetches what a caller points to, of at most so many bytes, and only from the open internet.
    ///
    /// # Errors
    /// When it cannot be had, or may not be.
    pub async fn fetch(&self, url: &str, largest: usize) -> Result<Fetched, NotFetched> {
        let reach = self.reach;
        let client = self.clients.web.get_or_init(|| client(reach));
        fetch::fetch(client, reach, url, largest).await
    }

    /// Made once. Reading the machine's certificates takes milliseconds that a call may not need.
    fn client(&self) -> &reqwest::Client {
        self.clients.providers.get_or_init(|| client(NoLinkLocal))
    }
}

fn client(resolver: impl Resolve + 'static) -> reqwest::Client {
    // Another part of the process may have installed it before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    #[expect(clippy::disallowed_methods, reason = "the one way out")]
    let client = reqwest::Client::builder()
        // A credential must not travel to where nobody sent it.
        .redirect(reqwest::redirect::Policy::none())
        .dns_resolver(resolver)
        .connect_timeout(Duration::from_secs(10))
        .pool_idle_timeout(KEPT_IDLE)
        .tcp_nodelay(true)
        .no_proxy()
        .build();
    client.expect("rustls is there and the options are constant")
}

/// A duration of so many milliseconds.
#[must_use]
pub fn milliseconds(ms: u32) -> Duration {
    Duration::from_millis(u64::from(ms))
}
