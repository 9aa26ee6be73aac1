//! The text of a key: `sk-th-`, 256 random bits, and a checksum that tells a mistyped key from an
//! unknown one without asking the table.

use ring::digest::{SHA256, digest};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use super::id::KeyId;

/// What every key's text begins with.
const PREFIX: &str = "sk-th-";
/// How many letters and digits carry the secret: 43 × log₂ 62 is 256 bits.
pub const SECRET_CHARS: usize = 43;
const CHECKSUM_CHARS: usize = 6;
/// How many characters are kept to tell keys apart.
const SHOWN_CHARS: usize = 10;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The text of a key, well formed.
#[derive(Debug, Clone)]
pub struct KeyText(SecretString);

/// A text that cannot be a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a key: the prefix, the length or the checksum is wrong")]
pub struct MalformedKey;

impl KeyText {
    /// The key of a secret of [`SECRET_CHARS`] random letters and digits.
    #[must_use]
    pub fn of_secret(secret: &str) -> Self {
        Self(SecretString::from(format!(
            "{PREFIX}{secret}{}",
            checksum(secret)
        )))
    }

    /// Reads a key's text.
    ///
    /// # Errors
    /// When it is malformed.
    pub fn read(text: &str) -> Result<Self, MalformedKey> {
        let rest = text.strip_prefix(PREFIX).ok_or(MalformedKey)?;
        let fits = rest.len() == SECRET_CHARS + CHECKSUM_CHARS && rest.is_ascii();
        let (secret, sum) = fits
            .then(|| rest.split_at(SECRET_CHARS))
            .ok_or(MalformedKey)?;
        if bool::from(checksum(secret).as_bytes().ct_eq(sum.as_bytes())) {
            Ok(Self(SecretString::from(text)))
        } else {
            Err(MalformedKey)
        }
    }

    /// The text itself, to be shown once.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The id that the key is found under.
    #[must_use]
    pub fn id(&self) -> KeyId {
        let hash = digest(&SHA256, self.expose().as_bytes());
        let half = hash
            .as_ref()
            .first_chunk::<16>()
            .expect("SHA-256 has 32 bytes");
        KeyId::from_bits(u128::from_be_bytes(*half))
    }

    /// The SHA-256 of the text, in hex.
    #[must_use]
    pub fn hash(&self) -> String {
        let hash = digest(&SHA256, self.expose().as_bytes());
        hash.as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// The first characters, to tell keys apart.
    #[must_use]
    pub fn shown(&self) -> String {
        self.expose()
            .chars()
            .take(SHOWN_CHARS)
            .chain(['…'])
            .collect()
    }

    /// Whether this is the key of that hash; takes the same time whatever differs.
    #[must_use]
    pub fn matches(&self, hash: &str) -> bool {
        self.hash().as_bytes().ct_eq(hash.as_bytes()).into()
    }
}

/// 32 bits of the secret's hash, as six letters and digits.
fn checksum(secret: &str) -> String {
    let hash = digest(&SHA256, format!("tollhouse key {secret}").as_bytes());
    let bits = hash
        .as_ref()
        .first_chunk::<4>()
        .expect("SHA-256 has 32 bytes");
    let mut rest = u32::from_be_bytes(*bits) as usize;
    let mut letters = [b'0'; CHECKSUM_CHARS];
    for letter in letters.iter_mut().rev() {
        *letter = *ALPHABET.get(rest % ALPHABET.len()).unwrap_or(&b'0');
        rest /= ALPHABET.len();
    }
    letters.into_iter().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_its_text_and_no_letter_may_change() {
        let key = KeyText::of_secret(&format!("{}x", "aB3".repeat(14)));
        let text = key.expose();
        assert_eq!(KeyText::read(text).unwrap().id(), key.id());
        assert!(key.matches(&key.hash()));
        for index in 0..text.len() {
            let mut other = text.as_bytes().to_vec();
            other[index] = if other[index] == b'x' { b'y' } else { b'x' };
            assert!(KeyText::read(std::str::from_utf8(&other).unwrap()).is_err());
        }
        for malformed in [
            "",
            "sk-th-",
            "sk-abc",
            text.trim_end_matches(|c| text.ends_with(c)),
            &format!("{text}0"),
        ] {
            assert!(KeyText::read(malformed).is_err());
        }
    }

    #[test]
    fn what_is_shown_gives_no_secret_away() {
        let key = KeyText::of_secret(&"a".repeat(SECRET_CHARS));
        assert_eq!(key.shown(), "sk-th-aaaa…");
        assert!(!format!("{key:?}").contains("aaaa"));
    }
}
