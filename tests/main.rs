//! Tollhouse's stories, in one binary: linking the SDK once is enough.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on says where"
)]
#![expect(clippy::indexing_slicing, reason = "JSON that is not there is null")]

mod admin;
mod architecture;
mod chaos;
mod costs;
mod deploy;
mod ledger;
mod maintenance;
mod relay;
