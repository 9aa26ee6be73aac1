//! Plain answers.

pub(super) mod read;
