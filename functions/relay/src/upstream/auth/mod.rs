//! Credentials on letters, by the scheme that a card names.

pub mod aws;
mod credential;
pub mod google;

pub use credential::{is_free_of, without_credential};

use http::header::{AUTHORIZATION, InvalidHeaderValue};
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use shared::domain::provider::card::{Auth, SERVICE_ACCOUNT};

use super::{Letter, Upstream};
use credential::Credential;

/// Why a letter cannot carry its credential. No text of these quotes one.
#[derive(Debug, thiserror::Error)]
pub enum CannotSign {
    /// It has characters that headers have not.
    #[error("The credential cannot stand in a header.")]
    Unspeakable(#[from] InvalidHeaderValue),
    /// A member is missing.
    #[error("The credential lacks {0:?}.")]
    Missing(&'static str),
    /// AWS gives none, or what it gives does not sign.
    #[error(transparent)]
    Aws(#[from] aws::NoIdentity),
    /// Google gives none.
    #[error(transparent)]
    Google(#[from] google::SignInError),
}

impl Upstream {
    /// Puts a credential on a letter, as the last thing that is done to it.
    ///
    /// # Errors
    /// When that cannot be done.
    pub async fn sign(
        &self,
        letter: &mut Letter,
        auth: Auth,
        credential: &SecretString,
        now: Timestamp,
    ) -> Result<(), CannotSign> {
        match auth {
            Auth::Bearer | Auth::Header(_) | Auth::None => {
                put_on(&mut letter.headers, auth, credential)?;
                Ok(())
            }
            Auth::Aws => {
                let credential = Credential::open(credential);
                if let Some(api_key) = credential.get("api_key") {
                    return Ok(bearer(&mut letter.headers, api_key)?);
                }
                // The SDK's own ways to credentials are long.
                Box::pin(self.aws.sign(letter, &credential, now)).await
            }
            Auth::Google => {
                let credential = Credential::open(credential);
                let file = credential.text(SERVICE_ACCOUNT);
                let file = file.ok_or(CannotSign::Missing(SERVICE_ACCOUNT))?;
                let token = self.google.token(self.client(), &file, now).await?;
                Ok(bearer(&mut letter.headers, token.expose_secret())?)
            }
        }
    }
}

/// Puts a credential on a letter's headers, where the credential itself stands there.
///
/// # Errors
/// When it cannot stand in a header.
pub fn put_on(
    headers: &mut HeaderMap,
    auth: Auth,
    credential: &SecretString,
) -> Result<(), InvalidHeaderValue> {
    let credential = Credential::open(credential);
    let Some(api_key) = credential.get("api_key") else {
        return Ok(());
    };
    match auth {
        Auth::Bearer => bearer(headers, api_key),
        Auth::Header(name) => insert(headers, HeaderName::from_static(name), api_key),
        Auth::Aws | Auth::Google | Auth::None => Ok(()),
    }
}

fn bearer(headers: &mut HeaderMap, token: &str) -> Result<(), InvalidHeaderValue> {
    insert(headers, AUTHORIZATION, &format!("Bearer {token}"))
}

fn insert(headers: &mut HeaderMap, name: HeaderName, text: &str) -> Result<(), InvalidHeaderValue> {
    let mut value = HeaderValue::from_str(text)?;
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(())
}

/// A member of a credential.
#[must_use]
pub fn member(credential: &SecretString, name: &str) -> Option<String> {
    let text = Credential::open(credential).text(name)?.into_owned();
    Some(text)
}
