//! Credentials on letters, by the scheme that a card names.

pub mod google;

use http::header::{AUTHORIZATION, InvalidHeaderValue};
use http::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use shared::domain::provider::card::Auth;

/// The members of a credential, as they are sealed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Members {
    api_key: String,
}

/// Puts a credential on a letter's headers.
///
/// # Errors
/// When it cannot stand in a header.
pub fn put_on(
    headers: &mut HeaderMap,
    auth: Auth,
    credential: &SecretString,
) -> Result<(), InvalidHeaderValue> {
    let members: Members = serde_json::from_str(credential.expose_secret()).unwrap_or_default();
    if members.api_key.is_empty() {
        return Ok(());
    }
    let (name, text) = match auth {
        Auth::Bearer => (AUTHORIZATION, format!("Bearer {}", members.api_key)),
        Auth::Header(name) => (HeaderName::from_static(name), members.api_key),
        Auth::Aws | Auth::Google | Auth::None => return Ok(()),
    };
    let mut value = HeaderValue::from_str(&text)?;
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(())
}

/// A member of a credential.
#[must_use]
pub fn member(credential: &SecretString, name: &str) -> Option<String> {
    let members: serde_json::Value = serde_json::from_str(credential.expose_secret()).ok()?;
    members.get(name)?.as_str().map(str::to_owned)
}

/// A text of a provider without the credential, should it have quoted it.
#[must_use]
pub fn without_credential(text: &str, credential: &SecretString) -> String {
    let members: Members = serde_json::from_str(credential.expose_secret()).unwrap_or_default();
    if members.api_key.len() < 8 {
        text.to_owned()
    } else {
        text.replace(&members.api_key, "***")
    }
}

/// Whether some bytes of a provider do not quote the credential.
#[must_use]
pub fn is_free_of(bytes: &[u8], credential: &SecretString) -> bool {
    let members: Members = serde_json::from_str(credential.expose_secret()).unwrap_or_default();
    members.api_key.is_empty() || memchr::memmem::find(bytes, members.api_key.as_bytes()).is_none()
}
