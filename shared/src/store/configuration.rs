//! Channels, groups, prices and settings: one partition, one version, read as a whole.

use std::sync::Arc;

use aws_sdk_dynamodb::types::TransactWriteItem;
use jiff::Timestamp;

use super::price_history::Began;
use super::schema;
use super::table::{Marks, Range, Read, content, item, n, number};
use super::{Store, StoreError};
use crate::domain::channel::Channel;
use crate::domain::group::{DEFAULT_GROUP, Group};
use crate::domain::id::ChannelId;
use crate::domain::price::Price;
use crate::domain::price::list::PriceList;
use crate::domain::price_book;
use crate::domain::settings::Settings;

/// The configuration at one version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Configuration {
    /// How many changes made it.
    pub version: u64,
    /// Every channel, by id.
    pub channels: Vec<Channel>,
    /// Every group, by name; the default group is always among them.
    pub groups: Vec<Group>,
    /// Every price that was set or imported.
    pub prices: PriceList,
    /// The settings.
    pub settings: Settings,
}

impl Configuration {
    /// The price of a model by its name: what was set or imported for it, by name or by pattern, or else
    /// what the built-in book says.
    #[must_use]
    pub fn listed_price(&self, model: &str) -> Option<&Arc<Price>> {
        self.prices.find(model).or_else(|| price_book::find(model))
    }

    /// What a model costs: its price, or else what the settings state for models without one. `None`
    /// where its calls are refused.
    #[must_use]
    pub fn price_of(&self, model: &str) -> Option<&Arc<Price>> {
        let listed = self.listed_price(model);
        listed.or_else(|| self.settings.stated_price())
    }
}

/// One change of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Adds or replaces a channel.
    PutChannel(Box<Channel>),
    /// Removes a channel. Calls in flight finish.
    DeleteChannel(ChannelId),
    /// Adds or replaces a group.
    PutGroup(Group),
    /// Removes a group. Its users are refused until they have another.
    DeleteGroup(String),
    /// Adds or replaces a price.
    PutPrice(Box<Price>),
    /// Removes a price; the book's comes back, if there is one.
    DeletePrice(String),
    /// Replaces the settings.
    PutSettings(Box<Settings>),
}

/// How many changes fit into one write.
///
/// A price takes two of a transaction's hundred actions: itself and its place in the history; one more
/// counts.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>
pub const MOST_CHANGES: usize = 49;

/// How often a change is tried again because somebody else has changed something meanwhile.
const TRIES: usize = 16;

/// The handle.
#[derive(Debug, Clone, Copy)]
pub struct ConfigurationStore<'a> {
    pub(super) store: &'a Store,
    seen: Option<u64>,
}

impl Store {
    /// Channels, groups, prices and settings.
    #[must_use]
    pub const fn configuration(&self) -> ConfigurationStore<'_> {
        ConfigurationStore {
            store: self,
            seen: None,
        }
    }
}

impl ConfigurationStore<'_> {
    /// The same, for a change of what was read at that version: it is a conflict when anything of the
    /// configuration has changed since.
    #[must_use]
    pub const fn at(mut self, version: u64) -> Self {
        self.seen = Some(version);
        self
    }

    /// The version now; 0 before the first change.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn version(&self) -> Result<u64, StoreError> {
        self.version_as(Read::Recent).await
    }

    async fn version_as(&self, read: Read) -> Result<u64, StoreError> {
        let item = self.store.table.get(schema::version(), read).await?;
        Ok(item.and_then(|item| number(&item, "n")).unwrap_or(0))
    }

    /// The settings alone: one read, where the rest is not needed.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn settings(&self) -> Result<Settings, StoreError> {
        let key = schema::settings();
        let settings = self.store.table.load(key, Read::Latest).await?;
        Ok(settings.unwrap_or_default())
    }

    /// The groups alone, by name; the default group is always among them.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn groups(&self) -> Result<Vec<Group>, StoreError> {
        let range = Range {
            partition: schema::CONFIG.to_owned(),
            prefix: Some(schema::GROUP.to_owned()),
            ..Range::default()
        };
        let items = self.store.table.query(&range).await?;
        let groups = items.into_iter().map(content);
        Ok(with_default(groups.collect::<Result<_, _>>()?))
    }

    /// All of it.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn load(&self) -> Result<Configuration, StoreError> {
        let range = Range {
            partition: schema::CONFIG.to_owned(),
            ..Range::default()
        };
        let mut all = Configuration::default();
        let mut prices: Vec<Price> = Vec::new();
        for item in self.store.table.query(&range).await? {
            let sk = item
                .get(schema::SK)
                .and_then(|sk| sk.as_s().ok())
                .cloned()
                .unwrap_or_default();
            match sk.as_str() {
                schema::VERSION => all.version = number(&item, "n").unwrap_or(0),
                schema::SETTINGS => all.settings = content(item)?,
                sk if sk.starts_with(schema::CHANNEL) => all.channels.push(content(item)?),
                sk if sk.starts_with(schema::GROUP) => all.groups.push(content(item)?),
                sk if sk.starts_with(schema::PRICE) => prices.push(content(item)?),
                _ => {}
            }
        }
        all.prices = PriceList::new(prices);
        all.groups = with_default(all.groups);
        Ok(all)
    }

    /// Adds or replaces a channel.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn put_channel(&self, channel: &Channel) -> Result<(), StoreError> {
        self.write_now(Change::PutChannel(Box::new(channel.clone())))
            .await
    }

    /// Removes a channel. Calls in flight finish.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn delete_channel(&self, id: ChannelId) -> Result<(), StoreError> {
        self.write_now(Change::DeleteChannel(id)).await
    }

    /// Adds or replaces a group.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn put_group(&self, group: &Group) -> Result<(), StoreError> {
        self.write_now(Change::PutGroup(group.clone())).await
    }

    /// Removes a group. Its users are refused until they have another.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn delete_group(&self, name: &str) -> Result<(), StoreError> {
        self.write_now(Change::DeleteGroup(name.to_owned())).await
    }

    /// Adds or replaces a price, as of now.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn put_price(&self, price: &Price, now: Timestamp) -> Result<(), StoreError> {
        let change = Change::PutPrice(Box::new(price.clone()));
        self.write(&[change], now).await.map(drop)
    }

    /// Removes a price, as of now.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn delete_price(&self, model: &str, now: Timestamp) -> Result<(), StoreError> {
        let change = Change::DeletePrice(model.to_owned());
        self.write(&[change], now).await.map(drop)
    }

    async fn write_now(&self, change: Change) -> Result<(), StoreError> {
        // Only what becomes of prices is dated.
        self.write(&[change], Timestamp::UNIX_EPOCH).await.map(drop)
    }

    /// Writes changes as one, at most [`MOST_CHANGES`], and counts them as one; the new version.
    ///
    /// Without [`Self::at`] they are written whatever else has changed.
    ///
    /// # Errors
    /// A conflict when something has changed since the version that was seen; or when the table cannot
    /// be written.
    pub async fn write(&self, changes: &[Change], now: Timestamp) -> Result<u64, StoreError> {
        if let Some(seen) = self.seen {
            return self.write_at(seen, changes, now).await;
        }
        let mut tries = TRIES;
        loop {
            let seen = self.version_as(Read::Latest).await?;
            match self.write_at(seen, changes, now).await {
                Err(StoreError::Conflict) if tries > 0 => tries -= 1,
                ended => return ended,
            }
        }
    }

    /// Changes, their history and their count, in one transaction that is sure of the version.
    async fn write_at(
        &self,
        seen: u64,
        changes: &[Change],
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let began = Began {
            version: seen + 1,
            at: now,
        };
        let mut actions = Vec::with_capacity(2 * changes.len() + 1);
        for change in changes {
            self.push_actions(&mut actions, change, began)?;
        }
        let mut values = std::collections::HashMap::from([(":one".to_owned(), n(1))]);
        let unchanged = if seen == 0 {
            "attribute_not_exists(n)"
        } else {
            values.insert(":seen".to_owned(), n(seen));
            "n = :seen"
        };
        let table = &self.store.table;
        let count = table.update_action(schema::version(), "ADD n :one", Some(unchanged), values);
        actions.push(count);
        table.transact(actions).await?;
        self.store.changed();
        Ok(began.version)
    }

    fn push_actions(
        &self,
        actions: &mut Vec<TransactWriteItem>,
        change: &Change,
        began: Began,
    ) -> Result<(), StoreError> {
        let table = &self.store.table;
        let none = Marks::default;
        let action = match change {
            Change::PutChannel(channel) => {
                table.put_action(item(schema::channel(channel.id), channel, none())?, None)
            }
            Change::DeleteChannel(id) => table.delete_action(schema::channel(*id)),
            Change::PutGroup(group) => {
                table.put_action(item(schema::group(&group.name), group, none())?, None)
            }
            Change::DeleteGroup(name) => table.delete_action(schema::group(name)),
            Change::PutPrice(price) => {
                actions.push(self.history_action(
                    &price.model,
                    Some(Arc::new(price.as_ref().clone())),
                    began,
                )?);
                table.put_action(item(schema::price(&price.model), price, none())?, None)
            }
            Change::DeletePrice(model) => {
                actions.push(self.history_action(model, None, began)?);
                table.delete_action(schema::price(model))
            }
            Change::PutSettings(settings) => {
                actions.push(self.default_history_action(settings, began)?);
                table.put_action(item(schema::settings(), settings, none())?, None)
            }
        };
        actions.push(action);
        Ok(())
    }
}

/// The groups, and the default group as it is before anybody changes it.
fn with_default(mut groups: Vec<Group>) -> Vec<Group> {
    if !groups.iter().any(|group| group.name == DEFAULT_GROUP) {
        groups.push(Group::fallback_default());
    }
    groups
}
