//! Channels: configured upstreams.

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod list;
pub(crate) mod show;
pub(crate) mod test;
pub(crate) mod update;

mod base_url;
mod body;
mod credential;
mod json;
mod timeouts;
