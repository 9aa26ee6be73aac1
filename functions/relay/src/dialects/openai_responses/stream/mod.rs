//! Streamed answers: a reader of a provider's events, a writer of a caller's.

pub(super) mod read;
pub(super) mod write;
