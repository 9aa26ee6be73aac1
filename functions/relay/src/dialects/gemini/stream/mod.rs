//! Streamed answers: read from providers, written to callers.

mod arguments;
mod read;
mod write;

pub(super) use read::Reader;
pub(super) use write::Writer;
