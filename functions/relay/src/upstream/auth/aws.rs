//! AWS's signature, version 4: by keys, by a role that is assumed, or by the process's own role.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html>

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_config::sts::AssumeRoleProvider;
use aws_config::{Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SigningSettings, sign as signature_of,
};
use aws_sigv4::sign::v4;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue};
use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use tokio::sync::OnceCell;

use super::CannotSign;
use super::credential::Credential;
use crate::upstream::Letter;

/// The service's name in signatures.
const SERVICE: &str = "bedrock";
/// What AWS calls our sessions.
const SESSION: &str = "tollhouse";
/// Credentials that end sooner than this are renewed by the first who needs them.
const EARLY: Duration = Duration::from_secs(300);
/// Credentials that end sooner than this are not used any more.
const LAST: Duration = Duration::from_secs(30);
/// For how long credentials are believed that do not say when they end.
const BELIEVED: Duration = Duration::from_secs(600);

/// Why nobody can sign.
#[derive(Debug, thiserror::Error)]
pub enum NoIdentity {
    /// This process has no credentials of its own.
    #[error("This process has no AWS credentials: it needs a role, or the channel needs keys.")]
    Own(#[source] aws_credential_types::provider::error::CredentialsError),
    /// A role does not let itself be assumed.
    #[error("The channel's AWS role cannot be assumed: check its trust policy and external id.")]
    Role(#[source] aws_credential_types::provider::error::CredentialsError),
    /// The address is none, or a header is none.
    #[error("The request to AWS cannot be signed.")]
    Unsignable,
}

/// The identities that are in use. Each is fetched when first needed, and kept while it is good.
#[derive(Debug, Default)]
pub struct Identities {
    sdk: OnceCell<SdkConfig>,
    seats: Mutex<HashMap<Vec<u8>, Arc<Seat>>>,
}

/// One identity. Whoever renews it holds `renewing`; the others use the old one while it is good, and
/// wait otherwise.
#[derive(Debug, Default)]
struct Seat {
    held: Mutex<Option<Held>>,
    renewing: tokio::sync::Mutex<()>,
}

#[derive(Debug, Clone)]
struct Held {
    credentials: Credentials,
    ends: SystemTime,
}

impl Held {
    fn is_good_for(&self, time: Duration, now: SystemTime) -> bool {
        self.ends.duration_since(now).is_ok_and(|left| left > time)
    }
}

impl Seat {
    fn held(&self) -> Option<Held> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.clone()
    }

    fn put(&self, held: Held) -> Credentials {
        let credentials = held.credentials.clone();
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some(held);
        credentials
    }
}

impl Identities {
    /// With a configuration that has been made already.
    #[must_use]
    pub fn of(sdk: SdkConfig) -> Self {
        Self {
            sdk: OnceCell::new_with(Some(sdk)),
            seats: Mutex::default(),
        }
    }

    pub(super) async fn sign(
        &self,
        letter: &mut Letter,
        credential: &Credential,
        now: Timestamp,
    ) -> Result<(), CannotSign> {
        let region = credential
            .get("region")
            .ok_or(CannotSign::Missing("region"))?;
        let now = SystemTime::from(now);
        let keys = keys(credential)?;
        let credentials = match (credential.get("role_arn"), keys) {
            (None, Some(keys)) => keys,
            (role, keys) => self.identity(credential, role, keys, now).await?,
        };
        put_signature(letter, region, credentials, now)?;
        Ok(())
    }

    /// Credentials of a role, or of this process.
    async fn identity(
        &self,
        credential: &Credential,
        role: Option<&str>,
        keys: Option<Credentials>,
        now: SystemTime,
    ) -> Result<Credentials, NoIdentity> {
        let seat = self.seat(credential, role, keys.as_ref(), now);
        let held = seat.held().filter(|held| held.is_good_for(LAST, now));
        if let Some(held) = held {
            let alone = if held.is_good_for(EARLY, now) {
                None
            } else {
                seat.renewing.try_lock().ok()
            };
            let Some(_alone) = alone else {
                return Ok(held.credentials);
            };
            // The old ones are good for a while: an early renewal that fails harms nobody.
            let renewed = self.fetch(credential, role, keys, now).await;
            return Ok(renewed.map_or(held.credentials, |held| seat.put(held)));
        }
        let _alone = seat.renewing.lock().await;
        // Somebody else may have brought some meanwhile.
        if let Some(held) = seat.held().filter(|held| held.is_good_for(LAST, now)) {
            return Ok(held.credentials);
        }
        let held = self.fetch(credential, role, keys, now).await?;
        Ok(seat.put(held))
    }

    /// The identity's place. Those that have ended are cleared away.
    fn seat(
        &self,
        credential: &Credential,
        role: Option<&str>,
        keys: Option<&Credentials>,
        now: SystemTime,
    ) -> Arc<Seat> {
        let parts = [
            role,
            credential.get("external_id"),
            keys.map(Credentials::access_key_id),
            keys.map(Credentials::secret_access_key),
            role.and_then(|_| credential.get("region")),
        ];
        let whole = serde_json::json!(parts).to_string();
        let fingerprint = digest(&SHA256, whole.as_bytes()).as_ref().to_vec();
        let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seat) = seats.get(&fingerprint) {
            return Arc::clone(seat);
        }
        seats.retain(|_, seat| {
            let good = seat.held().is_some_and(|held| held.is_good_for(LAST, now));
            good || Arc::strong_count(seat) > 1
        });
        Arc::clone(seats.entry(fingerprint).or_default())
    }

    async fn fetch(
        &self,
        credential: &Credential,
        role: Option<&str>,
        keys: Option<Credentials>,
        now: SystemTime,
    ) -> Result<Held, NoIdentity> {
        let region = credential.get("region").unwrap_or_default().to_owned();
        let sdk = self.sdk(&region).await;
        let credentials = match role {
            Some(role) => {
                let role = AssumeRoleProvider::builder(role)
                    .configure(sdk)
                    .region(Region::new(region))
                    .session_name(SESSION);
                let role = match credential.get("external_id") {
                    Some(id) => role.external_id(id),
                    None => role,
                };
                let role = match keys {
                    Some(keys) => role.build_from_provider(keys).await,
                    None => role.build().await,
                };
                let assumed = role.provide_credentials().await;
                assumed.map_err(NoIdentity::Role)?
            }
            None => {
                let own = own(sdk)?;
                own.provide_credentials().await.map_err(NoIdentity::Own)?
            }
        };
        let ends = credentials.expiry().unwrap_or(now + BELIEVED);
        Ok(Held { credentials, ends })
    }

    /// The SDK's configuration, made when it is first needed.
    async fn sdk(&self, region: &str) -> &SdkConfig {
        let configure = || shared::aws::configure_in(region.to_owned());
        self.sdk.get_or_init(configure).await
    }
}

fn own(sdk: &SdkConfig) -> Result<SharedCredentialsProvider, NoIdentity> {
    let none = || {
        let why = "the SDK is configured without credentials";
        NoIdentity::Own(aws_credential_types::provider::error::CredentialsError::not_loaded(why))
    };
    sdk.credentials_provider().ok_or_else(none)
}

/// The keys of a credential; none when it has none.
fn keys(credential: &Credential) -> Result<Option<Credentials>, CannotSign> {
    match (
        credential.get("access_key_id"),
        credential.get("secret_access_key"),
    ) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(CannotSign::Missing("access_key_id")),
        (Some(_), None) => Err(CannotSign::Missing("secret_access_key")),
        (Some(id), Some(secret)) => Ok(Some(Credentials::new(
            id,
            secret,
            credential.get("session_token").map(str::to_owned),
            None,
            "channel",
        ))),
    }
}

/// Signs a letter. What proxies may change (all headers but a few) is not part of the signature.
fn put_signature(
    letter: &mut Letter,
    region: &str,
    credentials: Credentials,
    now: SystemTime,
) -> Result<(), NoIdentity> {
    let unsignable = |_| NoIdentity::Unsignable;
    let identity = credentials.into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(SERVICE)
        .time(now)
        .settings(SigningSettings::default())
        .build()
        .map_err(|_| NoIdentity::Unsignable)?;
    let content_type = letter.headers.get(CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok());
    let headers = content_type.map(|value| (CONTENT_TYPE.as_str(), value));
    let body = SignableBody::Bytes(&letter.body);
    let request = SignableRequest::new("POST", letter.url.as_str(), headers.into_iter(), body)
        .map_err(unsignable)?;
    let (signed, _) = signature_of(request, &params.into())
        .map_err(unsignable)?
        .into_parts();
    for (name, value) in signed.headers() {
        let name = HeaderName::try_from(name).map_err(|_| NoIdentity::Unsignable)?;
        let mut value = HeaderValue::try_from(value).map_err(|_| NoIdentity::Unsignable)?;
        value.set_sensitive(true);
        letter.headers.insert(name, value);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use bytes::Bytes;
    use http::HeaderMap;
    use http::header::AUTHORIZATION;
    use secrecy::SecretString;
    use shared::domain::provider::card::Auth;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::upstream::Upstream;

    fn letter() -> Letter {
        let json = HeaderValue::from_static("application/json");
        Letter {
            url: "https://bedrock-runtime.us-east-1.amazonaws.com/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse".to_owned(),
            headers: HeaderMap::from_iter([(CONTENT_TYPE, json)]),
            body: Bytes::from_static(br#"{"messages":[]}"#),
            timeouts: shared::domain::channel::Timeouts::default(),
        }
    }

    fn now() -> Timestamp {
        "2026-01-02T03:04:05Z".parse().unwrap()
    }

    async fn signed(
        upstream: &Upstream,
        credential: &str,
        now: Timestamp,
    ) -> Result<HeaderMap, CannotSign> {
        let mut letter = letter();
        let credential = SecretString::from(credential);
        upstream
            .sign(&mut letter, Auth::Aws, &credential, now)
            .await?;
        Ok(letter.headers)
    }

    #[tokio::test]
    async fn keys_sign_as_botocore_does() {
        let keys = r#"{"region":"us-east-1","access_key_id":"AKIDEXAMPLE",
            "secret_access_key":"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}"#;
        let headers = signed(&Upstream::new(), keys, now()).await.unwrap();
        assert_eq!(headers["x-amz-date"], "20260102T030405Z");
        assert_eq!(
            headers[AUTHORIZATION],
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/us-east-1/bedrock/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date, \
             Signature=87e114dcbbaf782b0b033c88905b9bf9956d44b2a0f41c3174eac2780fb31277"
        );
        let session = keys.replace(
            "\"region\"",
            "\"session_token\":\"session-token\",\"region\"",
        );
        let headers = signed(&Upstream::new(), &session, now()).await.unwrap();
        assert_eq!(headers["x-amz-security-token"], "session-token");
        let text = headers[AUTHORIZATION].to_str().unwrap();
        assert!(
            text.ends_with("2c2ce34f7d646b26b973d61c1cc99b76bc01c9515b4e4545b6b06ecf4cbd55d1"),
            "{text}"
        );
    }

    #[tokio::test]
    async fn an_api_key_needs_no_signature() {
        let key = r#"{"region":"us-east-1","api_key":"bedrock-api-key-abc"}"#;
        let headers = signed(&Upstream::new(), key, now()).await.unwrap();
        assert_eq!(headers[AUTHORIZATION], "Bearer bedrock-api-key-abc");
        assert!(!headers.contains_key("x-amz-date"));
    }

    #[tokio::test]
    async fn half_a_credential_is_told_by_its_missing_member() {
        for (half, missing) in [
            ("{}", "region"),
            (r#"{"region":"r","access_key_id":"A"}"#, "secret_access_key"),
            (r#"{"region":"r","secret_access_key":"S"}"#, "access_key_id"),
        ] {
            let error = signed(&Upstream::new(), half, now()).await.unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("The credential lacks {missing:?}.")
            );
        }
    }

    /// An STS that gives out numbered sessions of an hour, and tells what it was asked.
    async fn sts(asked: Arc<AtomicUsize>, last: Arc<Mutex<String>>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::task::spawn_local(async move {
            loop {
                let (mut socket, _) = listener.accept().await.unwrap();
                let mut heard = String::new();
                let mut buffer = [0; 4096];
                while !heard.contains("RoleSessionName=") {
                    let read = socket.read(&mut buffer).await.unwrap();
                    heard.push_str(&String::from_utf8_lossy(&buffer[..read]));
                }
                *last.lock().unwrap() = heard;
                let count = asked.fetch_add(1, Ordering::SeqCst) + 1;
                let ends = if count == 1 { "04:04:05" } else { "05:04:05" };
                let body = format!(
                    "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
                     <AssumeRoleResult><Credentials><AccessKeyId>ASIA{count}</AccessKeyId>\
                     <SecretAccessKey>secret</SecretAccessKey><SessionToken>session{count}</SessionToken>\
                     <Expiration>2026-01-02T{ends}Z</Expiration></Credentials>\
                     </AssumeRoleResult></AssumeRoleResponse>"
                );
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                    body.len()
                );
                socket.write_all(head.as_bytes()).await.unwrap();
                socket.write_all(body.as_bytes()).await.unwrap();
            }
        });
        url
    }

    #[tokio::test]
    async fn a_role_is_assumed_once_and_again_before_its_session_ends() {
        let here = tokio::task::LocalSet::new();
        here.run_until(Box::pin(async {
            let (asked, last) = (
                Arc::<AtomicUsize>::default(),
                Arc::<Mutex<String>>::default(),
            );
            let url = sts(Arc::clone(&asked), Arc::clone(&last)).await;
            let own = Credentials::new("AKIAOWN", "own", None, None, "test");
            let sdk = shared::aws::configure_in("us-east-1".to_owned()).await;
            let sdk = sdk
                .into_builder()
                .endpoint_url(url)
                .credentials_provider(SharedCredentialsProvider::new(own))
                .build();
            let upstream = Upstream::new().with_sdk(sdk);
            let role = r#"{"region":"eu-west-1","external_id":"ext",
                "role_arn":"arn:aws:iam::123456789012:role/bedrock"}"#;
            let at = |minutes: i64| now() + jiff::SignedDuration::from_mins(minutes);
            let all = (0..4).map(|_| signed(&upstream, role, at(0)));
            for headers in futures_util::future::join_all(all).await {
                assert_eq!(headers.unwrap()["x-amz-security-token"], "session1");
            }
            for (minutes, session) in [(54, "session1"), (56, "session2"), (100, "session2")] {
                let headers = signed(&upstream, role, at(minutes)).await.unwrap();
                assert_eq!(headers["x-amz-security-token"], session, "{minutes}");
                let text = headers[AUTHORIZATION].to_str().unwrap();
                assert!(text.contains("/eu-west-1/bedrock/"), "{text}");
            }
            assert_eq!(asked.load(Ordering::SeqCst), 2);
            let heard = last.lock().unwrap().clone();
            for part in [
                "ExternalId=ext",
                "RoleSessionName=tollhouse",
                "role%2Fbedrock",
                "AKIAOWN",
            ] {
                assert!(heard.contains(part), "{part}: {heard}");
            }
            // A region alone means the process's own credentials.
            let headers = signed(&upstream, r#"{"region":"us-east-1"}"#, at(0))
                .await
                .unwrap();
            let text = headers[AUTHORIZATION].to_str().unwrap();
            assert!(text.contains("Credential=AKIAOWN/"), "{text}");
        }))
        .await;
    }
}
