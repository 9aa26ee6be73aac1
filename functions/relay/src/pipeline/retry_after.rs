//! When a provider lets us come again, in whichever of many ways it says so.

use http::HeaderMap;
use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};

/// A longer wait than that is no hint any more, in seconds.
const LONGEST_S: u64 = 86_400;

/// The seconds to wait, rounded up; `None` when the headers do not say.
pub(super) fn seconds(headers: &HeaderMap, now: Timestamp) -> Option<u64> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let wait = text("retry-after-ms")
        .and_then(milliseconds)
        .or_else(|| text("retry-after").and_then(|value| duration_or_date(value, now)))
        .or_else(|| reset(headers, now))?;
    let whole = u64::try_from(wait.as_secs()).unwrap_or(0);
    let seconds = whole + u64::from(wait.subsec_nanos() > 0);
    Some(seconds.min(LONGEST_S))
}

fn milliseconds(text: &str) -> Option<SignedDuration> {
    let ms: f64 = text.parse().ok()?;
    SignedDuration::try_from_secs_f64(ms / 1_000.0).ok()
}

/// Seconds, or a date of HTTP. <https://www.rfc-editor.org/rfc/rfc9110#field.retry-after>
fn duration_or_date(text: &str, now: Timestamp) -> Option<SignedDuration> {
    if let Ok(seconds) = text.parse::<f64>() {
        return SignedDuration::try_from_secs_f64(seconds).ok();
    }
    let date = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(date.duration_since(now))
}

/// The limits that are used up, and when they begin anew: OpenAI says a duration (`6m0s`), Anthropic
/// a time.
fn reset(headers: &HeaderMap, now: Timestamp) -> Option<SignedDuration> {
    let empty = |name: &str| {
        let left = name.replace("-reset", "-remaining");
        headers.get(left).is_some_and(|left| left == "0")
    };
    let resets = headers.iter().filter(|(name, _)| {
        let name = name.as_str();
        name.contains("ratelimit-") && name.contains("-reset") && empty(name)
    });
    let waits = resets.filter_map(|(_, value)| {
        let text = value.to_str().ok()?.trim();
        let time = text.parse::<Timestamp>().ok();
        let until = time.map(|time| time.duration_since(now));
        until.or_else(|| text.parse().ok())
    });
    waits.max()
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn of(headers: &[(&'static str, &'static str)]) -> Option<u64> {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let headers = headers.iter().map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        });
        seconds(&headers.collect(), now)
    }

    #[test]
    fn every_way_of_saying_it_is_understood() {
        assert_eq!(of(&[("retry-after", "7")]), Some(7));
        assert_eq!(of(&[("retry-after", "0.2")]), Some(1));
        assert_eq!(of(&[("retry-after-ms", "1500")]), Some(2));
        let date = "Thu, 01 Jan 2026 00:00:30 GMT";
        assert_eq!(of(&[("retry-after", date)]), Some(30));
        let past = "Wed, 31 Dec 2025 23:59:30 GMT";
        assert_eq!(of(&[("retry-after", past)]), Some(0));
        let requests = [
            ("x-ratelimit-remaining-requests", "0"),
            ("x-ratelimit-reset-requests", "6m0s"),
            ("x-ratelimit-remaining-tokens", "9"),
            ("x-ratelimit-reset-tokens", "9h"),
        ];
        assert_eq!(of(&requests), Some(360));
        let anthropic = [
            ("anthropic-ratelimit-requests-remaining", "0"),
            (
                "anthropic-ratelimit-requests-reset",
                "2026-01-01T00:00:05.5Z",
            ),
        ];
        assert_eq!(of(&anthropic), Some(6));
    }

    #[test]
    fn what_makes_no_sense_is_no_hint() {
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[("retry-after", "soon")]), None);
        assert_eq!(of(&[("retry-after", "NaN")]), None);
        assert_eq!(of(&[("retry-after", "1e30")]), None);
        assert_eq!(of(&[("retry-after", "99999999")]), Some(LONGEST_S));
    }
}
