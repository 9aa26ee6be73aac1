//! Redemptions: a code becomes money in one's own wallet.

pub(crate) mod create;

mod json;
mod throttle;
