//! Shapes that several nouns speak: what the outside sees, never a domain type directly.

pub(crate) mod budget;
pub(crate) mod decimal;
pub(crate) mod limits;
pub(crate) mod networks;
pub(crate) mod patterns;
pub(crate) mod price;
pub(crate) mod user;
