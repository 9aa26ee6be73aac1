//! Sessions: begun with a password, shown, ended.

pub(crate) mod begin;
pub(crate) mod end;
pub(crate) mod show;

mod json;
mod throttle;
