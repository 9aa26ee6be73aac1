//! A plain answer: read from providers, written to callers.

pub(super) mod read;
pub(super) mod write;
