//! Maintenance: what must be done once, by schedule or at will. Every job is idempotent, and one
//! run of a job at a time is enough: a lease in the table sees to that.

pub mod app;
pub mod config;
pub mod jobs;
