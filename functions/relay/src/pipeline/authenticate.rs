//! Headers → Caller: whose key it is, and whether it may be used now and from here.

use http::HeaderMap;
use http::header::AUTHORIZATION;
use shared::domain::id::ChannelId;
use shared::domain::key::Key;
use shared::domain::key_text::KeyText;
use shared::domain::user::User;
use shared::failure::{Failure, Kind};
use shared::token::{self, ProbeClaims};

use super::Call;
use crate::app::App;

/// What an administrator's test of a channel brings in place of a key.
const PROBE_PREFIX: &str = "probe.";

/// Who is calling.
#[derive(Debug)]
pub(super) struct Caller {
    /// Who pays.
    pub(super) user: User,
    /// With which key; none for an administrator's test of a channel.
    pub(super) key: Option<Key>,
    /// The only channel that may be asked.
    pub(super) pinned: Option<ChannelId>,
}

pub(super) async fn authenticate(app: &App, call: &Call) -> Result<Caller, Failure> {
    let text = key_text(&call.headers, call.query_key.as_deref()).ok_or_else(|| {
        unauthenticated(
            "missing_api_key",
            "No API key was sent. Send it as a Bearer token, or in x-api-key.",
        )
    })?;
    if let Some(probe) = text.strip_prefix(PROBE_PREFIX) {
        return probing(app, probe).await;
    }
    let key = KeyText::read(&text).map_err(|_| {
        unauthenticated(
            "invalid_api_key",
            "The API key is malformed: look for characters that are missing.",
        )
    })?;
    let found = app
        .callers
        .find(&app.store, key.id(), app.clock.now_ms())
        .await?;
    let holder = found
        .filter(|holder| key.matches(&holder.key.hash))
        .ok_or_else(|| unauthenticated("invalid_api_key", "The API key is unknown."))?;
    let caller = Caller {
        user: holder.user.clone(),
        key: Some(holder.key.clone()),
        pinned: None,
    };
    usable(app, call, &holder.key, &holder.user)?;
    Ok(caller)
}

fn usable(app: &App, call: &Call, key: &Key, user: &User) -> Result<(), Failure> {
    if !key.enabled {
        return Err(unauthenticated(
            "disabled_api_key",
            "The API key is disabled.",
        ));
    }
    if !user.enabled {
        return Err(unauthenticated(
            "disabled_user",
            "The user of this API key is disabled.",
        ));
    }
    if key.expires_at.is_some_and(|at| at <= app.clock.now()) {
        return Err(unauthenticated(
            "expired_api_key",
            "The API key has expired.",
        ));
    }
    if !call.comes_from(&key.cidrs) {
        let text = "The API key may not be used from this address.";
        return Err(Failure::new(Kind::Forbidden, "address_not_allowed", text));
    }
    Ok(())
}

/// An administrator tests a channel. The user is asked for anew: a test is rare.
async fn probing(app: &App, text: &str) -> Result<Caller, Failure> {
    let invalid = || unauthenticated("invalid_api_key", "The API key is malformed.");
    let secrets = app.secrets().await?;
    let claims: ProbeClaims =
        token::verify(&secrets.master_key, text, app.clock.now()).map_err(|_| invalid())?;
    let user = app
        .store
        .users()
        .find(claims.user_id)
        .await?
        .filter(|user| user.enabled);
    Ok(Caller {
        user: user.ok_or_else(invalid)?,
        key: None,
        pinned: Some(claims.channel_id),
    })
}

/// The key in a request, wherever a provider's own clients put it.
fn key_text(headers: &HeaderMap, query: Option<&str>) -> Option<String> {
    let header = |name: &str| headers.get(name)?.to_str().ok();
    let bearer = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then_some(token)
        });
    let found = bearer
        .or_else(|| header("x-api-key"))
        .or_else(|| header("api-key"))
        .or_else(|| header("x-goog-api-key"))
        .or(query)?;
    Some(found.trim())
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

fn unauthenticated(code: &'static str, text: &str) -> Failure {
    Failure::new(Kind::Unauthenticated, code, text)
}
