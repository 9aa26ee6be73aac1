//! What conversion costs.
fn main() {}
