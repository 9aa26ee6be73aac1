//! The express lane: requests as they came, answers watched.

pub(super) mod limit;
pub(super) mod reply;
pub(super) mod request;
pub(super) mod stream;
