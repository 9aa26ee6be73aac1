//! Streamed answers: chunks into the neutral form, and the neutral form into chunks.

mod blocks;
mod calls;
mod delta;
pub(super) mod read;
pub(super) mod write;
