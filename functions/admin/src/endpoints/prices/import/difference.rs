//! What an import would change: the rows of a map beside the prices that there are.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::value::RawValue;
use shared::domain::pattern;
use shared::domain::price::{Origin, Price};
use shared::store::configuration::{Change, Configuration};

use super::body::{Import, Mode};
use super::json::{ChangedJson, IgnoredJson, SkippedJson};
use super::litellm::{self, Reading};
use crate::json::price::PriceJson;

/// The rows of a map that an import is about: those that can be kept, and why others cannot.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) readings: BTreeMap<String, Reading>,
    pub(super) skipped: Vec<SkippedJson>,
}

/// One price that an import writes.
#[derive(Debug)]
pub(super) struct Write {
    pub(super) before: Option<Arc<Price>>,
    pub(super) after: Price,
}

/// What becomes of the rows.
#[derive(Debug, Default)]
pub(super) struct Difference {
    pub(super) writes: Vec<Write>,
    pub(super) unchanged: usize,
    /// Rows that the mode leaves out.
    pub(super) left_out: usize,
    pub(super) locked: Vec<String>,
}

impl Rows {
    /// Reads the rows of a map.
    pub(super) fn read(map: &BTreeMap<String, Box<RawValue>>, import: &Import) -> Self {
        let mut rows = Self::default();
        for (key, row) in map {
            let name = name_of(key, row, import.strip_prefix);
            let wanted = |name| pattern::fits_any(&import.models, name);
            if !import.models.is_empty() && !wanted(key) && !wanted(name) {
                continue;
            }
            match litellm::read(name, row) {
                Ok(mut reading) => {
                    import.mark(&mut reading.price);
                    rows.add(key, reading);
                }
                Err(reason) => rows.skip(key, reason),
            }
        }
        rows
    }

    /// Two rows may come to one name: the one that has it for itself stays.
    fn add(&mut self, key: &str, reading: Reading) {
        let name = reading.price.model.clone();
        if name.is_empty() || name.trim() != name || name.len() > 256 {
            return self.skip(key, "Its name cannot be the name of a model.".to_owned());
        }
        let clash = self
            .readings
            .get(&name)
            .is_some_and(|other| !other.price.costs_as(&reading.price));
        if clash && key != name {
            return self.skip(key, format!("Another row is {name}, and costs otherwise."));
        }
        if clash {
            let text = format!("Several rows are {name}; the one of that very name is taken.");
            self.skip(key, text);
        }
        self.readings.insert(name, reading);
    }

    fn skip(&mut self, key: &str, reason: String) {
        self.skipped.push(SkippedJson {
            model: key.to_owned(),
            reason,
        });
    }

    /// What importing them would change.
    pub(super) fn difference(&self, configuration: &Configuration, mode: Mode) -> Difference {
        let mut difference = Difference::default();
        for (name, reading) in &self.readings {
            let before = configuration.prices.named(name);
            if before.is_some_and(|before| before.costs_as(&reading.price)) {
                difference.unchanged += 1;
            } else if before.is_some_and(|before| before.locked) {
                difference.locked.push(name.clone());
            } else if !mode.takes(before.is_some()) {
                difference.left_out += 1;
            } else {
                difference.writes.push(Write {
                    before: before.cloned(),
                    after: reading.price.clone(),
                });
            }
        }
        difference
    }

    /// The members of written rows that price what is never met.
    pub(super) fn ignored(&self, written: &[Write]) -> Vec<IgnoredJson> {
        let named = written.iter().map(|write| &write.after.model);
        let told = named.filter_map(|name| Some((name, &self.readings.get(name)?.ignored)));
        told.filter(|(_, members)| !members.is_empty())
            .map(|(name, members)| IgnoredJson {
                model: name.clone(),
                members: members.clone(),
            })
            .collect()
    }
}

impl Write {
    pub(super) fn change(&self) -> Change {
        Change::PutPrice(Box::new(self.after.clone()))
    }

    pub(super) fn changed(&self) -> Option<ChangedJson> {
        Some(ChangedJson {
            model: self.after.model.clone(),
            before: self.before.as_deref()?.into(),
            after: (&self.after).into(),
        })
    }

    pub(super) fn added(&self) -> Option<PriceJson> {
        self.before.is_none().then(|| (&self.after).into())
    }
}

impl Import {
    /// Says on a price that it was imported, from where and when.
    fn mark(&self, price: &mut Price) {
        let said = price.source.take();
        let said = said.filter(|source| source.len() <= 256);
        price.source = match (&self.source, said) {
            (Some(source), Some(said)) => Some(format!("{source}, after {said}")),
            (Some(source), None) => Some(source.clone()),
            (None, said) => said,
        };
        price.date = Some(self.date);
        price.origin = Origin::Import;
    }
}

/// The model's name in a row: without the provider's before it, if that is wanted.
fn name_of<'a>(key: &'a str, row: &RawValue, strip_prefix: bool) -> &'a str {
    if !strip_prefix {
        return key;
    }
    let provider = litellm::provider_of(row).unwrap_or_default();
    let rest = key.strip_prefix(provider.as_str());
    rest.and_then(|rest| rest.strip_prefix('/')).unwrap_or(key)
}
