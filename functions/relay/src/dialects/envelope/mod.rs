//! How a dialect travels where its vendor is not the host: other addresses, other wrappings.

pub mod azure;
pub mod bedrock;
pub mod betas;
pub mod fireworks;
pub mod vertex;
