//! Passwords: hashed with argon2id, checked at the same cost whether the user exists or not.

use std::time::Duration;

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use secrecy::{ExposeSecret, SecretString};
use shared::failure::{Failure, Kind};
use shared::random;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// OWASP's recommendation: 19 MiB, two passes, one lane.
/// <https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html>
const MEMORY_KIB: u32 = 19 * 1_024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// What a password is compared with when there is no user, or no password: nothing fits it.
const DECOY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$\
                     AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Each hash takes 19 MiB: so many at a time, whatever the number of sign-ins.
static DESKS: Semaphore = Semaphore::const_new(4);

/// How long a password waits for a desk.
const PATIENCE: Duration = Duration::from_secs(5);

/// The lengths that a chosen password may have, in characters.
const LENGTHS: std::ops::RangeInclusive<usize> = 8..=256;

/// Checks a password that somebody chose.
pub(crate) fn check(password: &str) -> Result<(), Failure> {
    if LENGTHS.contains(&password.chars().count()) {
        Ok(())
    } else {
        let text = "A password has 8 to 256 characters.";
        Err(Failure::bad_field("password", text))
    }
}

/// The hash of a password, in PHC format.
pub(crate) async fn hash(password: SecretString) -> Result<String, Failure> {
    on_a_desk(move || {
        let salt: [u8; 16] = random::bytes();
        let hash = argon2()?.hash_password_with_salt(password.expose_secret().as_bytes(), &salt);
        hash.map(|hash| hash.to_string()).map_err(Failure::internal)
    })
    .await
}

/// Whether the password is the one of that hash. Without a hash the answer is no, and takes as long.
pub(crate) async fn fits(password: SecretString, hash: Option<String>) -> Result<bool, Failure> {
    on_a_desk(move || {
        let known = hash.is_some();
        let hash = hash.as_deref().unwrap_or(DECOY);
        let verified = argon2()?.verify_password(password.expose_secret().as_bytes(), hash);
        Ok(known && verified.is_ok())
    })
    .await
}

fn argon2() -> Result<Argon2<'static>, Failure> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(Failure::internal)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

async fn on_a_desk<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let desk = timeout(PATIENCE, DESKS.acquire()).await.map_err(|_| {
        let text = "Too many sign-ins at once. Try again in a moment.";
        Failure::new(Kind::RateLimited, "too_many_sign_ins", text).retry_after(1)
    })?;
    let _desk = desk.map_err(Failure::internal)?;
    tokio::task::spawn_blocking(work)
        .await
        .map_err(Failure::internal)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hash_fits_its_password_only_and_nothing_fits_no_hash() {
        let hash = hash(SecretString::from("correct horse")).await.unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        for (password, hash, expected) in [
            ("correct horse", Some(hash.clone()), true),
            ("wrong horse", Some(hash), false),
            ("correct horse", None, false),
        ] {
            assert_eq!(
                fits(SecretString::from(password), hash).await.unwrap(),
                expected
            );
        }
        assert!(argon2::password_hash::phc::PasswordHash::new(DECOY).is_ok());
    }
}
