//! Prices: what models cost.

pub(crate) mod delete;
pub(crate) mod import;
pub(crate) mod list;
pub(crate) mod put;
pub(crate) mod show;
pub(crate) mod update;
