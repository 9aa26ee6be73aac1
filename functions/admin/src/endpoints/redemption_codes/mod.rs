//! Redemption codes, as administrators make, export and take them back.

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod list;
pub(crate) mod show;
pub(crate) mod update;

mod body;
mod csv;
mod json;
