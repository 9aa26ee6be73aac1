//! Streamed answers: frame by frame into the neutral form.

pub(super) mod read;
