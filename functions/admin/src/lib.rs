//! The admin function: it keeps the books, and serves the console.
//!
//! [`router`] is the table of contents. A request passes the door (`front`), an extractor of `session`
//! says who is asking, and one file of `endpoints/<noun>/<verb>.rs` does what is asked. `json` holds
//! the shapes that several nouns speak. The admin never speaks to a provider: it asks the relay.

pub mod router;

mod endpoints;

mod console;
mod docs;
mod openapi;

mod front;
mod session;

mod answer;
mod body;
mod change;
mod csv;
mod moment;
mod page;
mod path;
mod query;

mod json;
mod password;
mod standing;
mod throttle;
mod username;

pub mod app;
pub mod config;
pub mod first_start;

pub mod jobs;
pub mod lambda_jobs;

pub mod probe;
pub mod relay_probe;

pub mod price_source;
