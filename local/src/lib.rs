//! Tollhouse on one machine: relay, admin and maintenance in one process on one port.

pub mod flags;
pub mod start;

pub mod server;

mod demo;
mod schedule;
mod seed;
mod welcome;

pub mod engine;
mod secret_file;
