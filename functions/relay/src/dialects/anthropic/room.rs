//! Rate limits, as Anthropic tells them in headers.
//! <https://platform.claude.com/docs/en/api/rate-limits#response-headers>

use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use shared::domain::limit::{Left, Room};

/// The headers that tell what a minute's limits leave.
pub(super) fn headers(room: &Room) -> HeaderMap {
    let name = HeaderName::from_static;
    let requests = [
        name("anthropic-ratelimit-requests-limit"),
        name("anthropic-ratelimit-requests-remaining"),
        name("anthropic-ratelimit-requests-reset"),
    ];
    let tokens = [
        name("anthropic-ratelimit-tokens-limit"),
        name("anthropic-ratelimit-tokens-remaining"),
        name("anthropic-ratelimit-tokens-reset"),
    ];
    let reset = Timestamp::from_second(room.minute.ends_at_s()).unwrap_or_default();
    let mut headers = HeaderMap::new();
    for (names, left) in [(requests, room.requests), (tokens, room.tokens)] {
        let (Some(Left { limit, left }), Ok(reset)) =
            (left, HeaderValue::from_str(&reset.to_string()))
        else {
            continue;
        };
        let values = [HeaderValue::from(limit), HeaderValue::from(left), reset];
        headers.extend(names.into_iter().zip(values));
    }
    headers
}
