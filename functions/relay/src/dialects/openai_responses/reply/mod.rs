//! Plain answers: a provider's read into the neutral form, a caller's written from it.

pub(super) mod read;
pub(super) mod write;
