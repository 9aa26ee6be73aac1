//! Requests: from the neutral form onto the wire.

pub(super) mod count;
pub(super) mod write;
