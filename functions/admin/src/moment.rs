//! A time in a query string, or a whole day.

use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use shared::domain::rollup::{begin_of, end_of};

/// A time, or a whole day in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    At(Timestamp),
    Day(Date),
}

impl Moment {
    /// When it begins.
    pub(crate) fn begin(self) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Day(day) => at_ms(begin_of(day)),
        }
    }

    /// When it is over: the next midnight, where it is a day.
    pub(crate) fn end(self) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Day(day) => at_ms(end_of(day)),
        }
    }
}

/// Days reach as far as times do, but for the midnight after the last one.
fn at_ms(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX)
}

impl FromStr for Moment {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let at = text.parse().map(Self::At);
        at.or_else(|_| text.parse().map(Self::Day))
            .map_err(|_| "a time (RFC 3339) or a day such as 2026-11-30 is expected")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_and_ends_at_midnight_and_a_time_does_both_at_once() {
        let day: Moment = "2026-11-30".parse().unwrap();
        assert_eq!(day.begin().to_string(), "2026-11-30T00:00:00Z");
        assert_eq!(day.end().to_string(), "2026-12-01T00:00:00Z");
        let time: Moment = "2026-11-30T01:00:00+01:00".parse().unwrap();
        assert_eq!((time.begin(), time.end()), (day.begin(), day.begin()));
        for wrong in [
            "",
            "yesterday",
            "2026-13-01",
            "2026-11-30T25:00:00Z",
            "1764460800",
        ] {
            assert!(wrong.parse::<Moment>().is_err(), "{wrong}");
        }
        let last: Moment = "9999-12-31".parse().unwrap();
        assert!(last.end() > last.begin());
    }
}
