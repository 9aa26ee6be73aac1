//! The express lane: requests spliced, answers watched, their bytes as they came.

pub(super) mod limit;
pub(super) mod reply;
pub(super) mod request;
pub(super) mod stream;
