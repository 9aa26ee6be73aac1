//! What a key may spend in a period, and when the next period begins.

use jiff::{Timestamp, ToSpan, civil, tz::TimeZone};
use serde::{Deserialize, Serialize};

use super::hold::Wallet;
use super::money::NanoUsd;

/// An amount that a key may spend in each period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// The amount.
    pub limit: NanoUsd,
    /// How long it lasts.
    pub period: Period,
    /// The IANA name of the time zone in which days begin.
    pub timezone: String,
}

/// How long a budget lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// From midnight to midnight.
    Day,
    /// From Monday to Monday.
    Week,
    /// From the first to the first.
    Month,
    /// For ever.
    Total,
}

/// A time zone that nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown time zone: an IANA name such as Europe/Paris is expected")]
pub struct UnknownTimeZone;

impl Budget {
    /// When the period that `now` is in ends; `None` for a budget that never resets.
    ///
    /// # Errors
    /// When the time zone is unknown.
    pub fn resets_at(&self, now: Timestamp) -> Result<Option<Timestamp>, UnknownTimeZone> {
        let zone = TimeZone::get(&self.timezone).map_err(|_| UnknownTimeZone)?;
        let today = now.to_zoned(zone.clone()).date();
        let Some(next) = self.period.next_start(today) else {
            return Ok(None);
        };
        Ok(next.to_zoned(zone).ok().map(|start| start.timestamp()))
    }
}

impl Budget {
    /// The wallet of this budget as the next call will find it. A period that is over begins anew at that
    /// call, and another grant takes the place of the one that is there.
    #[must_use]
    pub fn as_of(&self, wallet: Wallet, now: Timestamp) -> Wallet {
        let is_over = |at| at <= now.as_millisecond();
        let over = wallet.resets_at_ms.is_some_and(is_over);
        if !over && wallet.granted == self.limit {
            return wallet;
        }
        let spent = if over { NanoUsd::ZERO } else { wallet.spent };
        let resets_at = self.resets_at(now).ok().flatten();
        Wallet {
            balance: self
                .limit
                .saturating_sub(spent)
                .saturating_sub(wallet.held()),
            spent,
            granted: self.limit,
            resets_at_ms: resets_at.map(Timestamp::as_millisecond),
            ..wallet
        }
    }
}

impl Period {
    fn next_start(self, today: civil::Date) -> Option<civil::Date> {
        match self {
            Self::Day => today.tomorrow().ok(),
            Self::Week => {
                let to_monday = 7 - i64::from(today.weekday().to_monday_zero_offset());
                today.checked_add(to_monday.days()).ok()
            }
            Self::Month => today.first_of_month().checked_add(1.month()).ok(),
            Self::Total => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resets_at(period: Period, timezone: &str, now: &str) -> String {
        let budget = Budget {
            limit: NanoUsd::ZERO,
            period,
            timezone: timezone.into(),
        };
        let at = budget.resets_at(now.parse().unwrap()).unwrap();
        at.map_or("never".into(), |at| at.to_string())
    }

    #[test]
    fn a_wallet_is_seen_as_the_next_call_will_find_it() {
        let budget = Budget {
            limit: NanoUsd::new(10),
            period: Period::Day,
            timezone: "UTC".into(),
        };
        let at = |wallet: &Wallet, ms| {
            budget.as_of(wallet.clone(), Timestamp::from_millisecond(ms).unwrap())
        };
        let spent = Wallet {
            balance: NanoUsd::new(3),
            spent: NanoUsd::new(7),
            granted: NanoUsd::new(10),
            resets_at_ms: Some(86_400_000),
            ..Wallet::default()
        };
        assert_eq!(at(&spent, 86_399_999), spent);
        let anew = at(&spent, 86_400_000);
        assert_eq!(
            (anew.balance, anew.spent),
            (NanoUsd::new(10), NanoUsd::ZERO)
        );
        assert_eq!(anew.resets_at_ms, Some(2 * 86_400_000));
        let granted_less = Wallet {
            balance: NanoUsd::new(1),
            granted: NanoUsd::new(8),
            ..spent
        };
        assert_eq!(at(&granted_less, 1).balance, NanoUsd::new(3));
        assert_eq!(at(&Wallet::default(), 1).balance, NanoUsd::new(10));
    }

    #[test]
    fn periods_end_at_local_midnight() {
        for (period, zone, now, expected) in [
            (
                Period::Day,
                "UTC",
                "2026-11-22T20:00:00Z",
                "2026-11-23T00:00:00Z",
            ),
            (
                Period::Day,
                "Asia/Shanghai",
                "2026-11-22T20:00:00Z",
                "2026-11-23T16:00:00Z",
            ),
            (
                Period::Week,
                "UTC",
                "2026-11-22T20:00:00Z",
                "2026-11-23T00:00:00Z",
            ),
            (
                Period::Week,
                "UTC",
                "2026-11-23T00:00:00Z",
                "2026-11-30T00:00:00Z",
            ),
            (
                Period::Month,
                "America/New_York",
                "2026-12-01T04:59:59Z",
                "2026-12-01T05:00:00Z",
            ),
            (Period::Total, "UTC", "2026-11-22T20:00:00Z", "never"),
        ] {
            assert_eq!(
                resets_at(period, zone, now),
                expected,
                "{period:?} in {zone}"
            );
        }
    }
}
