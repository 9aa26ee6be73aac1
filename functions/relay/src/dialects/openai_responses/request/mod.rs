//! Requests: a caller's read into the neutral form, a provider's written from it.

pub(super) mod read;
pub(super) mod write;
