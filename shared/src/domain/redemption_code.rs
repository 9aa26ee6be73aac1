//! Redemption codes: money that whoever types a code puts into their wallet, once.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::id::{BatchId, CreditId, InvalidId, RedemptionCodeId, UserId};
use super::money::NanoUsd;
use super::sealed::Sealed;

/// How many characters carry the secret: five bits each, 105 altogether.
const SECRET_CHARS: usize = 21;
/// Twenty bits: of a million mistyped codes one is taken for an unknown one.
const CHECKSUM_CHARS: usize = 4;
/// A text is written in groups of so many characters.
const GROUP_CHARS: usize = 5;
/// Longer texts are no codes, however many spaces are in them.
const LONGEST: usize = 100;
/// Digits and letters without those that look like another (Crockford's base 32).
/// <https://www.crockford.com/base32.html>
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A redemption code. Its text is kept sealed, and found by its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedemptionCode {
    /// The id: half of the hash of the text.
    pub id: RedemptionCodeId,
    /// The SHA-256 of the text, in hex.
    pub hash: String,
    /// The text, for administrators who export it.
    pub sealed: Sealed,
    /// What it is worth.
    pub amount: NanoUsd,
    /// When it stops being worth anything, to the millisecond.
    #[serde(default, with = "jiff::fmt::serde::timestamp::millisecond::optional")]
    pub expires_at: Option<Timestamp>,
    /// A code that is not enabled is refused.
    pub enabled: bool,
    /// What it is for. Whoever redeems it does not see this.
    pub note: String,
    /// Where it stands in the list.
    pub place: Place,
    /// Who made it.
    pub created_by: UserId,
    /// What became of it; none while nobody redeemed it.
    pub redemption: Option<Redemption>,
}

/// Who redeemed a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redemption {
    /// Who.
    pub by: UserId,
    /// When, to the millisecond.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub at: Timestamp,
    /// The credit that was booked with it.
    pub credit_id: CreditId,
}

/// Why a code is not redeemed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotRedeemable {
    /// Somebody redeemed it.
    #[error("the code was redeemed before")]
    Used,
    /// An administrator took it back.
    #[error("the code is disabled")]
    Disabled,
    /// Its time is over.
    #[error("the code has expired")]
    Expired,
}

impl RedemptionCode {
    /// Whether its time is over.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }

    /// Refuses unless it can be redeemed now.
    ///
    /// # Errors
    /// When it was redeemed, is disabled, or has expired.
    pub fn require_redeemable(&self, now: Timestamp) -> Result<(), NotRedeemable> {
        if self.redemption.is_some() {
            return Err(NotRedeemable::Used);
        }
        if !self.enabled {
            return Err(NotRedeemable::Disabled);
        }
        if self.is_expired(now) {
            return Err(NotRedeemable::Expired);
        }
        Ok(())
    }
}

/// Where a code stands in the list: with those that were made with it, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// Which codes were made together.
    pub batch: BatchId,
    /// Which of them it is.
    pub number: u16,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:05}", self.batch, self.number)
    }
}

impl FromStr for Place {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let (batch, number) = text.split_once('.').ok_or(InvalidId)?;
        Ok(Self {
            batch: batch.parse()?,
            number: number.parse().map_err(|_| InvalidId)?,
        })
    }
}

/// The text of a code, well formed: `7ZD2K-M1Q0T-…`, five groups of five.
#[derive(Debug, Clone)]
pub struct CodeText(SecretString);

/// A text that cannot be a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a redemption code: the length or the checksum is wrong")]
pub struct MalformedCode;

impl CodeText {
    /// The code of a secret: the lowest 105 of these random bits.
    #[must_use]
    pub fn of_bits(bits: u128) -> Self {
        let secret = letters(bits, SECRET_CHARS);
        Self::of_secret(&secret)
    }

    /// Reads a code as somebody typed it: in capitals or not, with any hyphens and spaces, and with
    /// letters that look like digits.
    ///
    /// # Errors
    /// When it is malformed.
    pub fn read(text: &str) -> Result<Self, MalformedCode> {
        if text.len() > LONGEST {
            return Err(MalformedCode);
        }
        let mut plain = String::new();
        for letter in text.chars() {
            match letter.to_ascii_uppercase() {
                '-' | ' ' | '\t' | '\r' | '\n' => {}
                'O' => plain.push('0'),
                'I' | 'L' => plain.push('1'),
                letter if letter.is_ascii() && ALPHABET.contains(&(letter as u8)) => {
                    plain.push(letter);
                }
                _ => return Err(MalformedCode),
            }
        }
        let (secret, sum) = plain.split_at_checked(SECRET_CHARS).ok_or(MalformedCode)?;
        if bool::from(checksum(secret).as_bytes().ct_eq(sum.as_bytes())) {
            Ok(Self::of_secret(secret))
        } else {
            Err(MalformedCode)
        }
    }

    fn of_secret(secret: &str) -> Self {
        let mut text = String::new();
        for (at, letter) in secret.chars().chain(checksum(secret).chars()).enumerate() {
            if at > 0 && at % GROUP_CHARS == 0 {
                text.push('-');
            }
            text.push(letter);
        }
        Self(SecretString::from(text))
    }

    /// The text itself.
    #[must_use]
    pub const fn secret(&self) -> &SecretString {
        &self.0
    }

    /// The id that the code is found under.
    #[must_use]
    pub fn id(&self) -> RedemptionCodeId {
        let hash = digest(&SHA256, self.0.expose_secret().as_bytes());
        let half = hash
            .as_ref()
            .first_chunk::<16>()
            .expect("SHA-256 has 32 bytes");
        RedemptionCodeId::from_bits(u128::from_be_bytes(*half))
    }

    /// The SHA-256 of the text, in hex.
    #[must_use]
    pub fn hash(&self) -> String {
        let hash = digest(&SHA256, self.0.expose_secret().as_bytes());
        hash.as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// Whether this is the code of that hash; takes the same time whatever differs.
    #[must_use]
    pub fn matches(&self, hash: &str) -> bool {
        self.hash().as_bytes().ct_eq(hash.as_bytes()).into()
    }
}

/// 20 bits of the secret's hash.
fn checksum(secret: &str) -> String {
    let hash = digest(
        &SHA256,
        format!("tollhouse redemption code {secret}").as_bytes(),
    );
    let bits = hash
        .as_ref()
        .first_chunk::<16>()
        .expect("SHA-256 has 32 bytes");
    letters(u128::from_be_bytes(*bits), CHECKSUM_CHARS)
}

/// The lowest bits as so many characters.
fn letters(mut bits: u128, length: usize) -> String {
    let mut letters = vec![b'0'; length];
    for letter in letters.iter_mut().rev() {
        let index = usize::try_from(bits % 32).unwrap_or(0);
        *letter = *ALPHABET.get(index).unwrap_or(&b'0');
        bits /= 32;
    }
    letters.into_iter().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(code: &CodeText) -> &str {
        code.secret().expose_secret()
    }

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let code = CodeText::of_bits(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
        let written = text(&code);
        assert_eq!(written.len(), 29, "{written}");
        for typed in [
            written.to_owned(),
            written.to_lowercase(),
            written.replace('-', ""),
            written.replace('-', " "),
            format!("  {written}\n"),
            written.replace('0', "o").replace('1', "L"),
            written.replace('0', "O").replace('1', "i"),
        ] {
            let read = CodeText::read(&typed).unwrap();
            assert_eq!((text(&read), read.id()), (written, code.id()), "{typed}");
            assert!(read.matches(&code.hash()));
        }
    }

    #[test]
    fn what_is_no_code_is_refused() {
        let code = CodeText::of_bits(7);
        for typed in [
            String::new(),
            "-".repeat(29),
            format!("{}0", text(&code)),
            text(&code).chars().skip(1).collect(),
            text(&code).replace('0', "U"),
            text(&code).replace('0', "é"),
            "0".repeat(25),
            " ".repeat(10_000),
        ] {
            assert_eq!(
                CodeText::read(&typed).unwrap_err(),
                MalformedCode,
                "{typed}"
            );
        }
        assert!(!format!("{code:?}").contains(text(&code)));
    }

    #[test]
    fn only_105_bits_make_a_code() {
        let id = |bits| CodeText::of_bits(bits).id();
        assert_eq!(id(5), id(5 | 1 << 105));
        assert_ne!(id(5), id(5 | 1 << 104));
    }

    #[test]
    fn a_place_survives_its_text_and_sorts_as_it() {
        let place = |batch, number| Place {
            batch: BatchId::from_bits(batch),
            number,
        };
        let places = [place(1, 0), place(1, 9), place(1, 999), place(2, 0)];
        for pair in places.windows(2) {
            assert!(pair[0] < pair[1] && pair[0].to_string() < pair[1].to_string());
        }
        for place in places {
            assert_eq!(place.to_string().parse(), Ok(place));
        }
        for text in [
            "",
            "x.1",
            "00000000000000000000000001",
            "00000000000000000000000001.x",
        ] {
            assert!(text.parse::<Place>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_code_survives_its_text(bits in any::<u128>()) {
            let code = CodeText::of_bits(bits);
            prop_assert_eq!(CodeText::read(text(&code)).unwrap().id(), code.id());
        }

        #[test]
        fn no_letter_may_change(bits in any::<u128>(), at in 0..29_usize, letter in 0..32_usize) {
            let code = CodeText::of_bits(bits);
            let mut other = text(&code).as_bytes().to_vec();
            prop_assume!(other[at] != b'-' && other[at] != ALPHABET[letter]);
            other[at] = ALPHABET[letter];
            // One in a million others has the same checksum; it is another code then.
            let read = CodeText::read(std::str::from_utf8(&other).unwrap());
            prop_assert!(read.is_err() || read.unwrap().id() != code.id());
        }

        #[test]
        fn no_text_panics(text in ".{0,48}") {
            let _ = CodeText::read(&text);
        }
    }
}
