//! Which prices were in force at which version of the configuration: for bills that are made anew.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

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
use crate::domain::settings::Settings;

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
    pub price: Option<Arc<Price>>,
}

/// Every change of prices.
#[derive(Debug, Clone, Default)]
pub struct PriceHistory {
    changes: Vec<PriceChange>,
    /// Prices of which no change is known: they have been there from the beginning.
    ever: Vec<Arc<Price>>,
}

/// Where the history has what models without a price cost. No price has an empty name.
const DEFAULT: &str = "";

/// The prices that were in force at a version.
#[derive(Debug, Clone, Default)]
pub struct PricesAt(PriceList);

impl PriceHistory {
    /// The changes, oldest first.
    #[must_use]
    pub fn changes(&self) -> &[PriceChange] {
        &self.changes
    }

    /// The prices that were in force at a version. It looks at every change: whoever asks for many
    /// records of one version keeps the answer.
    #[must_use]
    pub fn at(&self, version: u64) -> PricesAt {
        let ever = self.ever.iter();
        let mut prices: BTreeMap<&str, &Arc<Price>> =
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
    /// build says, or else what the settings stated for models without a price.
    #[must_use]
    pub fn price_of(&self, model: &str) -> Option<&Arc<Price>> {
        let own = self.0.find(model).or_else(|| price_book::find(model));
        own.or_else(|| self.0.named(DEFAULT))
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
        let changes: Vec<PriceChange> =
            changes.into_iter().map(content).collect::<Result<_, _>>()?;
        let known: HashSet<&str> = changes.iter().map(|c| c.model.as_str()).collect();
        let now = now.rows().iter();
        let ever = now.filter(|price| !known.contains(price.model.as_str()));
        let ever = ever.cloned().collect();
        Ok(PriceHistory { changes, ever })
    }

    /// The prices that were in force at a version.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn prices_at(&self, version: u64) -> Result<PricesAt, StoreError> {
        Ok(self.price_history().await?.at(version))
    }

    /// The same for what models without a price cost.
    pub(super) fn default_history_action(
        &self,
        settings: &Settings,
        began: Began,
    ) -> Result<TransactWriteItem, StoreError> {
        self.history_action(DEFAULT, settings.stated_price().cloned(), began)
    }

    /// What keeps a change of a price for ever.
    pub(super) fn history_action(
        &self,
        model: &str,
        price: Option<Arc<Price>>,
        began: Began,
    ) -> Result<TransactWriteItem, StoreError> {
        let change = PriceChange {
            model: model.to_owned(),
            began,
            price,
        };
        let key = schema::price_change(began.version, model);
        let item = item(key, &change, Marks::default())?;
        Ok(self.store.table.put_action(item, None))
    }
}
