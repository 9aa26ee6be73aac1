//! The built-in price book: what models cost by their vendors' lists. `book.txt` beside this file is all.
//!
//! It is read at the first look-up, in about a millisecond, and never again. What administrators set or
//! import comes before it ([`crate::store::configuration::Configuration::price_of`]).

mod read;

use std::sync::{Arc, LazyLock};

use super::price::Price;
use super::price::list::PriceList;

const BOOK: &str = include_str!("book.txt");

/// A line of the book that cannot be read is left out, so that its models have no price; a test reads all.
static PRICES: LazyLock<PriceList> =
    LazyLock::new(|| PriceList::new(read::rows(BOOK).filter_map(Result::ok).flatten()));

/// All rows, by name.
#[must_use]
pub fn rows() -> &'static [Arc<Price>] {
    PRICES.rows()
}

/// The row of exactly that name or pattern.
#[must_use]
pub fn named(name: &str) -> Option<&'static Arc<Price>> {
    PRICES.named(name)
}

/// The price of a model: of its name, or else of the longest pattern that fits it.
#[must_use]
pub fn find(model: &str) -> Option<&'static Arc<Price>> {
    PRICES.find(model)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::domain::money::{Rate, Ratio};
    use crate::domain::price::{Component, Origin, Rates};
    use crate::domain::usage::Usage;

    fn all_rates(price: &Price) -> Vec<Rates> {
        let services = |services: &crate::domain::price::Services| {
            services.values().copied().collect::<Vec<Rates>>()
        };
        let mut all = vec![price.rates];
        all.extend(services(&price.services));
        for tier in &price.tiers {
            all.push(tier.rates);
            all.extend(services(&tier.services));
        }
        all
    }

    #[test]
    fn every_line_is_read_and_says_where_its_figures_are_from() {
        let mut names = HashSet::new();
        let mut count = 0;
        for line in read::rows(BOOK) {
            for price in line.unwrap_or_else(|wrong| panic!("{wrong}")) {
                assert!(price.is_complete(), "{} is not complete", price.model);
                let source = price.source.as_deref().unwrap_or_default();
                assert!(
                    source.starts_with("built-in: ") && source.contains("https://"),
                    "{source}"
                );
                assert!(price.date.is_some(), "{} has no date", price.model);
                assert_eq!(price.origin, Origin::Book);
                assert!(
                    names.insert(price.model.clone()),
                    "{} stands twice",
                    price.model
                );
                count += 1;
            }
        }
        assert_eq!(rows().len(), count);
        assert!((200..800).contains(&count), "{count} rows");
    }

    #[test]
    fn the_lines_of_a_section_are_sorted() {
        let mut before = String::new();
        for line in BOOK.lines().filter(|line| !line.is_empty()) {
            let first = line.split_whitespace().next().unwrap().to_owned();
            if line.starts_with(['#', '@']) {
                before.clear();
            } else {
                assert!(before < first, "{first} stands after {before}");
                before = first;
            }
        }
    }

    #[test]
    fn no_figure_is_out_of_proportion() {
        let most: Rate = "1000".parse().unwrap();
        for price in rows() {
            let model = &price.model;
            for rates in all_rates(price) {
                for component in Component::TOKENS {
                    assert!(rates.get(component) <= Some(most), "{model}: {component}");
                }
                let input = rates.input.or(price.rates.input);
                let text = rates.cache_read.is_none() || rates.cache_read <= input;
                assert!(text, "{model}: a cache is dearer than none");
                let written = rates.cache_write_5m.is_none() || rates.cache_write_1h.is_none();
                let dearer = written || rates.cache_write_1h >= rates.cache_write_5m;
                assert!(dearer, "{model}: an hour is cheaper than five minutes");
            }
            let thresholds: Vec<u64> = price.tiers.iter().map(|t| t.above_input_tokens).collect();
            assert!(
                thresholds.is_sorted_by(|a, b| a < b),
                "{model}: {thresholds:?}"
            );
            assert!(
                price
                    .max_output
                    .is_none_or(|most| (256..=1_000_000).contains(&most)),
                "{model}"
            );
        }
    }

    /// Above a threshold every component costs what the vendor says for there, cache writes included.
    #[test]
    fn a_tier_prices_each_component_that_its_price_does() {
        for price in rows() {
            for tier in &price.tiers {
                for component in Component::TOKENS {
                    let (own, above) = (price.rates.get(component), tier.rates.get(component));
                    let said = own.is_none() || above.is_some();
                    assert!(
                        said,
                        "{} above {}: {component}",
                        price.model, tier.above_input_tokens
                    );
                }
            }
        }
    }

    #[test]
    fn dated_and_prefixed_names_find_their_price() {
        let input = |model: &str| {
            find(model)
                .and_then(|price| price.rates.input)
                .map(|r| r.to_string())
        };
        for (model, expected) in [
            ("gpt-4o", "2.5"),
            ("gpt-4o-2024-08-06", "2.5"),
            ("gpt-4o-2024-05-13", "5"),
            ("gpt-4o-mini", "0.15"),
            ("gpt-4o-mini-2024-07-18", "0.15"),
            ("claude-haiku-4-5", "1"),
            ("claude-haiku-4-5-20251001", "1"),
            ("gemini-2.5-flash", "0.3"),
            ("text-embedding-3-small", "0.02"),
        ] {
            assert_eq!(input(model).as_deref(), Some(expected), "{model}");
        }
        for model in ["gpt-4o-omega", "gpt", "fake-model", "demo", ""] {
            assert_eq!(find(model), None, "{model}");
        }
    }

    #[test]
    fn a_long_context_with_writes_of_an_hour_costs_as_the_vendor_lists_it() {
        // Claude Haiku 4.5's successor has two bands: 0.1 and 0.5 USD, writes of an hour at the double.
        let price = find("claude-haiku-5-5").unwrap();
        let usage = |cache_write_1h| Usage {
            input: 1,
            cache_write_1h,
            ..Usage::default()
        };
        let total = |usage| price.bill(&usage, Ratio::ONE).total.to_string();
        assert_eq!(total(usage(99_999)), "0.0199999");
        assert_eq!(total(usage(100_000)), "0.1000005");
    }
}
