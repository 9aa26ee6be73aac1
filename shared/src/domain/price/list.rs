//! Many prices, and which of them is a model's.

use std::collections::HashMap;
use std::sync::Arc;

use super::Price;
use crate::domain::pattern;

/// Prices in the order of their models, with an index. Cheap to clone, and so is each of them: every call
/// keeps its own.
///
/// A name that is written out is found at once; only patterns are tried, the longest first.
#[derive(Debug, Clone, Default)]
pub struct PriceList(Arc<Index>);

#[derive(Debug, Default)]
struct Index {
    rows: Vec<Arc<Price>>,
    names: HashMap<String, usize>,
    patterns: Vec<usize>,
}

impl PriceList {
    /// The prices; of two with one name, the later.
    #[must_use]
    pub fn new(prices: impl IntoIterator<Item = impl Into<Arc<Price>>>) -> Self {
        let prices = prices.into_iter().map(Into::into);
        let named = prices.map(|price: Arc<Price>| (price.model.clone(), price));
        let sorted: std::collections::BTreeMap<String, Arc<Price>> = named.collect();
        let rows: Vec<Arc<Price>> = sorted.into_values().collect();
        let at = |(at, price): (usize, &Arc<Price>)| (price.model.clone(), at);
        let names = rows.iter().enumerate().map(at).collect();
        let numbered = rows.iter().enumerate();
        let mut patterns: Vec<(usize, usize)> = numbered
            .filter(|(_, price)| price.model.contains('*'))
            .map(|(at, price)| (price.model.len(), at))
            .collect();
        patterns.sort_by_key(|(length, at)| (std::cmp::Reverse(*length), *at));
        Self(Arc::new(Index {
            rows,
            names,
            patterns: patterns.into_iter().map(|(_, at)| at).collect(),
        }))
    }

    /// All of them, by name.
    #[must_use]
    pub fn rows(&self) -> &[Arc<Price>] {
        &self.0.rows
    }

    /// The price of exactly that name or pattern.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Arc<Price>> {
        self.0.names.get(name).and_then(|at| self.0.rows.get(*at))
    }

    /// The price of a model: of its name, or else of the longest pattern that fits it.
    #[must_use]
    pub fn find(&self, model: &str) -> Option<&Arc<Price>> {
        let named = self.named(model).filter(|price| !price.model.contains('*'));
        named.or_else(|| {
            let mut patterns = self.0.patterns.iter().filter_map(|at| self.0.rows.get(*at));
            patterns.find(|price| pattern::fits(&price.model, model))
        })
    }
}

impl PartialEq for PriceList {
    fn eq(&self, other: &Self) -> bool {
        self.rows() == other.rows()
    }
}

impl Eq for PriceList {}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(names: &[&str]) -> PriceList {
        PriceList::new(names.iter().map(|name| Price {
            model: (*name).to_owned(),
            ..Price::default()
        }))
    }

    #[test]
    fn the_most_precise_name_wins() {
        let prices = list(&["*", "gpt-4o*", "gpt-4o", "gpt*", "*-mini"]);
        for (model, expected) in [
            ("gpt-4o", "gpt-4o"),
            ("gpt-4o-mini", "gpt-4o*"),
            ("gpt-5", "gpt*"),
            ("o3-mini", "*-mini"),
            ("claude", "*"),
        ] {
            let found = prices.find(model).map(|price| price.model.as_str());
            assert_eq!(found, Some(expected), "{model}");
        }
        assert_eq!(list(&["gpt*"]).find("claude"), None);
    }

    #[test]
    fn whoever_keeps_a_price_keeps_the_list_s_own() {
        let prices = list(&["gpt*"]);
        let kept = Arc::clone(prices.find("gpt-5").unwrap());
        assert!(Arc::ptr_eq(&kept, &prices.rows()[0]));
    }

    #[test]
    fn of_two_with_one_name_the_later_stays() {
        let first = Price {
            model: "a".to_owned(),
            ..Price::default()
        };
        let second = Price {
            locked: true,
            ..first.clone()
        };
        let prices = PriceList::new([first, second]);
        assert_eq!(prices.rows().len(), 1);
        assert!(prices.find("a").unwrap().locked);
    }
}
