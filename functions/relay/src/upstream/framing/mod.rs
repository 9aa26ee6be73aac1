//! Where one event ends and the next begins, in a stream of bytes that is cut anywhere.

pub mod event_stream;
pub mod sse;

use bytes::Bytes;

/// The longest event that is waited for, in bytes. Images in parts are the longest there are.
pub const LONGEST_EVENT: usize = 16 * 1024 * 1024;

/// Some whole events, as they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Events {
    bytes: Bytes,
    ends: Vec<usize>,
}

impl Events {
    /// All of their bytes.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = Bytes> + '_ {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts
            .zip(&self.ends)
            .map(|(start, end)| self.bytes.slice(start..*end))
    }
}

/// Why no more events can be found in a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// An event is longer than any should be.
    #[error("an event is longer than {LONGEST_EVENT} bytes")]
    TooLong,
    /// A frame is not what its checksum says.
    #[error("a frame is damaged")]
    Damaged,
}

/// Finds events in pieces of a stream.
#[derive(Debug)]
pub enum Splitter {
    /// Server-sent events.
    Sse(sse::Splitter),
    /// AWS's binary frames.
    EventStream(event_stream::Splitter),
}

impl Default for Splitter {
    fn default() -> Self {
        Self::Sse(sse::Splitter::default())
    }
}

impl Splitter {
    /// Takes the next piece, and gives the events that it completes.
    ///
    /// # Errors
    /// When no more events can be found; those before have been given then.
    pub fn push(&mut self, piece: Bytes) -> Result<Events, Unreadable> {
        match self {
            Self::Sse(splitter) => splitter.push(piece),
            Self::EventStream(splitter) => splitter.push(piece),
        }
    }

    /// What is left at the end of the stream, if that is an event.
    ///
    /// # Errors
    /// When what came last was not readable.
    pub fn finish(&mut self) -> Result<Option<Bytes>, Unreadable> {
        match self {
            Self::Sse(splitter) => Ok(splitter.finish()),
            Self::EventStream(splitter) => splitter.finish().map(|()| None),
        }
    }
}
