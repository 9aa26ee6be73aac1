//! Usage: what calls used and cost.

pub(crate) mod list;

mod csv;
mod filter;
mod json;
