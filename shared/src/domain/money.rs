//! Amounts of money: integers of nano-USD, decimal strings outside, and the only place that rounds.
#![deny(clippy::float_arithmetic)]

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A decimal text that is not an amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an amount: a decimal number with at most {places} places is expected")]
pub struct InvalidAmount {
    /// How many decimal places the amount may have.
    pub places: u32,
}

/// An amount in nano-USD (10⁻⁹ USD). `i64` holds ± 9.2 thousand million USD.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NanoUsd(i64);

impl NanoUsd {
    /// No money.
    pub const ZERO: Self = Self(0);
    /// More than anybody has: what an overflowing worst case becomes, so that it is refused.
    pub const MAX: Self = Self(i64::MAX);
    const PLACES: u32 = 9;

    /// An amount given in nano-USD.
    #[must_use]
    pub const fn new(nano: i64) -> Self {
        Self(nano)
    }

    /// The amount in nano-USD.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The sum, or `None` when it does not fit.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The sum, held at the largest amount there is.
    #[must_use]
    pub fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, held at the smallest amount there is.
    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl std::iter::Sum for NanoUsd {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Self::saturating_add)
    }
}

impl fmt::Display for NanoUsd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_decimal(f, i128::from(self.0), Self::PLACES)
    }
}

impl fmt::Debug for NanoUsd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${self}")
    }
}

impl FromStr for NanoUsd {
    type Err = InvalidAmount;

    fn from_str(text: &str) -> Result<Self, InvalidAmount> {
        read_decimal(text, Self::PLACES).map(Self)
    }
}

/// What one token costs, in pico-USD (10⁻¹² USD); the same number is micro-USD per million tokens.
///
/// Written as USD per million tokens: `"2.5"` is 2,500,000 pico-USD a token.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rate(i64);

impl Rate {
    const PLACES: u32 = 6;

    /// A rate given in pico-USD per token.
    #[must_use]
    pub const fn new(pico: i64) -> Self {
        Self(pico)
    }

    /// The rate in pico-USD per token.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_decimal(f, i128::from(self.0), Self::PLACES)
    }
}

impl fmt::Debug for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${self} per million")
    }
}

impl FromStr for Rate {
    type Err = InvalidAmount;

    /// USD per million tokens; never negative.
    fn from_str(text: &str) -> Result<Self, InvalidAmount> {
        read_decimal(text, Self::PLACES)
            .and_then(not_negative(Self::PLACES))
            .map(Self)
    }
}

/// A factor on prices, in millionths: what a group pays of the list price.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ratio(i64);

impl Ratio {
    /// The list price itself.
    pub const ONE: Self = Self(1_000_000);
    const PLACES: u32 = 6;
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_decimal(f, i128::from(self.0), Self::PLACES)
    }
}

impl fmt::Debug for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Ratio {
    type Err = InvalidAmount;

    fn from_str(text: &str) -> Result<Self, InvalidAmount> {
        read_decimal(text, Self::PLACES)
            .and_then(not_negative(Self::PLACES))
            .map(Self)
    }
}

/// An exact sum of quantities times rates, not rounded yet: pico-USD times millionths.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exact(i128);

impl Exact {
    /// Adds `quantity` tokens at `rate`, for somebody who pays `ratio` of it.
    #[must_use]
    pub fn plus_tokens(self, quantity: u64, rate: Rate, ratio: Ratio) -> Self {
        let pico = i128::from(quantity).saturating_mul(i128::from(rate.0));
        Self(
            self.0
                .saturating_add(pico.saturating_mul(i128::from(ratio.0))),
        )
    }

    /// Adds a fixed amount, for somebody who pays `ratio` of it.
    #[must_use]
    pub fn plus_amount(self, amount: NanoUsd, ratio: Ratio) -> Self {
        let pico = i128::from(amount.0).saturating_mul(1_000);
        Self(
            self.0
                .saturating_add(pico.saturating_mul(i128::from(ratio.0))),
        )
    }

    /// So many of it.
    #[must_use]
    pub fn times(self, quantity: u64) -> Self {
        Self(self.0.saturating_mul(i128::from(quantity)))
    }

    /// Rounds up to nano-USD: the one rounding of a call.
    #[must_use]
    pub fn round_up(self) -> NanoUsd {
        const UNIT: i128 = 1_000 * 1_000_000;
        let whole = self.0.div_euclid(UNIT) + i128::from(self.0.rem_euclid(UNIT) != 0);
        NanoUsd(i64::try_from(whole).unwrap_or(i64::MAX))
    }

    /// The exact amount as a decimal text of USD, for a bill's lines.
    #[must_use]
    pub fn to_usd(self) -> String {
        Decimal(self.0, Self::PLACES).to_string()
    }

    /// The exact amount of a million of it as a decimal text of USD.
    #[must_use]
    pub fn to_usd_per_million(self) -> String {
        Decimal(self.0, Self::PLACES - 6).to_string()
    }

    /// The amount of which a million cost so many USD.
    ///
    /// # Errors
    /// When the text is no decimal, or has more places than an exact amount.
    pub fn of_usd_per_million(text: &str) -> Result<Self, InvalidAmount> {
        read_decimal(text, Self::PLACES - 6).map(Self)
    }

    const PLACES: u32 = 18;
}

impl std::iter::Sum for Exact {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::default(), |sum, Self(amount)| {
            Self(sum.0.saturating_add(amount))
        })
    }
}

/// A value with so many decimal places.
struct Decimal(i128, u32);

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_decimal(f, self.0, self.1)
    }
}

/// Writes `value / 10^places` without trailing zeros.
fn write_decimal(f: &mut fmt::Formatter<'_>, value: i128, places: u32) -> fmt::Result {
    let unit = 10_u128.pow(places);
    let (whole, fraction) = (value.unsigned_abs() / unit, value.unsigned_abs() % unit);
    let sign = if value < 0 { "-" } else { "" };
    if fraction == 0 {
        return write!(f, "{sign}{whole}");
    }
    let digits = format!("{fraction:0width$}", width = places as usize);
    write!(f, "{sign}{whole}.{}", digits.trim_end_matches('0'))
}

/// Reads a decimal text as `value × 10^places`. No exponent, no rounding: more places are refused.
fn read_decimal<T: FromStr + std::ops::Neg<Output = T>>(
    text: &str,
    places: u32,
) -> Result<T, InvalidAmount> {
    let invalid = || InvalidAmount { places };
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = fraction.trim_end_matches('0');
    let plain = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let width = places as usize;
    if !plain(whole) || !plain(fraction) || fraction.len() > width || digits.len() > 60 {
        return Err(invalid());
    }
    if whole.is_empty() && !digits.starts_with('.') || digits == "." {
        return Err(invalid());
    }
    let joined = format!("{whole}{fraction:0<width$}");
    let value: T = joined.parse().map_err(|_| invalid())?;
    Ok(if negative { -value } else { value })
}

fn not_negative(places: u32) -> impl Fn(i64) -> Result<i64, InvalidAmount> {
    move |value| {
        if value < 0 {
            Err(InvalidAmount { places })
        } else {
            Ok(value)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn decimal_texts_are_read_and_written_exactly() {
        for (text, nano, back) in [
            ("0", 0, "0"),
            ("4.20", 4_200_000_000, "4.2"),
            ("-0.000000001", -1, "-0.000000001"),
            (".5", 500_000_000, "0.5"),
            ("9223372036.854775807", i64::MAX, "9223372036.854775807"),
        ] {
            let amount: NanoUsd = text.parse().unwrap();
            assert_eq!((amount.get(), amount.to_string().as_str()), (nano, back));
        }
    }

    #[test]
    fn what_is_not_a_decimal_is_refused() {
        for text in [
            "",
            ".",
            "-",
            "1e3",
            "0.0000000001",
            "1,5",
            "+1",
            "NaN",
            "9223372036.9",
            " 1",
        ] {
            assert!(text.parse::<NanoUsd>().is_err(), "{text:?} was taken");
        }
        assert!("-1".parse::<Rate>().is_err());
        assert!("-1".parse::<Ratio>().is_err());
    }

    #[test]
    fn a_call_is_rounded_once_and_up() {
        // A tenth of a pico-USD more than 3 nano-USD.
        let three = Exact::default().plus_tokens(3_000, Rate::new(1), Ratio::ONE);
        assert_eq!(three.round_up(), NanoUsd::new(3));
        let more = three.plus_tokens(1, Rate::new(1), "0.1".parse().unwrap());
        assert_eq!(more.round_up(), NanoUsd::new(4));
        assert_eq!(more.to_usd(), "0.0000000030001");
    }

    proptest! {
        #[test]
        fn every_amount_survives_its_text(nano in any::<i64>()) {
            prop_assume!(nano != i64::MIN);
            let amount = NanoUsd::new(nano);
            prop_assert_eq!(amount.to_string().parse::<NanoUsd>().unwrap(), amount);
        }

        #[test]
        fn no_text_panics(text in ".{0,48}") {
            let _ = text.parse::<NanoUsd>();
            let _ = text.parse::<Rate>();
        }
    }
}
