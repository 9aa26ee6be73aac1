//! Who signs in and pays.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::id::UserId;

/// A user, without the wallet.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The id.
    pub id: UserId,
    /// The name to sign in with; unique, in lower case.
    pub username: String,
    /// The name that people read.
    pub display_name: String,
    /// What the user may do.
    pub role: Role,
    /// The group whose channels, ratio and limits apply.
    pub group: String,
    /// A user that is not enabled neither signs in nor calls.
    pub enabled: bool,
    /// Whether calls need no balance.
    pub unlimited: bool,
    /// The argon2id hash of the password, in PHC format; none when nobody may sign in as this user.
    pub password_hash: Option<String>,
    /// Whether the password is a one-time one.
    pub must_change_password: bool,
    /// Sessions begun under another epoch are over.
    pub session_epoch: u32,
    /// How often the user was changed: who changes it says which revision was seen.
    #[serde(default)]
    pub revision: u32,
    /// When the user was made.
    pub created_at: Timestamp,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User")
            .field("id", &self.id)
            .field("username", &self.username)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// What a user may do; each role may do what the ones before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sees and changes what is their own.
    Member,
    /// Keeps the books.
    Admin,
    /// The first administrator; makes other administrators.
    Root,
}
