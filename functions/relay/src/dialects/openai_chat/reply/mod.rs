//! Plain answers, in both directions.

pub(super) mod read;
pub(super) mod write;
