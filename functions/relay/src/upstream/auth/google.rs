//! Signing in at Google as a service account: a signed claim for an access token, kept while it is good.
//! <https://developers.google.com/identity/protocols/oauth2/service-account#httprest>

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::header::CONTENT_TYPE;
use jiff::Timestamp;
use reqwest::Url;
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;

/// What a token is asked for: everything that the account may do.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// How long a claim is good, in seconds: Google takes no longer ones.
const CLAIM_S: i64 = 3_600;
/// A token that ends sooner than this is renewed by the first who needs it, in seconds.
const EARLY_S: i64 = 300;
/// A token that ends sooner than this is not used any more, in seconds.
const LAST_S: i64 = 30;
/// How long to wait for a token.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long to wait for one while the old one is still good.
const EARLY_PATIENCE: Duration = Duration::from_secs(3);
/// The longest answer that is read, in bytes.
const LONGEST_ANSWER: usize = 64 * 1024;

/// Why nobody is signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The key file is not one.
    #[error("the service account's key file is not as Google gives it out: {0}")]
    KeyFile(&'static str),
    /// Nobody answers.
    #[error("Google's sign-in cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    /// The answer is no.
    #[error("Google's sign-in refused the service account with {status}: {word}")]
    Refused {
        /// The status.
        status: u16,
        /// Google's word for the reason.
        word: String,
    },
    /// The answer is none.
    #[error("Google's sign-in answered something that is no token")]
    Garbage,
}

impl SignInError {
    /// Whether only the operator can help: another key file is needed.
    #[must_use]
    pub fn is_misconfigured(&self) -> bool {
        match self {
            Self::KeyFile(_) => true,
            Self::Refused { status, .. } => (400..500).contains(status) && *status != 429,
            Self::Unreachable(_) | Self::Garbage => false,
        }
    }
}

/// The parts of a key file that signing in needs. It does not print itself: the key is in it.
#[derive(Deserialize)]
struct KeyFile {
    client_email: String,
    private_key: String,
    private_key_id: Option<String>,
    project_id: Option<String>,
    #[serde(default = "usual_token_uri")]
    token_uri: String,
}

fn usual_token_uri() -> String {
    "https://oauth2.googleapis.com/token".to_owned()
}

impl KeyFile {
    fn read(text: &str) -> Result<Self, SignInError> {
        let problem = "it is a JSON object with client_email and private_key";
        serde_json::from_str(text).map_err(|_| SignInError::KeyFile(problem))
    }
}

/// The project that a key file belongs to.
#[must_use]
pub fn project(key_file: &str) -> Option<String> {
    KeyFile::read(key_file).ok()?.project_id
}

/// What Google has given out, by the fingerprint of the key file.
#[derive(Debug, Default)]
pub struct SignIns {
    seats: Mutex<HashMap<Vec<u8>, Arc<Seat>>>,
    loopback: bool,
}

/// One account's token. Whoever renews it holds `renewing`; the others use the old one while it is
/// good, and wait otherwise.
#[derive(Debug, Default)]
struct Seat {
    pass: Mutex<Option<Pass>>,
    renewing: tokio::sync::Mutex<()>,
}

/// A token, and when it ends, in seconds since 1970.
#[derive(Debug, Clone)]
struct Pass {
    token: SecretString,
    ends_s: i64,
}

impl Pass {
    fn is_good_for(&self, seconds: i64, now: Timestamp) -> bool {
        self.ends_s.saturating_sub(now.as_second()) > seconds
    }
}

impl Seat {
    fn pass(&self) -> Option<Pass> {
        let pass = self.pass.lock().unwrap_or_else(PoisonError::into_inner);
        pass.clone()
    }

    fn put(&self, pass: Pass) {
        *self.pass.lock().unwrap_or_else(PoisonError::into_inner) = Some(pass);
    }
}

impl SignIns {
    /// The same, but a key file may name a token server on this very machine: tests have theirs there.
    #[must_use]
    pub fn with_loopback(mut self) -> Self {
        self.loopback = true;
        self
    }

    /// An access token for the account whose key file this is. `client` is the way out.
    ///
    /// # Errors
    /// When there is none to be had.
    pub async fn token(
        &self,
        client: &reqwest::Client,
        key_file: &str,
        now: Timestamp,
    ) -> Result<SecretString, SignInError> {
        let seat = self.seat(key_file, now);
        let held = seat.pass().filter(|pass| pass.is_good_for(LAST_S, now));
        if let Some(pass) = held {
            let alone = if pass.is_good_for(EARLY_S, now) {
                None
            } else {
                seat.renewing.try_lock().ok()
            };
            let Some(_alone) = alone else {
                return Ok(pass.token);
            };
            // The old one is good for a while: an early renewal that fails harms nobody.
            let renewed = self.renew(client, key_file, now, EARLY_PATIENCE).await;
            return Ok(renewed.map_or(pass.token, |pass| {
                seat.put(pass.clone());
                pass.token
            }));
        }
        let _alone = seat.renewing.lock().await;
        // Somebody else may have brought one meanwhile.
        if let Some(pass) = seat.pass().filter(|pass| pass.is_good_for(LAST_S, now)) {
            return Ok(pass.token);
        }
        let pass = self.renew(client, key_file, now, PATIENCE).await?;
        seat.put(pass.clone());
        Ok(pass.token)
    }

    /// The account's place. Those that nobody uses any more are cleared away.
    fn seat(&self, key_file: &str, now: Timestamp) -> Arc<Seat> {
        let fingerprint = digest(&SHA256, key_file.as_bytes()).as_ref().to_vec();
        let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seat) = seats.get(&fingerprint) {
            return Arc::clone(seat);
        }
        seats.retain(|_, seat| {
            let good = seat.pass().is_some_and(|pass| pass.is_good_for(0, now));
            good || Arc::strong_count(seat) > 1
        });
        Arc::clone(seats.entry(fingerprint).or_default())
    }

    async fn renew(
        &self,
        client: &reqwest::Client,
        key_file: &str,
        now: Timestamp,
        patience: Duration,
    ) -> Result<Pass, SignInError> {
        #[derive(Deserialize)]
        struct Token {
            access_token: String,
            expires_in: i64,
        }
        let key_file = KeyFile::read(key_file)?;
        let url = self.token_url(&key_file.token_uri)?;
        let claim = claim(&key_file, now)?;
        let request = client
            .post(url)
            .timeout(patience)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(format!(
                "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={}",
                claim.expose_secret()
            ));
        let unreachable = |error: reqwest::Error| SignInError::Unreachable(error.without_url());
        let mut answer = request.send().await.map_err(unreachable)?;
        let mut body = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(unreachable)? {
            body.extend_from_slice(&piece);
            if body.len() > LONGEST_ANSWER {
                return Err(SignInError::Garbage);
            }
        }
        if !answer.status().is_success() {
            return Err(refusal(answer.status().as_u16(), &body));
        }
        let token: Token = serde_json::from_slice(&body).map_err(|_| SignInError::Garbage)?;
        Ok(Pass {
            token: SecretString::from(token.access_token),
            ends_s: now.as_second().saturating_add(token.expires_in),
        })
    }

    /// The operator's file says where claims go: it may name Google only.
    fn token_url(&self, text: &str) -> Result<Url, SignInError> {
        let problem = "its token_uri is no https address of googleapis.com";
        let url = Url::parse(text).map_err(|_| SignInError::KeyFile(problem))?;
        let host = url.host_str().unwrap_or_default();
        let google = host == "googleapis.com" || host.ends_with(".googleapis.com");
        let here = self.loopback && matches!(host, "127.0.0.1" | "[::1]");
        let plain = url.username().is_empty() && url.password().is_none();
        if plain && (here || (google && url.scheme() == "https")) {
            Ok(url)
        } else {
            Err(SignInError::KeyFile(problem))
        }
    }
}

/// Google's word for a no. Its sentences may quote what was sent, so they stay here.
fn refusal(status: u16, body: &[u8]) -> SignInError {
    #[derive(Deserialize)]
    struct Refusal {
        error: String,
    }
    let word = serde_json::from_slice::<Refusal>(body).map(|refusal| refusal.error);
    let is_word = |word: &String| {
        let mut letters = word.chars();
        word.len() <= 64 && letters.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
    };
    SignInError::Refused {
        status,
        word: word
            .ok()
            .filter(is_word)
            .unwrap_or_else(|| "no reason".to_owned()),
    }
}

/// The signed claim to be the account: a JSON Web Token.
fn claim(key_file: &KeyFile, now: Timestamp) -> Result<SecretString, SignInError> {
    let mut header = json!({"alg": "RS256", "typ": "JWT"});
    if let (Some(header), Some(id)) = (header.as_object_mut(), &key_file.private_key_id) {
        header.insert("kid".to_owned(), id.as_str().into());
    }
    let claims = json!({
        "iss": key_file.client_email,
        "scope": SCOPE,
        "aud": key_file.token_uri,
        "iat": now.as_second(),
        "exp": now.as_second() + CLAIM_S,
    });
    let text = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", text(&header), text(&claims));
    let key = private_key(&key_file.private_key)?;
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        signed.as_bytes(),
        &mut signature,
    )
    .map_err(|_| SignInError::KeyFile("its private key does not sign"))?;
    let signature = URL_SAFE_NO_PAD.encode(signature);
    Ok(SecretString::from(format!("{signed}.{signature}")))
}

/// The key in a PEM text: PKCS#8 as Google gives it out, or PKCS#1 as older tools rewrite it.
fn private_key(pem: &str) -> Result<RsaKeyPair, SignInError> {
    let problem = || SignInError::KeyFile("its private_key is no RSA key in PEM");
    // Line ends are often escaped twice on the way through shells and forms.
    let pem = pem.replace("\\n", "\n");
    let (_, rest) = pem.split_once("-----BEGIN ").ok_or_else(problem)?;
    let (kind, rest) = rest.split_once("-----").ok_or_else(problem)?;
    let (body, _) = rest.split_once("-----END ").ok_or_else(problem)?;
    let body: String = body.split_ascii_whitespace().collect();
    let der = STANDARD.decode(body).map_err(|_| problem())?;
    let key = match kind {
        "PRIVATE KEY" => RsaKeyPair::from_pkcs8(&der),
        "RSA PRIVATE KEY" => RsaKeyPair::from_der(&der),
        _ => return Err(problem()),
    };
    key.map_err(|_| problem())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::upstream::Upstream;

    /// Made for this test, and good for nothing else.
    const KEY: &str = "\
        MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQCn2WD6UM3I04/O\
        6A7UlFLPb+owO69ByDvLKuSUmopPjr02kA+POBqbLu9SKPTB4A3APyQHtU6BvQOv\
        itdDXHsMTSF4nvb/PGmMpg1+GV/G5E4Dl8Pmmx88fkRw9HB9pdtNdQVuaDzw1PW+\
        d1sEF5LGVfftkhmlLqfy2GA57Nhi63BrPtiIPizhfRuOa8azW+jymw1THxaioI6S\
        hYPSNK7ntedkFqxf+BfWDSXqky79uTwq6WIG3XjhTbYxPF2nqh4S03poFYCOOs7R\
        13GFdiZ1AsOeW7FOHzONNlcj/pOCV99LZCOKHSfVaNxzKyKKOScufQR1onG3SWLn\
        ZLgFEq9TAgMBAAECggEADqVynOUSz9oGIRvcD238kTVGzianHapcmAHffZ1uluVH\
        BXfUo76q3lezcmE4hPe0EM5xqmqGYIkfGouW9RMgzutRZwvCqcrvuuIn0z+2PSNh\
        hgFm4BHby+ozYVfdvlkL+y+hkFzFfzkAqI9pqxW+LP2wwKjlq/rs6iKPYv6TyIMh\
        JEJrHNMfDXLwidISnjzBro0dUdK6fAgr9uxR6d4JwXxK6dzqdUQDgDEdiK/dEb/B\
        hp4GLkzXJ88isndYpykYtbtdOa9LPkTJAaF7IFb61TAkJSflJoti7kXSaomSNCVg\
        FTzpX9kdct9/E/N8HdTEJQXf6oQiFLziF0C3eKK8YQKBgQDmeJW9MkHCfA9+UyM8\
        MALhNtEAO1ETg4Q+BuXduaZOBruH4tYVxrLBLCaMdSeHbHLDQsHylnWFB/i2Xa70\
        5VZxYLELZae2OyuN6sb0FrQDMmVCuFcJNDZE86OI8syZBev6K4wmQB+GP7cr8fZq\
        3a7hJLO47SwRRTfxgnJuf2viTwKBgQC6cQnyuPelZtTI44uM8kZ4kvUIL7y/q52Z\
        Gzgc9JEUzGnaAbUky9W/honEiDggEG678vpGmSgkG2xI3zgntPAuY8Lrpl4NC34v\
        fCwIH++oHgNUnKkNZrQpb/ABr7vDjmgBTJ/isa0N+lg/9WwawZIBFCQoPX4cAS+E\
        qtWTLPn1vQKBgQCQ2d0S6lFWUO7T8KDGpU5KCk/Vm3Jbl184NNGoR5R0mdqnjzQK\
        v7V9n6giw0cy4EBI5N5M/6+hCt+QjtT1amaoH6NmjF+aMxouug6NPu+oyrXF92IM\
        kNpC//Yajq90xboIo/IT4F1v3P/dCNhdVjMhohWq9rWprR16Fwig1kkSFQKBgGR7\
        ccogSFAbmMjgYiDHnpVzVp5f5BFFM/4FfnuUj/CursnxK6i2NvAvWWbTp7QYRyYC\
        sUKFXu3+3aB0tbYovV2zJKWOl5fePtbmzHBgjfCEpHTgrffsB2Nh0e+Gv+KIiKNS\
        ocUyzzr+Vru50NamxsLQESCi66m6NdsBm3PjxJ/dAoGBAKMNMq/gBMDWgiGtGQbT\
        v83/DF1RApdZ2sLpyEuUEXrceD5NlzZp9nSynLcfKah82IFxskgGkxyaMZpsGofb\
        m30dYnGbxBocEbbchNwThwsXHpEvpu/krJ7iyXMLzuyn92uMVoq6vw1RPRX1WPVb\
        d72PFsL8sVD4h3yjsibrThOv";

    fn pem() -> String {
        let kind = "PRIVATE KEY";
        format!("-----BEGIN {kind}-----\n{KEY}\n-----END {kind}-----\n")
    }

    fn key_file(token_uri: &str) -> String {
        json!({
            "type": "service_account",
            "project_id": "my-project",
            "private_key_id": "k1",
            "private_key": pem(),
            "client_email": "me@my-project.iam.gserviceaccount.com",
            "token_uri": token_uri,
        })
        .to_string()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// A token server that says the same each time, and tells what it was asked and how often.
    struct Server {
        uri: String,
        asked: Arc<AtomicUsize>,
        last: Arc<Mutex<String>>,
    }

    async fn server(status: &'static str, answer: &'static str) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("http://{}/token", listener.local_addr().unwrap());
        let server = Server {
            uri,
            asked: Arc::default(),
            last: Arc::default(),
        };
        let (asked, last) = (Arc::clone(&server.asked), Arc::clone(&server.last));
        tokio::task::spawn_local(async move {
            loop {
                let (mut socket, _) = listener.accept().await.unwrap();
                let mut heard = Vec::new();
                let mut buffer = [0; 4096];
                while !whole(&heard) {
                    let read = socket.read(&mut buffer).await.unwrap();
                    heard.extend_from_slice(&buffer[..read]);
                }
                let count = asked.fetch_add(1, Ordering::SeqCst) + 1;
                *last.lock().unwrap() = String::from_utf8(heard).unwrap();
                // Everybody who wants a token has come by then: they share this thread.
                for _ in 0..100 {
                    tokio::task::yield_now().await;
                }
                let answer = answer.replace("COUNT", &count.to_string());
                let length = answer.len();
                let head = format!(
                    "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
                );
                socket.write_all(head.as_bytes()).await.unwrap();
                socket.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        server
    }

    fn whole(heard: &[u8]) -> bool {
        let text = String::from_utf8_lossy(heard).to_ascii_lowercase();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            return false;
        };
        let length = head.split("content-length: ").nth(1).unwrap();
        let length: usize = length.lines().next().unwrap().parse().unwrap();
        body.len() >= length
    }

    /// Runs on one thread, with a task for the server.
    async fn with_server<F: Future<Output = ()>>(
        status: &'static str,
        answer: &'static str,
        test: impl FnOnce(Server) -> F,
    ) {
        let here = tokio::task::LocalSet::new();
        here.run_until(async { test(server(status, answer).await).await })
            .await;
    }

    const TOKEN: &str = r#"{"access_token":"ya29.COUNT","expires_in":3599,"token_type":"Bearer"}"#;

    #[tokio::test]
    async fn a_claim_is_signed_by_the_accounts_key() {
        with_server("200 OK", TOKEN, |server| async move {
            let ins = SignIns::default().with_loopback();
            let way = Upstream::new();
            let file = key_file(&server.uri);
            let token = ins.token(way.client(), &file, at(1_000)).await.unwrap();
            assert_eq!(token.expose_secret(), "ya29.1");
            let heard = server.last.lock().unwrap().clone();
            assert!(heard.starts_with("POST /token HTTP/1.1"), "{heard}");
            let (form, claim) = heard.rsplit_once("&assertion=").unwrap();
            assert!(
                form.ends_with("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer")
            );
            let (signed, signature) = claim.rsplit_once('.').unwrap();
            let (header, claims) = signed.split_once('.').unwrap();
            let read = |part: &str| -> serde_json::Value {
                serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
            };
            assert_eq!(
                read(header),
                json!({"alg": "RS256", "typ": "JWT", "kid": "k1"})
            );
            assert_eq!(
                read(claims),
                json!({
                    "iss": "me@my-project.iam.gserviceaccount.com",
                    "scope": SCOPE,
                    "aud": server.uri,
                    "iat": 1_000,
                    "exp": 4_600,
                })
            );
            let key = private_key(&pem()).unwrap();
            UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public().as_ref())
                .verify(
                    signed.as_bytes(),
                    &URL_SAFE_NO_PAD.decode(signature).unwrap(),
                )
                .unwrap();
        })
        .await;
    }

    #[tokio::test]
    async fn a_token_is_kept_and_renewed_before_it_ends() {
        with_server("200 OK", TOKEN, |server| async move {
            let ins = SignIns::default().with_loopback();
            let way = Upstream::new();
            let file = key_file(&server.uri);
            for (second, expected) in [(0, 1), (3_200, 1), (3_400, 2), (3_500, 2), (9_000, 3)] {
                let token = ins.token(way.client(), &file, at(second)).await.unwrap();
                assert_eq!(
                    token.expose_secret(),
                    format!("ya29.{expected}"),
                    "{second}"
                );
            }
            assert_eq!(server.asked.load(Ordering::SeqCst), 3);
        })
        .await;
    }

    #[tokio::test]
    async fn many_who_need_one_token_ask_once() {
        with_server("200 OK", TOKEN, |server| async move {
            let ins = SignIns::default().with_loopback();
            let way = Upstream::new();
            let file = key_file(&server.uri);
            let all = (0..8).map(|_| ins.token(way.client(), &file, at(0)));
            for token in futures_util::future::join_all(all).await {
                assert_eq!(token.unwrap().expose_secret(), "ya29.1");
            }
            // Near its end, one renews it and the others go on with the old one.
            let all = (0..4).map(|_| ins.token(way.client(), &file, at(3_400)));
            let tokens = futures_util::future::join_all(all).await;
            let old = tokens
                .iter()
                .filter(|token| token.as_ref().unwrap().expose_secret() == "ya29.1");
            assert_eq!(old.count(), 3);
            assert_eq!(server.asked.load(Ordering::SeqCst), 2);
        })
        .await;
    }

    #[tokio::test]
    async fn a_refusal_is_told_without_secrets() {
        let answer = r#"{"error":"invalid_grant","error_description":"Invalid JWT: eyJ.secret"}"#;
        with_server("400 Bad Request", answer, |server| async move {
            let ins = SignIns::default().with_loopback();
            let way = Upstream::new();
            let refused = ins.token(way.client(), &key_file(&server.uri), at(0)).await;
            let error = refused.unwrap_err();
            assert!(error.is_misconfigured());
            let text = "Google's sign-in refused the service account with 400: invalid_grant";
            assert_eq!(error.to_string(), text);
        })
        .await;
    }

    #[tokio::test]
    async fn claims_go_to_google_only() {
        let way = Upstream::new();
        for uri in [
            "http://oauth2.googleapis.com/token",
            "https://googleapis.com.evil.example/token",
            "https://evilgoogleapis.com/token",
            "https://oauth2.googleapis.com@evil.example/",
            "http://127.0.0.1:1/token",
            "http://169.254.169.254/",
            "token",
        ] {
            let refused = SignIns::default()
                .token(way.client(), &key_file(uri), at(0))
                .await;
            assert!(matches!(refused, Err(SignInError::KeyFile(_))), "{uri}");
        }
        let ins = SignIns::default();
        assert!(ins.token_url("https://oauth2.googleapis.com/token").is_ok());
    }

    #[test]
    fn keys_are_read_however_their_line_ends_were_escaped() {
        assert!(private_key(&pem()).is_ok());
        assert!(private_key(&pem().replace('\n', "\\n")).is_ok());
        assert!(private_key(&pem().replace('\n', "\r\n")).is_ok());
        for no_key in ["", "-----BEGIN PRIVATE KEY-----", KEY] {
            assert!(private_key(no_key).is_err());
        }
        assert_eq!(project(&key_file("x")).as_deref(), Some("my-project"));
        assert_eq!(project("{}"), None);
    }
}
