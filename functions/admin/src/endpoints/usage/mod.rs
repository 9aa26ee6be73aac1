//! Usage: what calls used and cost.

pub(crate) mod list;
pub(crate) mod summary;

mod csv;
mod filter;
mod json;
mod sums;
