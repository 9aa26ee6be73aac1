//! Stories of the relay: calls that go through, and calls that do not.

mod bad_input;
mod bills;
mod chat_completions;
mod concurrency;
mod count_tokens;
mod disconnect;
mod embeddings;
mod events;
mod keepalive;
mod limits;
mod messages;
mod models;
mod provider_trouble;
mod remote_media;
mod replay;
mod slow_settlement;
