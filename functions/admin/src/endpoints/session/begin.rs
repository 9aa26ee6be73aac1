//! Signing in.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::SET_COOKIE;
use http::{Extensions, HeaderMap};
use secrecy::SecretString;
use shared::domain::user::User;
use shared::failure::{Failure, Kind};

use super::json::{SessionJson, SignInBody};
use super::throttle;
use crate::answer::Answer;
use crate::app::App;
use crate::body::Body;
use crate::throttle::Throttle;
use crate::{front, password, session, standing, username};

/// Sign in
///
/// Answers a token for `Authorization: Bearer`, and sets it as a cookie too.
#[utoipa::path(
    post, path = "/api/session", tag = "session", security(()),
    request_body = SignInBody,
    responses((status = 200, description = "Signed in", body = SessionJson)),
)]
pub(crate) async fn begin_session(
    State(app): State<App>,
    headers: HeaderMap,
    extensions: Extensions,
    Body(body): Body<SignInBody>,
) -> Answer<Response> {
    let name = username::read(&body.username);
    let address = front::caller_address(&app, &headers, &extensions);
    let throttle = throttle::of(name.as_deref(), address);
    let user = sign_in(&app, &throttle, name, body.password.into()).await?;
    let session = session::begin(&app, &user).await?;
    let cookie = session::set_cookie(&app, &headers, &session.token);
    let json = SessionJson {
        token: session.token,
        expires_at: session.expires_at,
        user: standing::of(&app, &user).await?,
        must_change_password: user.must_change_password,
    };
    Ok(([(SET_COOKIE, cookie)], Json(json)).into_response())
}

async fn sign_in(
    app: &App,
    throttle: &Throttle,
    name: Option<String>,
    password: SecretString,
) -> Result<User, Failure> {
    throttle.check(app).await?;
    let user = match &name {
        Some(name) => app.store.users().find_by_username(name).await?,
        None => None,
    };
    let hash = user.as_ref().and_then(|user| user.password_hash.clone());
    let fits = password::fits(password, hash).await?;
    let Some(user) = user.filter(|_| fits) else {
        throttle.count(app).await?;
        let text = "The username or the password is wrong.";
        return Err(Failure::new(
            Kind::Unauthenticated,
            "wrong_credentials",
            text,
        ));
    };
    // Of many guesses sent at once, the right one may not win either.
    throttle.check(app).await?;
    if user.enabled {
        return Ok(user);
    }
    let text = "This user is disabled.";
    Err(Failure::new(Kind::Unauthenticated, "user_disabled", text))
}
