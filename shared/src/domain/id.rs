//! The names of things: one type per kind of id, so that a key's id is never taken for a user's.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

/// A text that is not an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id: 26 letters and digits are expected")]
pub struct InvalidId;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Ulid);

        impl $name {
            /// An id made of a time (milliseconds since 1970) and 80 random bits.
            #[must_use]
            pub fn from_parts(at_ms: u64, random: u128) -> Self {
                Self(Ulid::from_parts(at_ms, random))
            }

            /// An id made of 128 bits.
            #[must_use]
            pub const fn from_bits(bits: u128) -> Self {
                Self(Ulid(bits))
            }

            /// The time in the id, in milliseconds since 1970.
            #[must_use]
            pub fn at_ms(self) -> u64 {
                self.0.timestamp_ms()
            }

            /// The time in the id.
            #[must_use]
            pub fn at(self) -> Timestamp {
                let at = i64::try_from(self.at_ms()).ok();
                let at = at.and_then(|ms| Timestamp::from_millisecond(ms).ok());
                at.unwrap_or(Timestamp::UNIX_EPOCH)
            }

            /// All 128 bits of the id.
            #[must_use]
            pub const fn bits(self) -> u128 {
                self.0.0
            }

            /// The random part of the id.
            #[must_use]
            pub fn random(self) -> u128 {
                self.0.random()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Ulid::from_string(text).map(Self).map_err(|_| InvalidId)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }
    };
}

id!(
    /// A user: who signs in and pays.
    UserId
);
id!(
    /// A key: 128 bits of the hash of its text, so that the text alone finds it.
    KeyId
);
id!(
    /// A channel: one configured upstream.
    ChannelId
);
id!(
    /// One call. It tells its own age.
    RequestId
);
id!(
    /// A credit: money put into a wallet, or taken out. It tells when.
    CreditId
);
id!(
    /// A movement of money: the id of a credit, or of the call that a usage record is of.
    MovementId
);
id!(
    /// A redemption code: 128 bits of the hash of its text, so that the text alone finds it.
    RedemptionCodeId
);
id!(
    /// Redemption codes that were made together. It tells when.
    BatchId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_text() {
        let id = RequestId::from_parts(1_700_000_000_000, 42);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.at_ms(), 1_700_000_000_000);
        assert_eq!(id.at().as_millisecond(), 1_700_000_000_000);
        assert_eq!(RequestId::from_bits(id.bits()), id);
        assert_eq!("nonsense".parse::<RequestId>(), Err(InvalidId));
    }
}
