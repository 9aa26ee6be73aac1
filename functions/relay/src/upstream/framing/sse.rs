//! Events of an event stream: an event is complete at a blank line, never at a piece's end.
//!
//! Lines end with LF, CRLF or CR. Pieces that hold whole events are passed on without copying.
//! <https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation>

use bytes::{Bytes, BytesMut};

use super::{Events, LONGEST_EVENT, Unreadable};

/// Finds events in pieces of a stream.
#[derive(Debug, Default)]
pub struct Splitter {
    rest: BytesMut,
    /// Where in `rest` the line begins that is not complete yet.
    line: usize,
    begun: bool,
}

impl Splitter {
    /// Takes the next piece, and gives the events that it completes.
    ///
    /// # Errors
    /// When an event does not end.
    pub fn push(&mut self, piece: Bytes) -> Result<Events, Unreadable> {
        const MARK: &[u8] = b"\xef\xbb\xbf";
        let piece = if self.rest.is_empty() {
            piece
        } else {
            self.rest.extend_from_slice(&piece);
            self.rest.split().freeze()
        };
        // A byte order mark would hide the first event from clients that do not expect one.
        if !self.begun && MARK.starts_with(piece.get(..3.min(piece.len())).unwrap_or_default()) {
            if piece.len() < MARK.len() {
                self.rest.extend_from_slice(&piece);
                return Ok(Events::default());
            }
            self.begun = true;
            return self.split(&piece.slice(MARK.len()..));
        }
        self.begun = true;
        self.split(&piece)
    }

    fn split(&mut self, piece: &Bytes) -> Result<Events, Unreadable> {
        let mut line = std::mem::take(&mut self.line);
        let mut ends = Vec::new();
        while let Some((end, next)) = line_end(piece, line) {
            if end == line {
                ends.push(next);
            }
            line = next;
        }
        let complete = ends.last().copied().unwrap_or(0);
        let rest = piece.slice(complete..);
        if rest.len() > LONGEST_EVENT {
            return Err(Unreadable::TooLong);
        }
        self.rest.extend_from_slice(&rest);
        self.line = line - complete;
        Ok(Events {
            bytes: piece.slice(..complete),
            ends,
        })
    }

    /// What is left at the end of the stream: a last event that lacks its blank line, if it has
    /// more than blanks.
    pub fn finish(&mut self) -> Option<Bytes> {
        let rest = self.rest.split().freeze();
        self.line = 0;
        rest.iter()
            .any(|byte| !byte.is_ascii_whitespace())
            .then_some(rest)
    }
}

/// Where the line that begins at `from` ends, and where the next begins; `None` when that is not
/// known yet. After a CR at the very end, an LF may still come.
fn line_end(piece: &[u8], from: usize) -> Option<(usize, usize)> {
    let end = memchr::memchr2(b'\n', b'\r', piece.get(from..)?)? + from;
    match (piece.get(end), piece.get(end + 1)) {
        (Some(b'\r'), Some(b'\n')) => Some((end, end + 2)),
        (Some(b'\r'), None) => None,
        _ => Some((end, end + 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(stream: &[u8], cut: usize) -> Vec<Vec<u8>> {
        let mut splitter = Splitter::default();
        let mut found = Vec::new();
        for piece in stream.chunks(cut) {
            let events = splitter.push(Bytes::copy_from_slice(piece)).unwrap();
            found.extend(events.iter().map(|event| event.to_vec()));
        }
        found.extend(splitter.finish().map(|event| event.to_vec()));
        found
    }

    #[test]
    fn events_are_the_same_however_the_stream_is_cut() {
        let text =
            "data: é中🎉\n\n: note\n\nevent: a\r\ndata: 1\r\n\r\ndata: 2\rdata: 3\r\rdata: last";
        for stream in [
            text.as_bytes().to_vec(),
            [b"\xef\xbb\xbf", text.as_bytes()].concat(),
        ] {
            let whole = split(&stream, stream.len());
            assert_eq!(whole.len(), 5, "{whole:?}");
            assert_eq!(whole.concat(), text.as_bytes());
            for cut in 1..stream.len() {
                assert_eq!(split(&stream, cut), whole, "cut every {cut} bytes");
            }
        }
    }

    #[test]
    fn an_endless_event_is_refused() {
        let mut splitter = Splitter::default();
        let piece = Bytes::from(vec![b'x'; LONGEST_EVENT]);
        assert!(splitter.push(piece.clone()).is_ok());
        assert_eq!(splitter.push(piece), Err(Unreadable::TooLong));
    }
}
