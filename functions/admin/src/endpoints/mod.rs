//! What the admin does: a folder for each noun, a file for each verb. No noun knows another.

pub(crate) mod session;
pub(crate) mod users;

pub(crate) mod keys;

pub(crate) mod channels;
pub(crate) mod groups;
pub(crate) mod providers;

pub(crate) mod models;
pub(crate) mod prices;

pub(crate) mod usage;

pub(crate) mod redemption_codes;
pub(crate) mod redemptions;

pub(crate) mod jobs;
pub(crate) mod settings;
