//! Settings: what an operator may change while Tollhouse runs.

pub(crate) mod show;
pub(crate) mod update;

mod json;
