//! What a model costs, and the bill of a call: usage × price, rounded once.
#![deny(clippy::float_arithmetic)]

use serde::{Deserialize, Serialize};

use super::money::{Exact, NanoUsd, Rate, Ratio};
use super::pattern;
use super::usage::Usage;

/// What a model costs, per component or per call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// The model, or a pattern of models.
    pub model: String,
    /// What tokens cost.
    #[serde(flatten)]
    pub rates: Rates,
    /// A fixed amount for each call, beside the tokens.
    #[serde(default)]
    pub per_call: Option<NanoUsd>,
    /// Other rates for long contexts, by rising threshold.
    #[serde(default)]
    pub tiers: Vec<Tier>,
    /// Whether imports leave this price alone.
    #[serde(default)]
    pub locked: bool,
    /// Where the figures come from.
    #[serde(default)]
    pub source: Option<String>,
}

/// What a token costs, by component. A component without a rate costs what its fallback costs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rates {
    /// Input that no cache served.
    pub input: Option<Rate>,
    /// Output.
    pub output: Option<Rate>,
    /// Falls back to `input`.
    pub cache_read: Option<Rate>,
    /// Falls back to `input`.
    pub cache_write_5m: Option<Rate>,
    /// Falls back to `cache_write_5m`.
    pub cache_write_1h: Option<Rate>,
    /// Falls back to `output`.
    pub reasoning: Option<Rate>,
    /// Falls back to `input`.
    pub input_audio: Option<Rate>,
    /// Falls back to `output`.
    pub output_audio: Option<Rate>,
    /// Falls back to `input`.
    pub input_image: Option<Rate>,
    /// Falls back to `output`.
    pub output_image: Option<Rate>,
}

/// Rates of calls whose input is longer than a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tier {
    /// The tier counts from one token more than this.
    pub above_input_tokens: u64,
    /// The rates that differ; the others are the price's own.
    #[serde(flatten)]
    pub rates: Rates,
}

/// One line of a bill. `quantity × unit_usd = usd`, exactly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillLine {
    /// The component: `input`, `cache_read`, …, `per_call`.
    #[serde(rename = "c")]
    pub component: String,
    /// How many.
    #[serde(rename = "q")]
    pub quantity: u64,
    /// What one costs, in USD, the group's ratio included.
    #[serde(rename = "u")]
    pub unit_usd: String,
    /// What they cost together, in USD, not rounded.
    #[serde(rename = "t")]
    pub usd: String,
}

/// What a call costs and why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bill {
    /// The lines, without those of nothing.
    pub lines: Vec<BillLine>,
    /// Their sum, rounded up to a nano-USD.
    pub total: NanoUsd,
}

impl Price {
    /// What `tokens` cost somebody who pays `ratio` of the price.
    #[must_use]
    pub fn bill(&self, tokens: &Usage, ratio: Ratio) -> Bill {
        let rates = self.rates_for(tokens.total_input());
        let mut bill = Bill::default();
        let mut sum = Exact::default();
        for (component, quantity, rate) in rates.priced(tokens) {
            if quantity > 0 {
                sum = sum.plus_tokens(quantity, rate, ratio);
                bill.lines.push(BillLine {
                    component: component.to_owned(),
                    quantity,
                    unit_usd: Exact::default().plus_tokens(1, rate, ratio).to_usd(),
                    usd: Exact::default().plus_tokens(quantity, rate, ratio).to_usd(),
                });
            }
        }
        if let Some(amount) = self.per_call {
            sum = sum.plus_amount(amount, ratio);
            let usd = Exact::default().plus_amount(amount, ratio).to_usd();
            let component = "per_call".to_owned();
            bill.lines.push(BillLine {
                component,
                quantity: 1,
                unit_usd: usd.clone(),
                usd,
            });
        }
        bill.total = sum.round_up();
        bill
    }

    /// The most that a call can cost: every token at the dearest rate that it could be billed at.
    #[must_use]
    pub fn worst_case(&self, input: u64, output: u64, ratio: Ratio) -> NanoUsd {
        let reachable = self
            .tiers
            .iter()
            .filter(|tier| tier.above_input_tokens < input);
        reachable
            .map(|tier| tier.rates.or(&self.rates))
            .chain([self.rates])
            .map(|rates| {
                let (dear_in, dear_out) = rates.dearest();
                let sum = Exact::default()
                    .plus_tokens(input, dear_in, ratio)
                    .plus_tokens(output, dear_out, ratio);
                sum.plus_amount(self.per_call.unwrap_or_default(), ratio)
                    .round_up()
            })
            .max()
            .unwrap_or(NanoUsd::MAX)
    }

    /// Whether the price says enough to bill by: both token rates, or an amount per call.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.per_call.is_some() || (self.rates.input.is_some() && self.rates.output.is_some())
    }

    fn rates_for(&self, input: u64) -> Rates {
        self.tiers
            .iter()
            .filter(|tier| tier.above_input_tokens < input)
            .max_by_key(|tier| tier.above_input_tokens)
            .map_or(self.rates, |tier| tier.rates.or(&self.rates))
    }
}

/// The price of a model: the most precise of the patterns that fit its name.
#[must_use]
pub fn find<'a>(prices: &'a [Price], model: &str) -> Option<&'a Price> {
    prices
        .iter()
        .filter(|price| pattern::fits(&price.model, model))
        .max_by_key(|price| pattern::precision(&price.model))
}

impl Rates {
    /// These rates, and `base` where these say nothing.
    fn or(&self, base: &Self) -> Self {
        Self {
            input: self.input.or(base.input),
            output: self.output.or(base.output),
            cache_read: self.cache_read.or(base.cache_read),
            cache_write_5m: self.cache_write_5m.or(base.cache_write_5m),
            cache_write_1h: self.cache_write_1h.or(base.cache_write_1h),
            reasoning: self.reasoning.or(base.reasoning),
            input_audio: self.input_audio.or(base.input_audio),
            output_audio: self.output_audio.or(base.output_audio),
            input_image: self.input_image.or(base.input_image),
            output_image: self.output_image.or(base.output_image),
        }
    }

    /// Each component with its quantity and the rate that it is billed at.
    fn priced(&self, tokens: &Usage) -> [(&'static str, u64, Rate); 10] {
        let input = self.input.unwrap_or_default();
        let output = self.output.unwrap_or_default();
        let write_5m = self.cache_write_5m.unwrap_or(input);
        let reasoning = tokens.reasoning.min(tokens.output);
        [
            ("input", tokens.input, input),
            (
                "cache_read",
                tokens.total_cache_read(),
                self.cache_read.unwrap_or(input),
            ),
            ("cache_write_5m", tokens.cache_write_5m, write_5m),
            (
                "cache_write_1h",
                tokens.cache_write_1h,
                self.cache_write_1h.unwrap_or(write_5m),
            ),
            (
                "output",
                tokens.output - self.reasoning.map_or(0, |_| reasoning),
                output,
            ),
            (
                "reasoning",
                self.reasoning.map_or(0, |_| reasoning),
                self.reasoning.unwrap_or(output),
            ),
            (
                "input_audio",
                tokens.input_audio,
                self.input_audio.unwrap_or(input),
            ),
            (
                "output_audio",
                tokens.output_audio,
                self.output_audio.unwrap_or(output),
            ),
            (
                "input_image",
                tokens.input_image,
                self.input_image.unwrap_or(input),
            ),
            (
                "output_image",
                tokens.output_image,
                self.output_image.unwrap_or(output),
            ),
        ]
    }

    /// The dearest rate of the input's components, and of the output's.
    fn dearest(&self) -> (Rate, Rate) {
        let input = [
            self.input,
            self.cache_read,
            self.cache_write_5m,
            self.cache_write_1h,
            self.input_audio,
            self.input_image,
        ];
        let output = [
            self.output,
            self.reasoning,
            self.output_audio,
            self.output_image,
        ];
        let dearest = |rates: &[Option<Rate>]| rates.iter().flatten().max().copied();
        (
            dearest(&input).unwrap_or_default(),
            dearest(&output).unwrap_or_default(),
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rate(text: &str) -> Option<Rate> {
        Some(text.parse().unwrap())
    }

    fn price() -> Price {
        let rates = Rates {
            input: rate("3"),
            output: rate("15"),
            ..Rates::default()
        };
        Price {
            model: "m".into(),
            rates,
            ..Price::default()
        }
    }

    #[test]
    fn components_without_a_price_fall_back() {
        let tokens = Usage {
            input: 1,
            cache_read: 10,
            cache_write_1h: 100,
            ..Usage::default()
        };
        assert_eq!(
            price().bill(&tokens, Ratio::ONE).total.to_string(),
            "0.000333"
        );
        let mut cached = price();
        cached.rates.cache_read = rate("0.3");
        cached.rates.cache_write_5m = rate("3.75");
        // 1 × 3 + 10 × 0.3 + 100 × 3.75 = 381 micro-USD
        assert_eq!(
            cached.bill(&tokens, Ratio::ONE).total.to_string(),
            "0.000381"
        );
    }

    #[test]
    fn reasoning_is_part_of_output_unless_priced_apart() {
        let tokens = Usage {
            output: 100,
            reasoning: 40,
            ..Usage::default()
        };
        assert_eq!(
            price().bill(&tokens, Ratio::ONE).total.to_string(),
            "0.0015"
        );
        let mut apart = price();
        apart.rates.reasoning = rate("60");
        assert_eq!(apart.bill(&tokens, Ratio::ONE).total.to_string(), "0.0033");
    }

    #[test]
    fn long_contexts_pay_their_tier() {
        let mut tiered = price();
        let rates = Rates {
            input: rate("6"),
            ..Rates::default()
        };
        tiered.tiers = vec![Tier {
            above_input_tokens: 200_000,
            rates,
        }];
        let at = |input| {
            tiered
                .bill(
                    &Usage {
                        input,
                        output: 1,
                        ..Usage::default()
                    },
                    Ratio::ONE,
                )
                .total
        };
        assert_eq!(at(200_000).to_string(), "0.600015");
        assert_eq!(at(200_001).to_string(), "1.200021");
    }

    #[test]
    fn the_most_precise_pattern_wins() {
        let named = |model: &str| Price {
            model: model.into(),
            ..price()
        };
        let prices = [named("*"), named("gpt-4o*"), named("gpt-4o"), named("gpt*")];
        let model = |name| find(&prices, name).map(|price| price.model.as_str());
        assert_eq!(model("gpt-4o"), Some("gpt-4o"));
        assert_eq!(model("gpt-4o-mini"), Some("gpt-4o*"));
        assert_eq!(model("gpt-5"), Some("gpt*"));
        assert_eq!(find(&prices[1..], "claude"), None);
    }

    #[test]
    fn free_input_makes_the_hold_exactly_the_output() {
        let mut free = price();
        free.rates.input = rate("0");
        assert_eq!(
            free.worst_case(1_000_000, 1_000, Ratio::ONE).to_string(),
            "0.015"
        );
    }

    fn any_rate() -> impl Strategy<Value = Option<Rate>> {
        prop::option::of((0..200_000_000_i64).prop_map(Rate::new))
    }

    prop_compose! {
        fn any_rates()(input in any_rate(), output in any_rate(), cache_read in any_rate(),
            cache_write_5m in any_rate(), cache_write_1h in any_rate(), reasoning in any_rate()
        ) -> Rates {
            Rates { input, output, cache_read, cache_write_5m, cache_write_1h, reasoning,
                ..Rates::default() }
        }
    }

    proptest! {
        #[test]
        fn no_bill_is_above_the_worst_case(
            rates in any_rates(), tier in any_rates(), above in 0..2_000_u64,
            parts in prop::array::uniform4(0..1_000_u64), output in 0..5_000_u64, thought in 0..5_000_u64,
            ratio in 0..3_000_000_i64,
        ) {
            let ratio: Ratio = NanoUsd::new(ratio * 1_000).to_string().parse().unwrap();
            let price = Price {
                rates, tiers: vec![Tier { above_input_tokens: above, rates: tier }], ..Price::default()
            };
            let tokens = Usage {
                input: parts[0], cache_read: parts[1], cache_write_5m: parts[2], cache_write_1h: parts[3],
                output, reasoning: thought.min(output), ..Usage::default()
            };
            let bill = price.bill(&tokens, ratio);
            prop_assert!(bill.total <= price.worst_case(tokens.total_input(), output, ratio));
        }
    }
}
