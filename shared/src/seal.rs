//! Sealed credentials: ChaCha20-Poly1305, bound to the channel that they belong to.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use secrecy::{ExposeSecret, SecretString};

use crate::domain::channel::Sealed;
use crate::domain::id::ChannelId;
use crate::random;
use crate::secrets::MasterKey;

/// A seal that does not open: another master key, another channel, or damaged text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sealed credential does not open with this master key")]
pub struct Unreadable;

/// Seals a credential for a channel.
///
/// # Panics
/// Never: the text is far below the cipher's limit of 256 GiB.
#[must_use]
pub fn seal(key: &MasterKey, channel: ChannelId, credential: &SecretString) -> Sealed {
    let nonce: [u8; NONCE_LEN] = random::bytes();
    let mut text = credential.expose_secret().as_bytes().to_vec();
    sealing_key(key)
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            bound_to(channel),
            &mut text,
        )
        .expect("a credential is shorter than the cipher's limit");
    Sealed(STANDARD_NO_PAD.encode([nonce.as_slice(), &text].concat()))
}

/// Opens a channel's credential.
///
/// # Errors
/// When the seal was made with another key or for another channel, or the text is damaged.
pub fn open(
    key: &MasterKey,
    channel: ChannelId,
    sealed: &Sealed,
) -> Result<SecretString, Unreadable> {
    let bytes = STANDARD_NO_PAD.decode(&sealed.0).map_err(|_| Unreadable)?;
    let (nonce, rest) = bytes.split_at_checked(NONCE_LEN).ok_or(Unreadable)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Unreadable)?;
    let mut text = rest.to_vec();
    let plain = sealing_key(key)
        .open_in_place(nonce, bound_to(channel), &mut text)
        .map_err(|_| Unreadable)?;
    let plain = std::str::from_utf8(plain).map_err(|_| Unreadable)?;
    Ok(SecretString::from(plain))
}

fn bound_to(channel: ChannelId) -> Aad<String> {
    Aad::from(format!("channel:{channel}"))
}

/// The key for credentials: derived from the master key, so that no other use shares it.
fn sealing_key(key: &MasterKey) -> LessSafeKey {
    let bytes = key.derive(b"tollhouse channel credentials");
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
    fn a_seal_opens_only_for_its_key_and_channel() {
        let key = MasterKey::new("k".repeat(64));
        let channel = ChannelId::from_bits(1);
        let sealed = seal(&key, channel, &SecretString::from("sk-provider"));
        let open =
            |key: &MasterKey, id| open(key, id, &sealed).map(|s| s.expose_secret().to_owned());
        assert_eq!(open(&key, channel), Ok("sk-provider".to_owned()));
        assert_eq!(open(&key, ChannelId::from_bits(2)), Err(Unreadable));
        assert_eq!(
            open(&MasterKey::new("l".repeat(64)), channel),
            Err(Unreadable)
        );
        assert!(!format!("{sealed:?}").contains(&sealed.0));
    }
}
