//! Tests of a channel over HTTP: the relay is asked for a very short answer.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use shared::domain::dialect::Dialect;
use shared::failure::{Failure, Kind};
use shared::front::ORIGIN_HEADER;
use shared::secrets::SecretSource;
use shared::trace;

use crate::probe::{Probe, ProbeChannel, ProbeResult};

/// A little less than the admin function itself may take.
const PATIENCE: Duration = Duration::from_secs(25);
const SHOWN_CHARS: usize = 1_000;

/// Asks a relay by its address.
#[derive(Debug)]
pub struct RelayProbe {
    relay_url: Option<String>,
    secrets: SecretSource,
    client: OnceLock<reqwest::Client>,
}

impl RelayProbe {
    /// Asks the relay at that address, such as `http://127.0.0.1:8787`. Without one, every test is
    /// refused.
    #[must_use]
    pub fn new(relay_url: Option<String>, secrets: SecretSource) -> Self {
        Self {
            relay_url,
            secrets,
            client: OnceLock::new(),
        }
    }

    async fn ask(&self, probe: Probe) -> Result<ProbeResult, Failure> {
        let Some(relay) = &self.relay_url else {
            let text = "This installation does not say where its relay is.";
            return Err(Failure::new(Kind::Unavailable, "relay_unavailable", text));
        };
        let relay = relay.trim_end_matches('/');
        let secrets = self.secrets.get().await.map_err(Failure::internal)?;
        let url = format!("{relay}{}", path(probe.dialect));
        let body = json!({
            "model": probe.model,
            "messages": [{"role": "user", "content": "ping"}],
            "max_tokens": 16,
        });
        let request = self
            .client()?
            .post(url)
            .header(ORIGIN_HEADER, secrets.origin_token.expose_secret())
            .bearer_auth(probe.token.expose_secret())
            .header("content-type", "application/json")
            .body(body.to_string());
        let began = Instant::now();
        let mut result = read(request.send().await).await;
        result.ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(result)
    }

    /// Made when it is first needed: most processes never test a channel.
    fn client(&self) -> Result<&reqwest::Client, Failure> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        // Whoever comes second finds a provider installed, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        #[expect(
            clippy::disallowed_methods,
            reason = "it speaks to our own relay, never to a provider"
        )]
        let client = reqwest::Client::builder().timeout(PATIENCE).build();
        let client = client.map_err(Failure::internal)?;
        Ok(self.client.get_or_init(|| client))
    }
}

impl ProbeChannel for RelayProbe {
    fn probe(&self, probe: Probe) -> BoxFuture<'_, Result<ProbeResult, Failure>> {
        Box::pin(self.ask(probe))
    }
}

fn path(dialect: Dialect) -> &'static str {
    if dialect == Dialect::Anthropic {
        "/v1/messages"
    } else {
        "/v1/chat/completions"
    }
}

async fn read(answer: Result<reqwest::Response, reqwest::Error>) -> ProbeResult {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return unanswered(None, &error),
    };
    let status = answer.status();
    let body = match answer.bytes().await {
        Ok(body) => body,
        Err(error) => return unanswered(Some(status.as_u16()), &error),
    };
    // After a keep-alive the status is 200 whatever follows: the body has the last word.
    let complaint = complaint(&body);
    let ok = status.is_success() && complaint.is_none();
    let unexplained = || (!ok).then(|| format!("The relay answered {status}."));
    ProbeResult {
        ok,
        http_status: Some(status.as_u16()),
        ms: 0,
        message: complaint.or_else(unexplained),
    }
}

/// What the relay complains of; `None` when its answer is one.
fn complaint(body: &[u8]) -> Option<String> {
    let Ok(body) = serde_json::from_slice::<Value>(body) else {
        return Some("The relay's answer is not JSON.".to_owned());
    };
    let error = body.get("error").filter(|error| !error.is_null())?;
    let text = error.get("message").unwrap_or(error);
    let text = text
        .as_str()
        .map_or_else(|| text.to_string(), str::to_owned);
    Some(text.chars().take(SHOWN_CHARS).collect())
}

fn unanswered(http_status: Option<u16>, error: &reqwest::Error) -> ProbeResult {
    tracing::warn!(
        error = trace::chain(error),
        "the relay did not answer a test"
    );
    let message = if error.is_timeout() {
        format!("No answer within {} seconds.", PATIENCE.as_secs())
    } else {
        "The relay cannot be reached.".to_owned()
    };
    ProbeResult {
        ok: false,
        http_status,
        ms: 0,
        message: Some(message),
    }
}
