//! Sums as they stand in the cases, in exact decimals of their own: nothing of the product is used here.

/// Checks a sum: `1_200 x 2.5 + 300 x 10 = 0.006 USD`, rates per million tokens, rounded up to a
/// nano-USD.
///
/// What is paid by the piece or by the call has its amount: `3 x 0.01 USD`. What a group pays of it all is
/// a factor on the sum: `(1_200 x 2.5 + 3 x 0.01 USD) x 0.8 = 0.0264 USD`.
pub(super) fn check(work: &str) -> Result<(), String> {
    let (sum, _) = sides(work)?;
    let (terms, ratio) = match sum.strip_prefix('(') {
        Some(rest) => rest.split_once(") x ").ok_or("the sum has no factor")?,
        None => (sum, "1"),
    };
    let pico = terms.split(" + ").map(term).sum::<Result<i128, String>>()?;
    let exact = pico * decimal(ratio, 6)?;
    // Pico-USD times millionths.
    const NANO: i128 = 1_000 * 1_000_000;
    let nano = exact.div_euclid(NANO) + i128::from(exact.rem_euclid(NANO) > 0);
    let told = decimal(&amount(work), 9)?;
    if nano == told {
        Ok(())
    } else {
        Err(format!("`{work}` makes {nano} nano-USD, and not {told}"))
    }
}

/// What a term comes to, in pico-USD.
fn term(term: &str) -> Result<i128, String> {
    let (count, each) = term.split_once(" x ").ok_or("a term has no ` x `")?;
    let count = decimal(&count.replace('_', ""), 0)?;
    let each = match each.strip_suffix(" USD") {
        Some(amount) => decimal(amount, 9)? * 1_000,
        // Millionths of a USD per million tokens are pico-USD per token.
        None => decimal(each, 6)?,
    };
    Ok(count * each)
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
    for right in [
        "1_200 x 2.5 + 800 x 0.25 + 300 x 10 = 0.0062 USD",
        "1 x 0.0375 = 0.000000038 USD",
        "1_200 x 2.5 + 3 x 0.01 USD = 0.033 USD",
        "(1_200 x 2.5 + 3 x 0.01 USD) x 0.8 = 0.0264 USD",
        "(1 x 0.0001 + 1 x 0.0001) x 0.5 = 0.000000001 USD",
        "(10 x 0.0001 + 1 x 0.000000001 USD) x 1 = 0.000000002 USD",
        "(7 x 3) x 0 = 0 USD",
    ] {
        check(right).unwrap();
    }
    for wrong in [
        "1_200 x 2.5 = 0.0031 USD",
        "1_200 x 2.5 = 0.003",
        "1_200 * 2.5 = 0.003 USD",
        "1.5 x 2 = 0.000003 USD",
        "3 x 0.01 USD = 0.00000003 USD",
        "3 x 0.01 = 0.03 USD",
        "(1_200 x 2.5) x 0.8 = 0.003 USD",
        "(1_200 x 2.5) = 0.003 USD",
        "(1 x 0.0001 + 1 x 0.0001) x 0.5 = 0.000000002 USD",
        "(1_200 x 2.5) x 0.8000001 = 0.0024 USD",
    ] {
        assert!(check(wrong).is_err(), "{wrong}");
    }
}
