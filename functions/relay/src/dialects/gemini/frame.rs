//! How a streamed answer is told: as events, or as the elements of one JSON array.

use bytes::{BufMut, Bytes, BytesMut};

/// The frame of one answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    events: bool,
    /// Whether the array is open.
    open: bool,
}

impl Frame {
    /// Events where the caller has asked for them (`alt=sse`), else an array.
    pub(super) fn new(events: bool) -> Self {
        Self {
            events,
            open: false,
        }
    }

    /// Whether it is made of events.
    pub(super) fn has_events(self) -> bool {
        self.events
    }

    /// One piece more.
    pub(super) fn put(&mut self, piece: &[u8], out: &mut BytesMut) {
        if self.events {
            out.put_slice(b"data: ");
            let from = out.len();
            out.put_slice(piece);
            // A line break in JSON is white space; in an event it would end the line.
            let written = out.iter_mut().skip(from);
            written
                .filter(|byte| matches!(byte, b'\n' | b'\r'))
                .for_each(|byte| *byte = b' ');
            out.put_slice(b"\r\n\r\n");
            return;
        }
        let first = !std::mem::replace(&mut self.open, true);
        out.put_slice(if first { b"[" } else { b",\r\n" });
        out.put_slice(piece);
    }

    /// The end of the array.
    pub(super) fn close(&mut self, out: &mut BytesMut) {
        if std::mem::take(&mut self.open) {
            out.put_slice(b"]");
        }
    }

    /// An error as the last piece.
    pub(super) fn fail(&mut self, error: &[u8]) -> Bytes {
        let mut out = BytesMut::new();
        self.put(error, &mut out);
        self.close(&mut out);
        out.freeze()
    }
}

/// One event.
pub(super) fn event(piece: &[u8]) -> Bytes {
    Frame::new(true).fail(piece)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_pieces_are_events_or_one_array() {
        for (events, expected) in [
            (true, "data: {}\r\n\r\ndata: 1\r\n\r\ndata: 2\r\n\r\n"),
            (false, "[{},\r\n1,\r\n2]"),
        ] {
            let (mut frame, mut out) = (Frame::new(events), BytesMut::new());
            frame.put(b"{}", &mut out);
            frame.put(b"1", &mut out);
            out.put_slice(&frame.fail(b"2"));
            frame.close(&mut out);
            assert_eq!(out, expected);
        }
        assert_eq!(Frame::new(false).fail(b"{}"), "[{}]");
        assert_eq!(event(b"{\r\n}"), "data: {  }\r\n\r\n");
    }
}
