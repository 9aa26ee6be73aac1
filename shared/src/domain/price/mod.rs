//! What a model costs, and the bill of a call: usage × price, rounded once.
#![deny(clippy::float_arithmetic)]

pub mod bill;
pub mod component;
pub mod list;
pub mod rates;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use bill::{Bill, BillLine};
pub use component::Component;
pub use rates::{Pieces, Rates, Services, Tier};

use super::money::{Exact, NanoUsd, Ratio};
use super::usage::{Service, Usage};

/// What a model costs: per component, by the piece, or per call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// The model, or a pattern of models.
    pub model: String,
    /// What tokens cost.
    #[serde(flatten)]
    pub rates: Rates,
    /// What else a provider bills costs by the piece.
    #[serde(flatten)]
    pub pieces: Pieces,
    /// A fixed amount for each call, beside the tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_call: Option<NanoUsd>,
    /// Other rates for long contexts, by rising threshold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tiers: Vec<Tier>,
    /// Other rates by service: `flex`, `priority`, `batch`, `fast`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub services: Services,
    /// The most input that the model takes, in tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_input: Option<u64>,
    /// The most output that the model gives, in tokens: what a hold assumes when a caller sets no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_output: Option<u64>,
    /// Whether imports leave this price alone.
    #[serde(default)]
    pub locked: bool,
    /// Where the figures come from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// When they were looked up there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Date>,
    /// How it came here.
    #[serde(default)]
    pub origin: Origin,
}

/// How a price came here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// It is built in.
    Book,
    /// An administrator set it.
    #[default]
    Set,
    /// It was imported from a price map.
    Import,
}

impl Price {
    /// What `usage` costs somebody who pays `ratio` of the price.
    ///
    /// The rate of a component is the first that there is of: the tier's for the service, the tier's
    /// own, the price's for the service, the price's own; and then the same for the component that it
    /// falls back to ([`Component::fallback`]).
    #[must_use]
    pub fn bill(&self, usage: &Usage, ratio: Ratio) -> Bill {
        let rates = self.rates_at(self.tier(usage.total_input()), usage.service);
        let tokens = Component::TOKENS.map(|component| {
            let unit = Exact::default().plus_tokens(1, rates.resolve(component), ratio);
            BillLine::new(component, rates.quantity(usage, component), unit)
        });
        let pieces = Component::PIECES.map(|component| {
            let amount = self.pieces.get(component).unwrap_or_default();
            let unit = Exact::default().plus_amount(amount, ratio);
            BillLine::new(component, Pieces::quantity(usage, component), unit)
        });
        let call = self.per_call.map(|amount| {
            let unit = Exact::default().plus_amount(amount, ratio);
            BillLine::new(Component::PerCall, 1, unit)
        });
        Bill::of(tokens.into_iter().chain(pieces).chain(call))
    }

    /// The most that a call of so many tokens can cost, whatever the service that answers it: every token
    /// at the dearest rate that it could be billed at. What is billed by the piece is not in it, because
    /// nobody knows how often a provider will search.
    #[must_use]
    pub fn worst_case(&self, input: u64, output: u64, ratio: Ratio) -> NanoUsd {
        self.dearest(input, output, ratio, &self.named_services())
    }

    /// The same for a call that is answered as usual or at this service, and at no other.
    #[must_use]
    pub fn worst_case_at(
        &self,
        service: Service,
        input: u64,
        output: u64,
        ratio: Ratio,
    ) -> NanoUsd {
        self.dearest(
            input,
            output,
            ratio,
            &BTreeSet::from([Service::Standard, service]),
        )
    }

    fn dearest(
        &self,
        input: u64,
        output: u64,
        ratio: Ratio,
        services: &BTreeSet<Service>,
    ) -> NanoUsd {
        let reachable = self.tiers.iter().filter(|tier| tier.begins_below(input));
        let tiers: Vec<Option<&Tier>> = reachable.map(Some).chain([None]).collect();
        let rates = tiers
            .iter()
            .flat_map(|tier| services.iter().map(|at| self.rates_at(*tier, *at)));
        let call = self.per_call.unwrap_or_default();
        rates
            .map(|rates| {
                let (dear_in, dear_out) = rates.dearest();
                Exact::default()
                    .plus_tokens(input, dear_in, ratio)
                    .plus_tokens(output, dear_out, ratio)
                    .plus_amount(call, ratio)
                    .round_up()
            })
            .max()
            .unwrap_or(NanoUsd::MAX)
    }

    /// Whether the price says enough to bill by: both token rates, or an amount per call.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.per_call.is_some() || (self.rates.input.is_some() && self.rates.output.is_some())
    }

    /// Whether another price costs the same in every case, wherever its figures are from.
    #[must_use]
    pub fn costs_as(&self, other: &Self) -> bool {
        let figures = |price: &Self| Self {
            model: String::new(),
            locked: false,
            source: None,
            date: None,
            origin: Origin::Set,
            ..price.clone()
        };
        figures(self) == figures(other)
    }

    /// The tier of a call of so much input; none below the first.
    fn tier(&self, input: u64) -> Option<&Tier> {
        let reached = self.tiers.iter().filter(|tier| tier.begins_below(input));
        reached.max_by_key(|tier| tier.above_input_tokens)
    }

    /// What is said for a tier and a service, the most special first.
    fn rates_at(&self, tier: Option<&Tier>, service: Service) -> Rates {
        let at = |services: &Services| services.get(&service).copied().unwrap_or_default();
        let own = at(&self.services).or(&self.rates);
        tier.map_or(own, |tier| at(&tier.services).or(&tier.rates).or(&own))
    }

    fn named_services(&self) -> BTreeSet<Service> {
        let tiers = self.tiers.iter().flat_map(|tier| tier.services.keys());
        let named = self.services.keys().chain(tiers).copied();
        named.chain([Service::Standard]).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::money::Rate;

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
            ..Tier::default()
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
    fn free_input_makes_the_hold_exactly_the_output() {
        let mut free = price();
        free.rates.input = rate("0");
        assert_eq!(
            free.worst_case(1_000_000, 1_000, Ratio::ONE).to_string(),
            "0.015"
        );
    }

    #[test]
    fn cache_writes_of_an_hour_pay_the_long_context_too() {
        let rates = |input: &str, read: &str, short: &str, long: &str| Rates {
            input: rate(input),
            cache_read: rate(read),
            cache_write_5m: rate(short),
            cache_write_1h: rate(long),
            ..Rates::default()
        };
        let long = Price {
            rates: Rates {
                output: rate("15"),
                ..rates("3", "0.3", "3.75", "6")
            },
            tiers: vec![Tier {
                above_input_tokens: 200_000,
                rates: Rates {
                    output: rate("22.5"),
                    ..rates("6", "0.6", "7.5", "12")
                },
                ..Tier::default()
            }],
            ..Price::default()
        };
        let usage = Usage {
            input: 100,
            cache_read: 150_000,
            cache_write_5m: 10_000,
            cache_write_1h: 40_000,
            output: 1_000,
            ..Usage::default()
        };
        // 100 × 6 + 150,000 × 0.6 + 10,000 × 7.5 + 40,000 × 12 + 1,000 × 22.5 = 668,100 micro-USD
        let bill = long.bill(&usage, Ratio::ONE);
        assert_eq!(bill.total.to_string(), "0.6681");
        let units: Vec<String> = bill.lines.iter().map(ToString::to_string).collect();
        let expected = [
            "i100@6",
            "cr150000@0.6",
            "cw10000@7.5",
            "cl40000@12",
            "o1000@22.5",
        ];
        assert_eq!(units, expected);
    }

    /// Each of the four places where a rate can stand, and what holds where some are empty.
    #[test]
    fn a_tier_comes_before_a_service_and_both_before_the_price() {
        let input = |text| Rates {
            input: rate(text),
            ..Rates::default()
        };
        let all = Price {
            rates: input("1"),
            services: [(Service::Flex, input("2"))].into(),
            tiers: vec![Tier {
                above_input_tokens: 10,
                rates: input("3"),
                services: [(Service::Flex, input("4"))].into(),
            }],
            ..Price::default()
        };
        let mut tier_only = all.clone();
        tier_only.tiers[0].services.clear();
        let mut service_only = tier_only.clone();
        service_only.tiers[0].rates = Rates::default();
        for (price, tokens, service, expected) in [
            (&all, 10, Service::Standard, "0.00001"),
            (&all, 10, Service::Flex, "0.00002"),
            (&all, 20, Service::Standard, "0.00006"),
            (&all, 20, Service::Flex, "0.00008"),
            (&all, 20, Service::Priority, "0.00006"),
            (&tier_only, 20, Service::Flex, "0.00006"),
            (&service_only, 20, Service::Flex, "0.00004"),
            (&service_only, 20, Service::Batch, "0.00002"),
        ] {
            let usage = Usage {
                input: tokens,
                service,
                ..Usage::default()
            };
            let total = price.bill(&usage, Ratio::ONE).total.to_string();
            assert_eq!(total, expected, "{tokens} at {service:?}");
        }
    }

    #[test]
    fn a_service_that_prices_a_part_leaves_the_rest_as_usual() {
        let mut flexible = price();
        flexible.rates.cache_read = rate("0.3");
        flexible.services = [(
            Service::Flex,
            Rates {
                input: rate("1.5"),
                ..Rates::default()
            },
        )]
        .into();
        let usage = Usage {
            input: 1_000,
            cache_read: 1_000,
            input_audio: 1_000,
            output: 1_000,
            service: Service::Flex,
            ..Usage::default()
        };
        // Audio falls back to input, and so to what the service asks for input.
        let bill = flexible.bill(&usage, Ratio::ONE);
        let units: Vec<String> = bill.lines.iter().map(ToString::to_string).collect();
        assert_eq!(units, ["i1000@1.5", "cr1000@0.3", "o1000@15", "ia1000@1.5"]);
    }

    #[test]
    fn pieces_are_billed_each() {
        let mut searching = price();
        searching.pieces.web_search = "0.01".parse().ok();
        searching.pieces.code_run = "0.03".parse().ok();
        let usage = Usage {
            web_searches: 3,
            file_searches: 2,
            code_runs: 1,
            service: Service::Batch,
            ..Usage::default()
        };
        let bill = searching.bill(&usage, "0.5".parse().unwrap());
        let units: Vec<String> = bill.lines.iter().map(ToString::to_string).collect();
        assert_eq!(units, ["ws3@5000", "fs2@0", "x1@15000"]);
        assert_eq!(bill.total.to_string(), "0.03");
    }

    fn any_rate() -> impl Strategy<Value = Option<Rate>> {
        prop::option::of((0..200_000_000_i64).prop_map(Rate::new))
    }

    fn any_rates() -> impl Strategy<Value = Rates> {
        prop::array::uniform12(any_rate()).prop_map(|all| {
            let mut rates = Rates::default();
            for (component, rate) in Component::TOKENS.into_iter().zip(all) {
                rates.set(component, rate);
            }
            rates
        })
    }

    fn any_service() -> impl Strategy<Value = Service> {
        use Service::{Batch, Fast, Flex, Priority, Standard};
        prop::sample::select(vec![Standard, Batch, Flex, Priority, Fast])
    }

    fn any_services() -> impl Strategy<Value = Services> {
        prop::collection::btree_map(any_service(), any_rates(), 0..3)
    }

    prop_compose! {
        fn any_price()(
            rates in any_rates(), services in any_services(),
            tiers in prop::collection::vec((0..4_000_u64, any_rates(), any_services()), 0..3),
            per_call in prop::option::of((0..1_000_000_000_i64).prop_map(NanoUsd::new)),
        ) -> Price {
            let tier = |(above_input_tokens, rates, services)| Tier { above_input_tokens, rates, services };
            let tiers = tiers.into_iter().map(tier).collect();
            Price { rates, services, tiers, per_call, ..Price::default() }
        }
    }

    prop_compose! {
        fn any_usage()(
            parts in prop::array::uniform11(0..1_500_u64), thought in 0..2_000_u64, service in any_service(),
        ) -> Usage {
            let [input, cache_read, cache_read_audio, cache_read_image, cache_write_5m, cache_write_1h,
                input_audio, input_image, output, output_audio, output_image] = parts;
            Usage {
                input, cache_read, cache_read_audio, cache_read_image, cache_write_5m, cache_write_1h,
                input_audio, input_image, output, output_audio, output_image, reasoning: thought.min(output), service, ..Usage::default()
            }
        }
    }

    fn any_ratio() -> impl Strategy<Value = Ratio> {
        let text = |millionths: i64| NanoUsd::new(millionths * 1_000).to_string();
        (0..3_000_000_i64).prop_map(move |millionths| text(millionths).parse().unwrap())
    }

    proptest! {
        #[test]
        fn no_bill_is_above_the_worst_case(
            price in any_price(), usage in any_usage(), ratio in any_ratio(), more in 0..3_000_u64,
        ) {
            let (input, output) = (usage.total_input() + more, usage.total_output());
            let bill = price.bill(&usage, ratio);
            prop_assert!(bill.total <= price.worst_case(input, output, ratio));
            prop_assert!(bill.total <= price.worst_case_at(usage.service, input, output, ratio));
        }

        #[test]
        fn the_lines_add_up_to_the_total(price in any_price(), usage in any_usage(), ratio in any_ratio()) {
            let bill = price.bill(&usage, ratio);
            let kept: Vec<BillLine> = bill.lines.iter().map(|line| line.to_string().parse().unwrap()).collect();
            prop_assert_eq!(Bill::of(kept), bill);
        }
    }
}
