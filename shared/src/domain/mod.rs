//! What things are: values and the arithmetic over them; no I/O, no clock, no environment.

pub mod id;
pub mod internet;
pub mod money;
pub mod pattern;

pub mod dialect;
pub mod provider;
pub mod usage;

pub mod price;
pub mod price_book;

pub mod budget;
pub mod channel;
pub mod cost;
pub mod credit;
pub mod group;
pub mod hold;
pub mod key;
pub mod key_text;
pub mod limit;
pub mod record;
pub mod redemption_code;
pub mod rollup;
pub mod sealed;
pub mod settings;
pub mod user;
