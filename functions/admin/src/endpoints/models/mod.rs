//! Models: the names that callers can use.

pub(crate) mod list;

mod json;
