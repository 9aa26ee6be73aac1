//! The body of a request, bounded.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use shared::failure::{Failure, Kind};
use tokio::time::timeout;

/// The largest body that is taken: what a Lambda function could be sent. In bytes.
pub(crate) const LARGEST: usize = 6 * 1024 * 1024;
/// How much of a larger one is read and thrown away, so that its sender sees the answer instead of a
/// connection that breaks. In bytes.
const THROWN_AWAY: usize = 64 * 1024 * 1024;
/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(60);

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
    let all = BytesMut::with_capacity(announced.unwrap_or(0).min(LARGEST));
    timeout(PATIENCE, collect(body, all))
        .await
        .unwrap_or_else(|_| {
            let text = "The request's body took too long to arrive.";
            Err(Failure::new(Kind::BadRequest, "slow_body", text))
        })
}

async fn collect(body: Body, mut all: BytesMut) -> Result<Bytes, Failure> {
    let mut pieces = body.into_data_stream();
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
