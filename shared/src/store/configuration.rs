//! Channels, groups, prices and settings: one partition, one version, read as a whole.

use serde::Serialize;

use super::schema::{self, ItemKey};
use super::table::{Marks, Range, Read, content, item, n, number};
use super::{Store, StoreError};
use crate::domain::channel::Channel;
use crate::domain::group::{DEFAULT_GROUP, Group};
use crate::domain::id::ChannelId;
use crate::domain::price::Price;
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
    /// Every price, by model.
    pub prices: Vec<Price>,
    /// The settings.
    pub settings: Settings,
}

/// The handle.
#[derive(Debug, Clone, Copy)]
pub struct ConfigurationStore<'a> {
    store: &'a Store,
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
        let item = self
            .store
            .table
            .get(schema::version(), Read::Recent)
            .await?;
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
                sk if sk.starts_with(schema::PRICE) => all.prices.push(content(item)?),
                _ => {}
            }
        }
        if !all.groups.iter().any(|group| group.name == DEFAULT_GROUP) {
            all.groups.push(Group::fallback_default());
        }
        Ok(all)
    }

    /// Adds or replaces a channel.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn put_channel(&self, channel: &Channel) -> Result<(), StoreError> {
        self.put(schema::channel(channel.id), channel).await
    }

    /// Removes a channel. Calls in flight finish.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn delete_channel(&self, id: ChannelId) -> Result<(), StoreError> {
        self.delete(schema::channel(id)).await
    }

    /// Adds or replaces a group.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn put_group(&self, group: &Group) -> Result<(), StoreError> {
        self.put(schema::group(&group.name), group).await
    }

    /// Removes a group. Its users are refused until they have another.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn delete_group(&self, name: &str) -> Result<(), StoreError> {
        self.delete(schema::group(name)).await
    }

    /// Adds or replaces a price.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn put_price(&self, price: &Price) -> Result<(), StoreError> {
        self.put(schema::price(&price.model), price).await
    }

    /// Removes a price.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn delete_price(&self, model: &str) -> Result<(), StoreError> {
        self.delete(schema::price(model)).await
    }

    /// Replaces the settings.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn put_settings(&self, settings: &Settings) -> Result<(), StoreError> {
        self.put(schema::settings(), settings).await
    }

    async fn put(&self, key: ItemKey, thing: &(impl Serialize + Sync)) -> Result<(), StoreError> {
        let item = item(key, thing, Marks::default())?;
        self.change(self.store.table.put_action(item, None)).await
    }

    async fn delete(&self, key: ItemKey) -> Result<(), StoreError> {
        self.change(self.store.table.delete_action(key)).await
    }

    /// A change and its count, in one transaction.
    async fn change(
        &self,
        action: aws_sdk_dynamodb::types::TransactWriteItem,
    ) -> Result<(), StoreError> {
        let mut values = std::collections::HashMap::from([(":one".to_owned(), n(1))]);
        if let Some(seen) = self.seen {
            values.insert(":seen".to_owned(), n(seen));
        }
        let unchanged = self.seen.map(|_| "n = :seen");
        let count =
            self.store
                .table
                .update_action(schema::version(), "ADD n :one", unchanged, values);
        self.store.table.transact(vec![action, count]).await?;
        self.store.changed();
        Ok(())
    }
}
