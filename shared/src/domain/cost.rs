//! What an operator pays a provider, beside what callers pay: the difference is the margin.
#![deny(clippy::float_arithmetic)]

use serde::{Deserialize, Serialize};

use super::money::{NanoUsd, Ratio};
use super::pattern;
use super::price::Price;
use super::usage::Usage;

/// What a channel's upstream costs its operator.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cost {
    /// What part of the price is paid, where no cost price fits: a discount below 1, a surcharge above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ratio: Option<Ratio>,
    /// What is paid for models, by the upstream's names of them, or patterns.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub prices: Vec<Price>,
}

impl Cost {
    /// What `usage` costs the operator, rounded once as a bill is: by the most precise cost price that
    /// fits the upstream's name of the model, or else by its part of the selling price before the
    /// group's ratio. `None` when neither is known.
    #[must_use]
    pub fn of(&self, upstream_model: &str, selling: &Price, usage: &Usage) -> Option<NanoUsd> {
        let prices = self.prices.iter();
        let own = prices
            .filter(|price| pattern::fits(&price.model, upstream_model))
            .max_by_key(|price| pattern::precision(&price.model));
        let (price, ratio) = match own {
            Some(price) => (price, Ratio::ONE),
            None => (selling, self.ratio?),
        };
        Some(price.bill(usage, ratio).total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::price::Rates;

    fn price(model: &str, input: &str) -> Price {
        Price {
            model: model.to_owned(),
            rates: Rates {
                input: input.parse().ok(),
                output: input.parse().ok(),
                ..Rates::default()
            },
            ..Price::default()
        }
    }

    #[test]
    fn a_cost_price_comes_before_a_part_of_the_selling_price() {
        let usage = Usage {
            input: 3,
            ..Usage::default()
        };
        let selling = price("*", "1");
        let cost = |ratio: Option<&str>, prices: &[Price]| {
            let cost = Cost {
                ratio: ratio.map(|ratio| ratio.parse().unwrap()),
                prices: prices.to_vec(),
            };
            let paid = cost.of("m-large", &selling, &usage);
            paid.map(|paid| paid.to_string())
        };
        let own = [price("m*", "9"), price("m-large", "0.5"), price("x", "7")];
        for (ratio, prices, expected) in [
            (None, &[][..], None),
            (Some("0.8"), &[][..], Some("0.0000024")),
            (Some("0.8"), &own[..], Some("0.0000015")),
            (None, &own[..1], Some("0.000027")),
            (None, &own[2..], None),
            // A third of a nano-USD and more is a whole one.
            (Some("0.0001"), &[][..], Some("0.000000001")),
        ] {
            assert_eq!(cost(ratio, prices).as_deref(), expected, "{ratio:?}");
        }
    }
}
