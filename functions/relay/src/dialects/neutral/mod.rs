//! The house language: what every dialect can be read into and written from.
//!
//! Conversations are lists of blocks, as Anthropic has them, because no other dialect keeps more of
//! their order; beside them stand a block's cache hint, the state that a provider wants back, and
//! what only one dialect understands.

pub mod block;
pub mod event;
pub mod extras;
pub mod field;
pub mod opaque;
pub mod order;
pub mod reasoning;
pub mod reply;
pub mod request;
pub mod tool;

pub use event::{Event, Opening};
pub use field::{Field, Notes};
pub use opaque::{Opaque, Origin};
pub use reply::{Finish, Reason, Reply};
pub use request::{Block, Kind, Request, Role, Turn};
