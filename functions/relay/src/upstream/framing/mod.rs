//! Where one event ends and the next begins, in a stream of bytes that is cut anywhere.

pub mod sse;
