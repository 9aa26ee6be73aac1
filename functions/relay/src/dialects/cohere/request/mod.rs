//! Requests.

mod history;
mod names;
pub(super) mod write;
