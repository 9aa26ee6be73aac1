//! What Tollhouse's functions have in common: what things are, what is kept, and how we say no.
//!
//! Two floors. [`domain`] is pure: values and arithmetic, no I/O. [`store`] keeps them in one
//! DynamoDB table. The single-purpose files beside them are the only doors to the world outside:
//! [`env`] reads the environment, [`clock`] the time, [`random`] randomness, [`aws`] makes the SDK's
//! configuration, [`secrets`] reads the one secret.

pub mod domain;
pub mod failure;

pub mod clock;
pub mod env;
pub mod front;
pub mod random;
pub mod trace;

pub mod aws;
pub mod seal;
pub mod secrets;
pub mod store;
pub mod token;
