//! Who is asking: signed sessions, in a header or a cookie, checked against the user at every request.

use axum::extract::FromRequestParts;
use http::header::{AUTHORIZATION, COOKIE, HOST, ORIGIN};
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method};
use jiff::Timestamp;
use shared::domain::user::{Role, User};
use shared::failure::{Failure, Kind};
use shared::token::{self, SessionClaims};

use crate::answer::Refusal;
use crate::app::App;
use crate::front;

const COOKIE_NAME: &str = "tollhouse_session";
/// Twelve hours.
const LIFETIME_S: i64 = 12 * 3_600;

/// Anybody who is signed in.
#[derive(Debug)]
pub(crate) struct Member(pub(crate) User);

/// Somebody who keeps the books.
#[derive(Debug)]
pub(crate) struct Admin(pub(crate) User);

impl FromRequestParts<App> for Member {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        Ok(Self(recognise(app, &parts.method, &parts.headers).await?))
    }
}

impl FromRequestParts<App> for Admin {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let user = recognise(app, &parts.method, &parts.headers).await?;
        if user.role >= Role::Admin {
            return Ok(Self(user));
        }
        let text = "Only administrators may do this.";
        Err(Refusal(Failure::new(
            Kind::Forbidden,
            "not_an_administrator",
            text,
        )))
    }
}

impl Member {
    /// Whether they keep the books.
    pub(crate) fn is_admin(&self) -> bool {
        self.0.role >= Role::Admin
    }
}

async fn recognise(app: &App, method: &Method, headers: &HeaderMap) -> Result<User, Failure> {
    let (token, by_cookie) = match (bearer(headers), cookie(headers)) {
        (Some(token), _) => (token, false),
        (None, Some(token)) => (token, true),
        (None, None) => return Err(unknown("Sign in first.")),
    };
    if by_cookie && !method.is_safe() && !is_same_origin(headers) {
        let text = "A cookie is good for requests of the console's own pages only.";
        return Err(Failure::new(Kind::Forbidden, "cross_origin", text));
    }
    let key = &app.secrets().await?.master_key;
    let claims = token::verify::<SessionClaims>(key, token, app.now())
        .map_err(|_| unknown("The session is over or was never one. Sign in again."))?;
    let user = app.store.users().find(claims.user_id).await?;
    user.filter(|user| user.enabled && user.session_epoch == claims.epoch)
        .ok_or_else(|| unknown("The session was ended. Sign in again."))
}

fn unknown(text: &str) -> Failure {
    Failure::new(Kind::Unauthenticated, "not_signed_in", text)
}

/// A session that begins now.
#[derive(Debug)]
pub(crate) struct Session {
    /// What proves it.
    pub(crate) token: String,
    /// Until when.
    pub(crate) expires_at: Timestamp,
}

/// Begins a session of a user.
pub(crate) async fn begin(app: &App, user: &User) -> Result<Session, Failure> {
    let expires_at_s = app.now().as_second() + LIFETIME_S;
    let claims = SessionClaims {
        user_id: user.id,
        epoch: user.session_epoch,
        expires_at_s,
    };
    Ok(Session {
        token: token::sign(&app.secrets().await?.master_key, &claims),
        expires_at: Timestamp::from_second(expires_at_s).map_err(Failure::internal)?,
    })
}

/// The cookie of a session; with an empty token, the one that takes it away.
pub(crate) fn set_cookie(app: &App, headers: &HeaderMap, token: &str) -> String {
    let age_s = if token.is_empty() { 0 } else { LIFETIME_S };
    let secure = if front::is_https(app, headers) {
        "; Secure"
    } else {
        ""
    };
    format!("{COOKIE_NAME}={token}; Path=/api; HttpOnly; SameSite=Strict; Max-Age={age_s}{secure}")
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = text(headers, AUTHORIZATION)?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let lines = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok());
    let mut cookies = lines.flat_map(|line| line.split(';'));
    cookies.find_map(|cookie| {
        let (name, value) = cookie.trim().split_once('=')?;
        (name == COOKIE_NAME && !value.is_empty()).then_some(value)
    })
}

/// Whether a browser says that one of our own pages asks. Browsers tell the site of the asking page
/// where they can; where they cannot (plain HTTP), they tell its origin.
fn is_same_origin(headers: &HeaderMap) -> bool {
    if let Some(site) = text(headers, HeaderName::from_static("sec-fetch-site")) {
        return matches!(site, "same-origin" | "none");
    }
    let origin = text(headers, ORIGIN).and_then(|origin| origin.split_once("://"));
    origin.is_some_and(|(_, host)| text(headers, HOST) == Some(host))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let lines = lines.iter().map(|(name, value)| {
            (
                HeaderName::from_static(name),
                http::HeaderValue::from_static(value),
            )
        });
        lines.collect()
    }

    #[test]
    fn only_our_own_pages_are_of_the_same_origin() {
        let host = ("host", "127.0.0.1:8787");
        for (lines, expected) in [
            (vec![host], false),
            (vec![host, ("sec-fetch-site", "same-origin")], true),
            (vec![host, ("sec-fetch-site", "none")], true),
            (vec![host, ("sec-fetch-site", "same-site")], false),
            (vec![host, ("origin", "http://127.0.0.1:8787")], true),
            (vec![host, ("origin", "http://127.0.0.1:9999")], false),
            (vec![host, ("origin", "null")], false),
            (
                vec![
                    host,
                    ("sec-fetch-site", "cross-site"),
                    ("origin", "http://127.0.0.1:8787"),
                ],
                false,
            ),
        ] {
            assert_eq!(is_same_origin(&headers(&lines)), expected, "{lines:?}");
        }
    }

    #[test]
    fn a_session_is_found_in_either_place() {
        let both = headers(&[
            ("authorization", "bearer t1"),
            ("cookie", "a=b; tollhouse_session=t2"),
        ]);
        assert_eq!((bearer(&both), cookie(&both)), (Some("t1"), Some("t2")));
        let neither = headers(&[
            ("authorization", "Basic t1"),
            ("cookie", "tollhouse_session="),
        ]);
        assert_eq!((bearer(&neither), cookie(&neither)), (None, None));
    }
}
