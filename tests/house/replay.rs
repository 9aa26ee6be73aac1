//! A provider that says again what was recorded, byte by byte as it came, in whatever pieces.

use bytes::Bytes;
use witness::trace::Trace;

use crate::upstream::{Act, Gate, Piece};

/// In which pieces an answer comes.
#[derive(Debug, Clone)]
pub enum Manner {
    /// In one.
    Whole,
    /// In pieces of so many bytes.
    Every(usize),
    /// In two, of which the second waits for a gate.
    Delayed(usize, Gate),
    /// Only so many bytes, and then the connection breaks.
    Broken(usize),
    /// Only so many bytes, as if that were all.
    Short(usize),
}

/// What a provider does who says it again.
#[must_use]
pub fn act(trace: &Trace, manner: &Manner) -> Act {
    let all = Bytes::copy_from_slice(&trace.body);
    let part =
        |from: usize, to: usize| Piece::Bytes(all.slice(from.min(all.len())..to.min(all.len())));
    let end = all.len();
    let pieces = match manner {
        Manner::Whole => vec![part(0, end)],
        Manner::Every(size) => (0..end)
            .step_by(*size)
            .map(|from| part(from, from + size))
            .collect(),
        Manner::Delayed(at, gate) => {
            vec![part(0, *at), Piece::Gate(gate.clone()), part(*at, end)]
        }
        Manner::Broken(at) => vec![part(0, *at), Piece::Cut],
        Manner::Short(at) => vec![part(0, *at)],
    };
    let mut headers = trace.headers.clone();
    headers.push(("content-type".to_owned(), trace.content_type.clone()));
    Act::Say {
        status: trace.status,
        headers,
        pieces,
    }
}
