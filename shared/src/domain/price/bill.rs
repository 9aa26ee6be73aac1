//! Why a call cost what it cost: lines of quantity × unit, and their sum, rounded once.
#![deny(clippy::float_arithmetic)]

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::component::Component;
use crate::domain::money::{Exact, InvalidAmount, NanoUsd};

/// One line of a bill. `quantity × unit_usd = usd`, exactly.
///
/// It is kept as a text of some 15 bytes: the component's letters, the quantity, and what a million of
/// them cost in USD. `cr1234@0.25` are 1,234 tokens read from a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BillLine {
    /// What was counted.
    pub component: Component,
    /// How many.
    pub quantity: u64,
    /// What one costs, the group's ratio included.
    unit: Exact,
}

/// A text that is no line of a bill.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a line of a bill")]
pub struct InvalidLine;

impl BillLine {
    /// A line of so many at so much each.
    #[must_use]
    pub const fn new(component: Component, quantity: u64, unit: Exact) -> Self {
        Self {
            component,
            quantity,
            unit,
        }
    }

    /// What they cost together, not rounded.
    #[must_use]
    pub fn exact(&self) -> Exact {
        self.unit.times(self.quantity)
    }

    /// What one costs, in USD, the group's ratio included.
    #[must_use]
    pub fn unit_usd(&self) -> String {
        self.unit.to_usd()
    }

    /// What they cost together, in USD, not rounded.
    #[must_use]
    pub fn usd(&self) -> String {
        self.exact().to_usd()
    }
}

impl fmt::Display for BillLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (code, million) = (self.component.code(), self.unit.to_usd_per_million());
        write!(f, "{code}{}@{million}", self.quantity)
    }
}

impl From<BillLine> for String {
    fn from(line: BillLine) -> Self {
        line.to_string()
    }
}

impl FromStr for BillLine {
    type Err = InvalidLine;

    fn from_str(text: &str) -> Result<Self, InvalidLine> {
        let (counted, million) = text.split_once('@').ok_or(InvalidLine)?;
        let digits = counted.find(|c: char| c.is_ascii_digit());
        let (code, quantity) = digits
            .and_then(|at| counted.split_at_checked(at))
            .ok_or(InvalidLine)?;
        let unit = Exact::of_usd_per_million(million);
        Ok(Self {
            component: Component::of_code(code).ok_or(InvalidLine)?,
            quantity: quantity.parse().map_err(|_| InvalidLine)?,
            unit: unit.map_err(|InvalidAmount { .. }| InvalidLine)?,
        })
    }
}

impl TryFrom<String> for BillLine {
    type Error = InvalidLine;

    fn try_from(text: String) -> Result<Self, InvalidLine> {
        text.parse()
    }
}

/// What a call costs and why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bill {
    /// The lines, without those of nothing.
    pub lines: Vec<BillLine>,
    /// Their sum, rounded up to a nano-USD.
    pub total: NanoUsd,
}

impl Bill {
    /// The bill of these lines, without those of nothing.
    #[must_use]
    pub fn of(lines: impl IntoIterator<Item = BillLine>) -> Self {
        let lines: Vec<BillLine> = lines.into_iter().filter(|line| line.quantity > 0).collect();
        let sum = lines.iter().map(BillLine::exact).sum::<Exact>();
        Self {
            total: sum.round_up(),
            lines,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::money::{Rate, Ratio};

    #[test]
    fn a_line_is_kept_short_and_read_back_exactly() {
        let ratio: Ratio = "1.25".parse().unwrap();
        let unit = Exact::default().plus_tokens(1, "0.25".parse().unwrap(), ratio);
        let line = BillLine::new(Component::CacheRead, 1_234, unit);
        assert_eq!(line.to_string(), "cr1234@0.3125");
        assert_eq!(line.unit_usd(), "0.0000003125");
        assert_eq!(line.usd(), "0.000385625");
        let search = Exact::default().plus_amount("0.01".parse().unwrap(), Ratio::ONE);
        let search = BillLine::new(Component::WebSearch, 3, search);
        assert_eq!(search.to_string(), "ws3@10000");
        assert_eq!(search.usd(), "0.03");
        for line in [line, search] {
            assert!(line.to_string().len() <= 20);
            let kept = serde_json::to_string(&line).unwrap();
            assert_eq!(serde_json::from_str::<BillLine>(&kept).unwrap(), line);
        }
    }

    #[test]
    fn what_is_no_line_is_refused() {
        for text in [
            "", "@", "i@1", "i1", "q1@1", "i1@", "i1@x", "1@1", "i1@1@1", "i-1@1",
        ] {
            assert_eq!(text.parse::<BillLine>(), Err(InvalidLine), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_line_survives_its_text(
            quantity in any::<u64>(), pico in 0..i64::MAX, ratio in 0..10_000_000_i64,
        ) {
            let ratio: Ratio = NanoUsd::new(ratio * 1_000).to_string().parse().unwrap();
            let unit = Exact::default().plus_tokens(1, Rate::new(pico), ratio);
            let line = BillLine::new(Component::OutputImage, quantity, unit);
            prop_assert_eq!(line.to_string().parse::<BillLine>().unwrap(), line);
        }

        #[test]
        fn no_text_panics(text in ".{0,32}") {
            let _ = text.parse::<BillLine>();
        }
    }
}
