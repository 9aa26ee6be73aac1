//! Signed tokens: a small JSON text and its HMAC-SHA256, both base64url, joined by a dot.
//!
//! A token for one purpose is worth nothing for another, because each purpose has its own key.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::hmac;
use serde::Deserialize;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::domain::id::{ChannelId, UserId};
use crate::secrets::MasterKey;

/// A token that is malformed, forged, expired, or meant for something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the token is not valid")]
pub struct InvalidToken;

/// What a token says, and until when. Times are in seconds since 1970.
pub trait Claims: Serialize + DeserializeOwned {
    /// What such tokens are for; the signing key depends on it.
    const PURPOSE: &'static [u8];

    /// When the token expires.
    fn expires_at_s(&self) -> i64;
}

/// Somebody signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionClaims {
    /// Who.
    pub user_id: UserId,
    /// Under which of the user's epochs: a change of password begins another.
    pub epoch: u32,
    /// Until when, in seconds since 1970.
    pub expires_at_s: i64,
}

impl Claims for SessionClaims {
    const PURPOSE: &'static [u8] = b"tollhouse session";

    fn expires_at_s(&self) -> i64 {
        self.expires_at_s
    }
}

/// An administrator tests a channel: one call, pinned to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeClaims {
    /// The administrator.
    pub user_id: UserId,
    /// The channel.
    pub channel_id: ChannelId,
    /// Until when, in seconds since 1970.
    pub expires_at_s: i64,
}

impl Claims for ProbeClaims {
    const PURPOSE: &'static [u8] = b"tollhouse probe";

    fn expires_at_s(&self) -> i64 {
        self.expires_at_s
    }
}

/// Signs what a token says.
///
/// # Panics
/// Never: claims are plain structs of ids and numbers.
#[must_use]
pub fn sign<C: Claims>(key: &MasterKey, claims: &C) -> String {
    let text = serde_json::to_vec(claims).expect("claims are plain JSON");
    let payload = URL_SAFE_NO_PAD.encode(text);
    let tag = hmac::sign(&signing_key::<C>(key), payload.as_bytes());
    format!("{payload}.{}", URL_SAFE_NO_PAD.encode(tag))
}

/// Reads a token, if it is genuine and still valid `now`.
///
/// # Errors
/// When it is not.
pub fn verify<C: Claims>(key: &MasterKey, token: &str, now: Timestamp) -> Result<C, InvalidToken> {
    let (payload, tag) = token.split_once('.').ok_or(InvalidToken)?;
    let tag = URL_SAFE_NO_PAD.decode(tag).map_err(|_| InvalidToken)?;
    hmac::verify(&signing_key::<C>(key), payload.as_bytes(), &tag).map_err(|_| InvalidToken)?;
    let text = URL_SAFE_NO_PAD.decode(payload).map_err(|_| InvalidToken)?;
    let claims: C = serde_json::from_slice(&text).map_err(|_| InvalidToken)?;
    if claims.expires_at_s() <= now.as_second() {
        return Err(InvalidToken);
    }
    Ok(claims)
}

fn signing_key<C: Claims>(key: &MasterKey) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, &key.derive(C::PURPOSE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_its_purpose_and_time_only() {
        let key = MasterKey::new("k".repeat(64));
        let claims = SessionClaims {
            user_id: UserId::from_bits(1),
            epoch: 0,
            expires_at_s: 100,
        };
        let token = sign(&key, &claims);
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!(verify(&key, &token, at(99)), Ok(claims));
        assert_eq!(
            verify::<SessionClaims>(&key, &token, at(100)),
            Err(InvalidToken)
        );
        assert_eq!(
            verify::<ProbeClaims>(&key, &token, at(99)),
            Err(InvalidToken)
        );
        let other = MasterKey::new("l".repeat(64));
        assert_eq!(
            verify::<SessionClaims>(&other, &token, at(99)),
            Err(InvalidToken)
        );
        let forged = token.replacen('e', "f", 1);
        assert_eq!(
            verify::<SessionClaims>(&key, &forged, at(99)),
            Err(InvalidToken)
        );
    }
}
