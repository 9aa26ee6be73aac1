//! A stop that did not answer: what the caller hears of it, and whether another one may be asked.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use secrecy::SecretString;
use shared::failure::{Failure, Kind};

use super::retry_after;
use crate::dialects::UpstreamError;
use crate::upstream::{BrokenOff, NoAnswer, auth};

/// A stop that did not answer.
#[derive(Debug)]
pub(super) struct Setback {
    pub(super) failure: Failure,
    /// The provider's own words, where the caller may hear them.
    pub(super) verbatim: Option<Verbatim>,
    /// The provider's status, if it gave one.
    pub(super) http_status: Option<u16>,
    /// Whether another channel may do better.
    pub(super) elsewhere: bool,
}

/// A provider's own refusal.
#[derive(Debug)]
pub(super) struct Verbatim {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// How a provider has refused a request.
pub(super) struct Refusal<'a> {
    pub(super) status: StatusCode,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a Bytes,
    /// What the body says, if it is an error of the provider's dialect.
    pub(super) error: Option<UpstreamError>,
    /// Whether the caller understands the provider's own words.
    pub(super) verbatim: bool,
    pub(super) credential: &'a SecretString,
}

impl Setback {
    pub(super) fn no_channel() -> Self {
        let text = "No channel is left for this call.";
        Self::elsewhere(Failure::new(Kind::Unavailable, "no_channel", text), None)
    }

    pub(super) fn untranslated(failure: Failure) -> Self {
        Self::elsewhere(failure, None)
    }

    pub(super) fn too_late() -> Self {
        let text = "The provider took too long to answer.";
        Self::elsewhere(Failure::new(Kind::Timeout, "provider_timeout", text), None)
    }

    pub(super) fn broken(error: BrokenOff) -> Self {
        if error.0.is_timeout() {
            return Self::too_late();
        }
        let text = "The provider's answer broke off.";
        let failure = Failure::new(Kind::BadGateway, "provider_broke_off", text);
        Self::elsewhere(failure.because(error), Some(200))
    }

    pub(super) fn garbage(what: &str, status: u16) -> Self {
        let text = format!("The provider answered {what}.");
        Self::elsewhere(
            Failure::new(Kind::BadGateway, "provider_garbage", text),
            Some(status),
        )
    }

    /// An error inside a 200.
    pub(super) fn said(error: &UpstreamError, credential: &SecretString) -> Self {
        let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_GATEWAY);
        let mut setback = Self::by_status(meant(status, error));
        setback.http_status = Some(200);
        setback.failure.retry_after_s = error.retry_after_s.or(setback.failure.retry_after_s);
        if !is_about_us(status) && !error.message.is_empty() {
            setback.failure.public = auth::without_credential(&error.message, credential);
        }
        setback
    }

    /// A refusal with a status: in the provider's own words, if they are for the caller.
    pub(super) fn refused(refusal: Refusal<'_>, now: Timestamp) -> Self {
        let Refusal {
            status,
            headers,
            body,
            error,
            verbatim,
            credential,
        } = refusal;
        let Some(error) = error else {
            return Self::foreign(status, headers, body, credential).retry_after(headers, now);
        };
        let means = StatusCode::from_u16(error.status).unwrap_or(status);
        let means = meant(means, &error);
        let mut setback = Self::by_status(means);
        setback.http_status = Some(status.as_u16());
        setback.failure.retry_after_s = error.retry_after_s.or(setback.failure.retry_after_s);
        if !is_about_us(means) {
            if !error.message.is_empty() {
                setback.failure.public = auth::without_credential(&error.message, credential);
            }
            if is_too_long(&error) {
                setback.failure.code = "context_length_exceeded".into();
            }
            setback.verbatim = verbatim.then(|| {
                let text = std::str::from_utf8(body).unwrap_or_default();
                Verbatim {
                    status,
                    headers: returned(headers),
                    body: Bytes::from(auth::without_credential(text, credential)),
                }
            });
        }
        setback.retry_after(headers, now)
    }

    /// A refusal that is no error of the dialect: its text is told, if it is one that people can read.
    fn foreign(
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
        credential: &SecretString,
    ) -> Self {
        const LONGEST: usize = 2_000;
        let mut setback = Self::by_status(status);
        let text = String::from_utf8_lossy(body);
        let html = headers
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind.to_str().is_ok_and(|kind| kind.contains("html")));
        let readable = !html && !text.trim().is_empty() && !text.trim_start().starts_with('<');
        if readable && !is_about_us(status) {
            let text: String = text.trim().chars().take(LONGEST).collect();
            let text = auth::without_credential(&text, credential);
            setback.failure.public = format!("{} It said: {text}", setback.failure.public);
        }
        setback
    }

    fn retry_after(mut self, headers: &HeaderMap, now: Timestamp) -> Self {
        let told = retry_after::seconds(headers, now);
        self.failure.retry_after_s = told.or(self.failure.retry_after_s);
        self
    }

    fn by_status(status: StatusCode) -> Self {
        let code = status.as_u16();
        let (kind, word, text) = match code {
            401 | 403 => (
                Kind::BadGateway,
                "provider_refused_credential",
                "The provider refused this gateway's credential.".to_owned(),
            ),
            402 => (
                Kind::BadGateway,
                "provider_account",
                "The provider's account of this gateway cannot pay.".to_owned(),
            ),
            404 => (
                Kind::Missing,
                "provider_not_found",
                "The provider does not know this model.".to_owned(),
            ),
            408 | 504 => (
                Kind::Timeout,
                "provider_timeout",
                "The provider took too long to answer.".to_owned(),
            ),
            413 => (
                Kind::TooLarge,
                "provider_too_large",
                "The provider finds the request too large.".to_owned(),
            ),
            429 => (
                Kind::RateLimited,
                "provider_rate_limited",
                "The provider has too many requests.".to_owned(),
            ),
            503 | 529 => (
                Kind::Unavailable,
                "provider_overloaded",
                "The provider is overloaded.".to_owned(),
            ),
            400..=499 => (
                Kind::BadRequest,
                "provider_refused",
                format!("The provider refused the request with {code}."),
            ),
            _ => (
                Kind::BadGateway,
                "provider_error",
                format!("The provider failed with {code}."),
            ),
        };
        // What is wrong with the request is wrong everywhere.
        let elsewhere = !matches!(code, 400 | 405..=407 | 409..=428 | 430..=499);
        Self {
            failure: Failure::new(kind, word, text),
            verbatim: None,
            http_status: Some(code),
            elsewhere,
        }
    }

    fn elsewhere(failure: Failure, http_status: Option<u16>) -> Self {
        Self {
            failure,
            verbatim: None,
            http_status,
            elsewhere: true,
        }
    }
}

/// Whether the request is longer than what the model can hold.
fn is_too_long(error: &UpstreamError) -> bool {
    const SAID: [&str; 5] = [
        "context_length_exceeded",
        "prompt is too long",
        "Input is too long",
        "maximum context length",
        "exceeds the maximum number of tokens",
    ];
    let said = |words: &&str| error.code == *words || error.message.contains(*words);
    error.status == 400 && SAID.iter().any(said)
}

/// What a caller may see of a provider's headers: rate limits, and when to come again.
pub(super) fn returned(headers: &HeaderMap) -> HeaderMap {
    const EXACT: [&str; 4] = [
        "retry-after",
        "retry-after-ms",
        "openai-processing-ms",
        "x-should-retry",
    ];
    const PREFIXES: [&str; 2] = ["x-ratelimit-", "anthropic-ratelimit-"];
    let may_see = |name: &str| {
        EXACT.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
    };
    let seen = headers.iter().filter(|(name, _)| may_see(name.as_str()));
    seen.map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// The status that is meant: some providers say with another that this gateway's account is empty.
fn meant(status: StatusCode, error: &UpstreamError) -> StatusCode {
    let empty = ["insufficient_quota", "billing_error", "billing_not_active"];
    if empty.contains(&error.code.as_str()) || error.message.contains("credit balance is too low") {
        StatusCode::PAYMENT_REQUIRED
    } else {
        status
    }
}

/// Whether a status is about this gateway's own standing with the provider: a caller would take it
/// for its own.
fn is_about_us(status: StatusCode) -> bool {
    matches!(status.as_u16(), 401..=403)
}

impl From<NoAnswer> for Setback {
    fn from(error: NoAnswer) -> Self {
        match error {
            NoAnswer::TooLate => Self::too_late(),
            NoAnswer::Unreachable(_) => {
                let text = "The provider cannot be reached.";
                let failure = Failure::new(Kind::BadGateway, "provider_unreachable", text);
                Self::elsewhere(failure.because(error), None)
            }
            NoAnswer::Unsendable(_) => {
                let text = "The channel's address or credential makes no request.";
                let failure = Failure::new(Kind::BadGateway, "channel_misconfigured", text);
                Self::elsewhere(failure.because(error), None)
            }
        }
    }
}
