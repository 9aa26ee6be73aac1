//! Stories of the admin API: who may do what, and what it answers.

mod channels;
mod credits;
mod events;
mod keys;
mod openapi;
mod prices;
mod redemptions;
mod session;
mod settings;
mod usage;
mod users;
