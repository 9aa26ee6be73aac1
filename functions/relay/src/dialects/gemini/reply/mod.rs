//! Plain answers: read from providers, written to callers.

mod read;
mod write;

pub(super) use read::read;
pub(super) use write::{Heading, Said, part, write};
