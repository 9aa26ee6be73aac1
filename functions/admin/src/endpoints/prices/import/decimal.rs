//! JSON's numbers as whole numbers of small units, exactly: `2.5e-06` is never a float.

/// `text × 10^places`; `None` when the text is no decimal number, is negative, or leaves a rest.
pub(super) fn scaled(text: &str, places: i32) -> Option<i64> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let value: i128 = digits.parse().ok()?;
    let shift = exponent
        .checked_add(places)?
        .checked_sub(i32::try_from(fraction.len()).ok()?)?;
    if value == 0 {
        return Some(0);
    }
    let unit = 10_i128.checked_pow(shift.unsigned_abs())?;
    let value = if shift >= 0 {
        value.checked_mul(unit)?
    } else if value % unit == 0 {
        value / unit
    } else {
        return None;
    };
    i64::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_scaled_by_their_text() {
        for (text, places, expected) in [
            ("2.5e-06", 12, Some(2_500_000)),
            ("2.5E-6", 12, Some(2_500_000)),
            ("0.0000025", 12, Some(2_500_000)),
            ("1e-12", 12, Some(1)),
            ("1e-13", 12, None),
            ("10e-13", 12, Some(1)),
            // What adding floats leaves behind is not what somebody meant.
            ("7.999999999999999e-07", 12, None),
            ("0", 12, Some(0)),
            ("0.0e-99", 12, Some(0)),
            ("0.035", 9, Some(35_000_000)),
            ("1e+0", 9, Some(1_000_000_000)),
            ("1e30", 9, None),
            ("1e999999999999", 9, None),
            ("-1e-6", 12, None),
            ("", 12, None),
            ("e-6", 12, None),
            (".", 12, None),
            ("1.2.3", 12, None),
            ("NaN", 12, None),
            ("+1", 12, None),
        ] {
            assert_eq!(scaled(text, places), expected, "{text}");
        }
    }
}
