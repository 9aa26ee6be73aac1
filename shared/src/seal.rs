//! Sealed texts: ChaCha20-Poly1305, each bound to what it belongs to.

use std::fmt::Display;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use secrecy::{ExposeSecret, SecretString};

use crate::domain::id::{ChannelId, RedemptionCodeId};
use crate::domain::sealed::Sealed;
use crate::random;
use crate::secrets::MasterKey;

/// A seal that does not open: another master key, another owner, or damaged text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sealed text does not open with this master key")]
pub struct Unreadable;

/// What a sealed text belongs to. A seal of one owner does not open for another.
pub trait Owner: Display + Copy {
    /// What is sealed for such owners; the sealing key depends on it.
    const PURPOSE: &'static [u8];
    /// What such an owner is called.
    const NOUN: &'static str;
}

impl Owner for ChannelId {
    const PURPOSE: &'static [u8] = b"tollhouse channel credentials";
    const NOUN: &'static str = "channel";
}

impl Owner for RedemptionCodeId {
    const PURPOSE: &'static [u8] = b"tollhouse redemption codes";
    const NOUN: &'static str = "redemption code";
}

/// Seals a text for its owner.
///
/// # Panics
/// Never: the text is far below the cipher's limit of 256 GiB.
#[must_use]
pub fn seal<O: Owner>(key: &MasterKey, owner: O, text: &SecretString) -> Sealed {
    let nonce: [u8; NONCE_LEN] = random::bytes();
    let mut text = text.expose_secret().as_bytes().to_vec();
    sealing_key::<O>(key)
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            bound_to(owner),
            &mut text,
        )
        .expect("a sealed text is shorter than the cipher's limit");
    Sealed(STANDARD_NO_PAD.encode([nonce.as_slice(), &text].concat()))
}

/// Opens the text of an owner.
///
/// # Errors
/// When the seal was made with another key or for another owner, or the text is damaged.
pub fn open<O: Owner>(
    key: &MasterKey,
    owner: O,
    sealed: &Sealed,
) -> Result<SecretString, Unreadable> {
    let bytes = STANDARD_NO_PAD.decode(&sealed.0).map_err(|_| Unreadable)?;
    let (nonce, rest) = bytes.split_at_checked(NONCE_LEN).ok_or(Unreadable)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Unreadable)?;
    let mut text = rest.to_vec();
    let plain = sealing_key::<O>(key)
        .open_in_place(nonce, bound_to(owner), &mut text)
        .map_err(|_| Unreadable)?;
    let plain = std::str::from_utf8(plain).map_err(|_| Unreadable)?;
    Ok(SecretString::from(plain))
}

fn bound_to<O: Owner>(owner: O) -> Aad<String> {
    Aad::from(format!("{}:{owner}", O::NOUN))
}

/// The key for such owners: derived from the master key, so that no other use shares it.
fn sealing_key<O: Owner>(key: &MasterKey) -> LessSafeKey {
    let bytes = key.derive(O::PURPOSE);
    let key = UnboundKey::new(&CHACHA20_POLY1305, &bytes).expect("the key has the cipher's length");
    LessSafeKey::new(key)
}

impl MasterKey {
    /// 32 bytes for one purpose.
    pub(crate) fn derive(&self, purpose: &[u8]) -> [u8; 32] {
        let mut bytes = [0; 32];
        Salt::new(HKDF_SHA256, b"tollhouse")
            .extract(self.expose().as_bytes())
            .expand(&[purpose], HKDF_SHA256)
            .and_then(|key| key.fill(&mut bytes))
            .expect("32 bytes are one block of SHA-256");
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_opens_only_for_its_key_and_owner() {
        let key = MasterKey::new("k".repeat(64));
        let channel = ChannelId::from_bits(1);
        let sealed = seal(&key, channel, &SecretString::from("sk-provider"));
        let open_for =
            |key: &MasterKey, id| open(key, id, &sealed).map(|s| s.expose_secret().to_owned());
        assert_eq!(open_for(&key, channel), Ok("sk-provider".to_owned()));
        assert_eq!(open_for(&key, ChannelId::from_bits(2)), Err(Unreadable));
        assert_eq!(
            open_for(&MasterKey::new("l".repeat(64)), channel),
            Err(Unreadable)
        );
        let code = RedemptionCodeId::from_bits(1);
        assert_eq!(open(&key, code, &sealed).unwrap_err(), Unreadable);
        assert!(!format!("{sealed:?}").contains(&sealed.0));
    }
}
