//! Users: who signs in and pays.

pub(crate) mod create;
pub(crate) mod credit;
pub(crate) mod credits;
pub(crate) mod delete;
pub(crate) mod history;
pub(crate) mod list;
pub(crate) mod show;
pub(crate) mod update;

mod json;
mod movement;
mod rank;
