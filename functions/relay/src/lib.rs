//! The relay: it carries conversations between callers and providers, and books what they cost.
//!
//! A request walks from [`router`] through an endpoint into the pipeline, a chain of values:
//! authenticate → read → route → admit → translate → send → stream → settle. [`dialects`] are pure;
//! only [`upstream`] opens connections; only `shared::store` keeps anything.

pub mod router;

mod endpoints;
mod front;

mod pipeline;

pub mod app;
pub mod config;
pub mod dice;

pub mod dialects;
mod snapshot;
pub mod upstream;
