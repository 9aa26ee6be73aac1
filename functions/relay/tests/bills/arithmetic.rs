//! Sums as they stand in the cases, in exact decimals of their own: nothing of the product is used here.

/// Checks a sum: `1_200 x 2.5 + 300 x 10 = 0.006 USD`, rates per million tokens, rounded up to a
/// nano-USD.
pub(super) fn check(work: &str) -> Result<(), String> {
    let (sum, _) = sides(work)?;
    let pico = sum
        .split(" + ")
        .map(|term| {
            let (count, rate) = term.split_once(" x ").ok_or("a term has no ` x `")?;
            let count = decimal(&count.replace('_', ""), 0)?;
            // Millionths of a USD per million tokens are pico-USD per token.
            Ok(count * decimal(rate, 6)?)
        })
        .sum::<Result<i128, String>>()?;
    let nano = pico.div_euclid(1_000) + i128::from(pico.rem_euclid(1_000) > 0);
    let told = decimal(&amount(work), 9)?;
    if nano == told {
        Ok(())
    } else {
        Err(format!("`{work}` makes {nano} nano-USD, and not {told}"))
    }
}

/// The amount at the end of a sum.
pub(super) fn amount(work: &str) -> String {
    let sides = sides(work);
    sides.map(|(_, amount)| amount.to_owned()).unwrap()
}

fn sides(work: &str) -> Result<(&str, &str), String> {
    let sides = work
        .strip_suffix(" USD")
        .and_then(|work| work.split_once(" = "));
    sides.ok_or_else(|| format!("`{work}` is not `… = … USD`"))
}

/// A decimal number, times ten to the `places`.
fn decimal(text: &str, places: usize) -> Result<i128, String> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    if part.len() > places {
        return Err(format!("`{text}` has more than {places} places"));
    }
    let digits = format!("{whole}{part:0<places$}");
    digits.parse().map_err(|_| format!("`{text}` is no number"))
}

#[test]
fn sums_are_exact_and_wrong_ones_are_seen() {
    check("1_200 x 2.5 + 800 x 0.25 + 300 x 10 = 0.0062 USD").unwrap();
    check("1 x 0.0375 = 0.000000038 USD").unwrap();
    for wrong in [
        "1_200 x 2.5 = 0.0031 USD",
        "1_200 x 2.5 = 0.003",
        "1_200 * 2.5 = 0.003 USD",
        "1.5 x 2 = 0.000003 USD",
    ] {
        assert!(check(wrong).is_err(), "{wrong}");
    }
}
