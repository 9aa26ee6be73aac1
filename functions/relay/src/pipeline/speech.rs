//! A provider that speaks, with an ear on its silence: pieces, keep-alives, and how it was lost.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::time::{Instant, sleep_until, timeout};

use super::listen::{Listening, Lost};
use super::send::Delivery;
use crate::dialects::Wanted;

/// In which form an answer is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// All at once.
    Plain,
    /// As events.
    Events,
    /// As a JSON array whose elements come one by one.
    Array,
}

impl Form {
    pub(super) fn of(wanted: &Wanted) -> Self {
        match (wanted.stream, wanted.events) {
            (false, _) => Self::Plain,
            (true, true) => Self::Events,
            (true, false) => Self::Array,
        }
    }
}

/// How long a provider's connection may stay open after its last event.
const LINGER: Duration = Duration::from_millis(20);

/// In place of "never", for timers: longer than any call.
pub(super) const NEVER: Duration = Duration::from_secs(86_400);

/// An answer on its way to the caller.
pub(super) struct Speech {
    pub(super) delivery: Delivery,
    pub(super) head: Option<Bytes>,
    pub(super) rest: Box<Listening>,
    /// What waits for the books: the last event, and what came with it.
    pub(super) farewell: BytesMut,
    pub(super) ttfb_ms: Option<u64>,
    pub(super) heard_at: Instant,
    pub(super) said_at: Instant,
}

/// What listening brought.
pub(super) enum Heard {
    Piece(Bytes),
    /// Nothing, for as long as a keep-alive lets it be.
    Silence,
    End,
    Lost(Gone),
}

/// How a speaker was lost.
#[derive(Debug, thiserror::Error)]
pub(super) enum Gone {
    #[error(transparent)]
    Lost(Lost),
    #[error("the provider sent nothing for too long")]
    Silent,
}

impl Speech {
    /// What comes next. Whoever stops waiting loses nothing.
    pub(super) async fn listen(&mut self, keepalive: Duration) -> Heard {
        if !self.farewell.is_empty() {
            // The connection can be used again when its end has been read; it is not waited for long.
            return match timeout(LINGER, self.rest.next()).await {
                Ok(Ok(Some(piece))) => Heard::Piece(piece),
                Ok(Ok(None) | Err(_)) | Err(_) => Heard::End,
            };
        }
        let idle = self.delivery.stop.as_ref().map_or(NEVER, |stop| stop.idle);
        let (too_silent, fill) = (self.heard_at + idle, self.said_at + keepalive);
        tokio::select! {
            biased;
            heard = self.rest.next() => {
                self.heard_at = Instant::now();
                self.said_at = self.heard_at;
                match heard {
                    Ok(Some(piece)) => Heard::Piece(piece),
                    Ok(None) => Heard::End,
                    Err(lost) => Heard::Lost(Gone::Lost(lost)),
                }
            }
            () = sleep_until(too_silent) => Heard::Lost(Gone::Silent),
            () = sleep_until(fill) => Heard::Silence,
        }
    }
}
