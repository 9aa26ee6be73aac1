//! Streamed answers.

pub(super) mod read;
