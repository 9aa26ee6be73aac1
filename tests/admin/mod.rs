//! Stories of the admin API: who may do what, and what it answers.

mod channels;
mod credits;
mod events;
mod keys;
mod odd_bodies;
mod odd_names;
mod openapi;
mod prices;
mod redemptions;
mod session;
mod settings;
mod usage;
mod usage_at_scale;
mod users;
