//! The body of a request, bounded.

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use shared::failure::{Failure, Kind};

/// The largest body that is taken: what a Lambda function could be sent. In bytes.
pub(crate) const LARGEST: usize = 6 * 1024 * 1024;
/// How much of a larger one is read and thrown away, so that its sender sees the answer instead of a
/// connection that breaks. In bytes.
const THROWN_AWAY: usize = 64 * 1024 * 1024;

pub(super) async fn read(body: Body, headers: &HeaderMap) -> Result<Bytes, Failure> {
    if let Some(encoding) = headers
        .get(CONTENT_ENCODING)
        .filter(|encoding| *encoding != "identity")
    {
        let encoding = encoding.to_str().unwrap_or("?");
        let text = format!("Bodies with content-encoding {encoding} are not taken: send it plain.");
        return Err(Failure::new(Kind::BadRequest, "unsupported_encoding", text));
    }
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse().ok());
    let mut pieces = body.into_data_stream();
    let mut all = BytesMut::with_capacity(announced.unwrap_or(0).min(LARGEST));
    let mut length = 0_usize;
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| {
            let text = "The request ended before its body did.";
            Failure::new(Kind::BadRequest, "incomplete_body", text).because(error)
        })?;
        length += piece.len();
        if length <= LARGEST {
            all.extend_from_slice(&piece);
        } else if length > THROWN_AWAY {
            break;
        } else {
            all.clear();
        }
    }
    if length > LARGEST {
        let text =
            format!("The request is larger than {LARGEST} bytes (6 MiB), the most that is taken.");
        return Err(Failure::new(Kind::TooLarge, "request_too_large", text));
    }
    Ok(all.freeze())
}
