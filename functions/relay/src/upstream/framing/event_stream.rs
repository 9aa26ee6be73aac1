//! AWS's event stream: binary frames, each with its length in front and checksums of all of it.
//!
//! <https://docs.aws.amazon.com/transcribe/latest/dg/streaming-setting-up.html#streaming-event-stream>

use aws_smithy_eventstream::frame::read_message_from;
use bytes::{Buf, Bytes, BytesMut};

use super::{Events, LONGEST_EVENT, Unreadable};

/// The lengths of a frame and of its headers, and the checksum of both.
const PRELUDE: usize = 12;
/// A frame without headers and payload: the prelude, and the checksum of the whole.
const SHORTEST: usize = PRELUDE + 4;

/// Finds frames in pieces of a stream.
#[derive(Debug, Default)]
pub struct Splitter {
    rest: BytesMut,
    /// Why nothing after the frames that were given can be read.
    lost: Option<Unreadable>,
}

impl Splitter {
    /// Takes the next piece, and gives the frames that it completes. Whatever is not readable is told
    /// by the next call, so that the frames before it are the same however the stream is cut.
    ///
    /// # Errors
    /// When what came before was not readable.
    pub fn push(&mut self, piece: Bytes) -> Result<Events, Unreadable> {
        self.finish()?;
        let piece = if self.rest.is_empty() {
            piece
        } else {
            self.rest.extend_from_slice(&piece);
            self.rest.split().freeze()
        };
        let mut ends = Vec::new();
        let mut from = 0;
        loop {
            let rest = piece.get(from..).unwrap_or_default();
            match frame(rest) {
                Ok(Some(length)) => {
                    from += length;
                    ends.push(from);
                }
                Ok(None) => {
                    self.rest.extend_from_slice(rest);
                    break;
                }
                Err(why) => {
                    self.lost = Some(why);
                    break;
                }
            }
        }
        Ok(Events {
            bytes: piece.slice(..from),
            ends,
        })
    }

    /// The stream has ended. A frame that is not whole is nothing: the answer was cut there.
    ///
    /// # Errors
    /// When what came last was not readable.
    pub fn finish(&mut self) -> Result<(), Unreadable> {
        self.lost.map_or(Ok(()), Err)
    }
}

/// How long the first frame is; `None` when it is not whole yet.
fn frame(mut bytes: &[u8]) -> Result<Option<usize>, Unreadable> {
    let Some(prelude) = bytes.get(..PRELUDE) else {
        return Ok(None);
    };
    let (mut lengths, mut checksum) = prelude.split_at(PRELUDE - 4);
    if crc32(lengths) != checksum.get_u32() {
        return Err(Unreadable::Damaged);
    }
    let length = usize::try_from(lengths.get_u32()).unwrap_or(usize::MAX);
    if length > LONGEST_EVENT {
        return Err(Unreadable::TooLong);
    }
    if length < SHORTEST {
        return Err(Unreadable::Damaged);
    }
    let Some(whole) = bytes.get(..length) else {
        return Ok(None);
    };
    bytes = whole;
    read_message_from(&mut bytes).map_err(|_| Unreadable::Damaged)?;
    Ok(Some(length))
}

/// The checksum of a few bytes (CRC-32, as in gzip). Lengths are checked before anything is waited for.
fn crc32(bytes: &[u8]) -> u32 {
    let bit = |crc: u32, _| (crc >> 1) ^ (0xEDB8_8320 & 0u32.wrapping_sub(crc & 1));
    let byte = |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), bit);
    !bytes.iter().fold(!0, byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `{'foo':'bar'}` without headers, as the AWS CRT's tests have it.
    const FOO: &[u8] =
        b"\x00\x00\x00\x1d\x00\x00\x00\x00\xfd\x52\x8c\x5a{'foo':'bar'}\xc3\x65\x39\x36";

    fn split(stream: &[u8], cut: usize) -> (Vec<Vec<u8>>, Result<(), Unreadable>) {
        let mut splitter = Splitter::default();
        let mut found = Vec::new();
        for piece in stream.chunks(cut) {
            match splitter.push(Bytes::copy_from_slice(piece)) {
                Ok(events) => found.extend(events.iter().map(|event| event.to_vec())),
                Err(why) => return (found, Err(why)),
            }
        }
        (found, splitter.finish())
    }

    #[test]
    fn frames_are_the_same_however_the_stream_is_cut() {
        let stream = [FOO, FOO, FOO].concat();
        for cut in 1..=stream.len() {
            let (frames, end) = split(&stream, cut);
            assert_eq!(frames, [FOO, FOO, FOO], "cut every {cut} bytes");
            assert_eq!(end, Ok(()));
        }
    }

    #[test]
    fn a_damaged_frame_ends_the_stream_after_those_before_it() {
        for (at, name) in [
            (5, "headers' length"),
            (9, "prelude"),
            (15, "payload"),
            (28, "sum"),
        ] {
            let mut damaged = FOO.to_vec();
            damaged[at] ^= 1;
            let stream = [FOO, &damaged, FOO].concat();
            for cut in 1..=stream.len() {
                let (frames, end) = split(&stream, cut);
                assert_eq!(
                    (frames.len(), end),
                    (1, Err(Unreadable::Damaged)),
                    "{name} {cut}"
                );
            }
        }
    }

    #[test]
    fn half_a_frame_at_the_end_is_nothing() {
        let stream = [FOO, &FOO[..20]].concat();
        assert_eq!(split(&stream, 7), (vec![FOO.to_vec()], Ok(())));
    }

    #[test]
    fn an_endless_frame_is_refused_at_once() {
        let mut prelude = u32::try_from(LONGEST_EVENT + 1)
            .unwrap()
            .to_be_bytes()
            .to_vec();
        prelude.extend([0; 4]);
        prelude.extend(crc32(&prelude).to_be_bytes());
        assert_eq!(split(&prelude, 12).1, Err(Unreadable::TooLong));
    }
}
