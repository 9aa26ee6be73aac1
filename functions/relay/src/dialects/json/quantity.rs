//! Quantities that a provider says were used: which of them can be believed.
//!
//! They are money. A number is read exactly, however it is written; one that is negative, none at all,
//! or more than any call can use is not taken for another one.

use serde_json::value::RawValue;

use super::Fields;

/// The most of anything that one call is believed to have used. The largest contexts have some 10⁷
/// tokens; what is above this is a mistake, and would be a ruinous one.
const MOST: u64 = 1_000_000_000;
/// The longest text of a number that is looked at, in bytes.
const LONGEST: usize = 64;

/// A quantity that cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Incredible;

/// A quantity: a number (`12`, `12.0`, `1.2e1`), or one in a text (`"12"`), as some servers write it. A
/// fraction is cut.
///
/// # Errors
/// When it is something else, negative, or more than 10⁹.
pub fn quantity(value: &RawValue) -> Result<u64, Incredible> {
    let json = value.get();
    let inside = json
        .strip_prefix('"')
        .and_then(|json| json.strip_suffix('"'));
    let text = inside.map_or(json, str::trim);
    if text.len() > LONGEST {
        return Err(Incredible);
    }
    whole(text).filter(|most| *most <= MOST).ok_or(Incredible)
}

/// The whole part of a decimal number; `None` when it is none, negative, or too large to be counted.
fn whole(text: &str) -> Option<u64> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if before.is_empty() || !is_digits(before) || !is_digits(after) {
        return None;
    }
    let digits = [before, after].concat();
    let point = i64::try_from(before.len()).ok()? + i64::from(exponent);
    let length = i64::try_from(digits.len()).ok()?;
    let kept = usize::try_from(point.clamp(0, length)).ok()?;
    let number = digits.get(..kept)?.bytes().try_fold(0_u64, |sum, digit| {
        sum.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
    })?;
    if number == 0 {
        return Some(0);
    }
    let zeros = u32::try_from(point.saturating_sub(length).max(0)).ok()?;
    number.checked_mul(10_u64.checked_pow(zeros)?)
}

impl Fields<'_> {
    /// Takes a quantity out of what a provider says it used; `None` when it is missing or null.
    ///
    /// # Errors
    /// When it cannot be: then nothing beside it is to be believed either.
    pub fn used(&mut self, name: &str) -> Result<Option<u64>, Incredible> {
        self.take(name).map(quantity).transpose()
    }

    /// The same for a part of something that is told in whole: what cannot be is no part.
    pub fn part(&mut self, name: &str) -> Option<u64> {
        quantity(self.take(name)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<u64, Incredible> {
        quantity(&RawValue::from_string(json.to_owned()).unwrap())
    }

    #[test]
    fn numbers_are_exact_however_they_are_written() {
        for (json, number) in [
            ("0", 0),
            ("12", 12),
            ("12.0", 12),
            ("12.9", 12),
            ("1.2e1", 12),
            ("1.5E6", 1_500_000),
            ("1500000e-5", 15),
            ("0e400", 0),
            ("1e-400", 0),
            (r#""12""#, 12),
            (r#"" 12 ""#, 12),
            ("1000000000", 1_000_000_000),
            ("1e9", 1_000_000_000),
        ] {
            assert_eq!(read(json), Ok(number), "{json}");
        }
    }

    #[test]
    fn what_cannot_be_is_no_quantity() {
        for json in [
            "1000000001",
            "18446744073709551615",
            "18446744073709551616",
            "1e10",
            "1e400",
            "1e99999999999",
            "-1",
            "-0.5",
            "true",
            "[12]",
            r#"{"n":12}"#,
            r#""""#,
            r#""twelve""#,
            r#""1_2""#,
            r#""+12""#,
            r#"".5""#,
        ] {
            assert_eq!(read(json), Err(Incredible), "{json}");
        }
        let long = format!("1.{}", "0".repeat(100_000));
        assert_eq!(read(&long), Err(Incredible));
    }

    #[test]
    fn what_is_missing_is_not_what_cannot_be() {
        let mut fields = Fields::parse(r#"{"a":null,"b":-1,"c":3,"d":-1}"#).unwrap();
        assert_eq!(fields.used("a"), Ok(None));
        assert_eq!(fields.used("x"), Ok(None));
        assert_eq!(fields.used("b"), Err(Incredible));
        assert_eq!(fields.used("c"), Ok(Some(3)));
        assert_eq!(fields.part("d"), None);
    }
}
