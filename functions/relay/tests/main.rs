//! The dialects' proofs, in one binary: what goes in, what comes out, and what never may.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on says where"
)]
#![expect(clippy::indexing_slicing, reason = "JSON that is not there is null")]

mod bills;
mod delivered;
mod fidelity;
mod fuzz;
mod golden;
mod recorded;
mod stage;
mod state;
