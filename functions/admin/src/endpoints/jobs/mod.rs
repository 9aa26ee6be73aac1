//! Jobs: maintenance that an administrator wants at once.

pub(crate) mod run;
