//! Rate limits, as OpenAI tells them in headers.
//! <https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers>

use http::{HeaderMap, HeaderName, HeaderValue};
use shared::domain::limit::{Left, Room};

/// The headers that tell what a minute's limits leave.
pub(in crate::dialects) fn headers(room: &Room) -> HeaderMap {
    let name = HeaderName::from_static;
    let requests = [
        name("x-ratelimit-limit-requests"),
        name("x-ratelimit-remaining-requests"),
        name("x-ratelimit-reset-requests"),
    ];
    let tokens = [
        name("x-ratelimit-limit-tokens"),
        name("x-ratelimit-remaining-tokens"),
        name("x-ratelimit-reset-tokens"),
    ];
    let mut headers = HeaderMap::new();
    for (names, left) in [(requests, room.requests), (tokens, room.tokens)] {
        let Some(Left { limit, left }) = left else {
            continue;
        };
        let reset = HeaderValue::from_str(&format!("{}s", room.resets_in_s));
        let reset = reset.unwrap_or_else(|_| HeaderValue::from_static("60s"));
        let values = [HeaderValue::from(limit), HeaderValue::from(left), reset];
        headers.extend(names.into_iter().zip(values));
    }
    headers
}
