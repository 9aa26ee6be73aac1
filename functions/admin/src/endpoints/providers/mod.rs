//! Providers: the kinds of upstreams that this version knows.

pub(crate) mod list;

mod json;
