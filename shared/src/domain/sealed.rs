//! A text that only the holder of the master key can read. How it is sealed is in `shared::seal`.

use serde::{Deserialize, Serialize};

/// A sealed text: a channel's credential, or a redemption code's.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(pub String);

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealed")
    }
}
