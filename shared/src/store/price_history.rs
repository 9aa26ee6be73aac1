//! Which prices were in force at which version of the configuration: for bills that are made anew.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::TransactWriteItem;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::StoreError;
use super::configuration::ConfigurationStore;
use super::schema;
use super::table::{Marks, Range, content, item};
use crate::domain::price::Price;
use crate::domain::price::list::PriceList;
use crate::domain::price_book;

/// With which version of the configuration something began, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Began {
    /// The version that it made.
    pub version: u64,
    /// The time of the change.
    pub at: Timestamp,
}

/// What became of a model's price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceChange {
    /// The model, or the pattern of models.
    pub model: String,
    /// Since when.
    #[serde(flatten)]
    pub began: Began,
    /// The price from then on; none when it was removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
}

/// Every change of prices, and what stands now.
#[derive(Debug, Clone, Default)]
pub struct PriceHistory {
    changes: Vec<PriceChange>,
    now: PriceList,
}

/// The prices that were in force at a version.
#[derive(Debug, Clone, Default)]
pub struct PricesAt(PriceList);

impl PriceHistory {
    /// The changes, oldest first.
    #[must_use]
    pub fn changes(&self) -> &[PriceChange] {
        &self.changes
    }

    /// The prices that were in force at a version.
    #[must_use]
    pub fn at(&self, version: u64) -> PricesAt {
        // A price of which no change is known has been there from the beginning.
        let known = |price: &&Price| self.changes.iter().any(|c| c.model == price.model);
        let ever = self.now.rows().iter().filter(|price| !known(price));
        let mut prices: BTreeMap<&str, &Price> =
            ever.map(|price| (price.model.as_str(), price)).collect();
        let before = |change: &&PriceChange| change.began.version <= version;
        for change in self.changes.iter().take_while(before) {
            match &change.price {
                Some(price) => prices.insert(&change.model, price),
                None => prices.remove(change.model.as_str()),
            };
        }
        PricesAt(PriceList::new(prices.into_values().cloned()))
    }
}

impl PricesAt {
    /// The price of a model then: what was set or imported, or else what the built-in book of this
    /// build says.
    #[must_use]
    pub fn price_of(&self, model: &str) -> Option<&Price> {
        self.0.find(model).or_else(|| price_book::find(model))
    }
}

impl ConfigurationStore<'_> {
    /// Every change of prices, for looking up many versions.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn price_history(&self) -> Result<PriceHistory, StoreError> {
        // What stands now is read first: whatever comes meanwhile is among the changes.
        let now = self.load().await?.prices;
        let range = Range {
            partition: schema::PRICES.to_owned(),
            ..Range::default()
        };
        let changes = self.store.table.query(&range).await?;
        let changes = changes.into_iter().map(content).collect::<Result<_, _>>()?;
        Ok(PriceHistory { changes, now })
    }

    /// The prices that were in force at a version.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn prices_at(&self, version: u64) -> Result<PricesAt, StoreError> {
        Ok(self.price_history().await?.at(version))
    }

    /// What keeps a change of a price for ever.
    pub(super) fn history_action(
        &self,
        model: &str,
        price: Option<&Price>,
        began: Began,
    ) -> Result<TransactWriteItem, StoreError> {
        let change = PriceChange {
            model: model.to_owned(),
            began,
            price: price.cloned(),
        };
        let key = schema::price_change(began.version, model);
        let item = item(key, &change, Marks::default())?;
        Ok(self.store.table.put_action(item, None))
    }
}
