//! One table over the SDK: items in and out, pages, transactions; knows no noun.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::types::{
    AttributeValue, Delete, KeysAndAttributes, Put, TransactWriteItem, Update,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::patience::pause;
use super::schema::{GPK, GSK, ItemKey, LISTING, PK, SK, TTL};
use super::{Page, StoreError};

pub(super) type Item = HashMap<String, AttributeValue>;

/// What an item carries beside its content.
#[derive(Debug, Clone, Default)]
pub(super) struct Marks {
    /// Where it stands in the index `listing`.
    pub(super) listing: Option<(String, String)>,
    /// When it may be deleted, in seconds since 1970.
    pub(super) expires_at_s: Option<i64>,
}

/// Which items of a partition, and how many.
#[derive(Debug, Clone, Default)]
pub(super) struct Range {
    /// The partition: of the table, or of the index `listing`.
    pub(super) partition: String,
    /// Only sort keys that begin so.
    pub(super) prefix: Option<String>,
    /// Only sort keys before this one (in the direction of reading: after it).
    pub(super) beyond: Option<String>,
    /// Only sort keys from the first to the second, both of them too; instead of the two above.
    pub(super) between: Option<(String, String)>,
    /// Whether the partition is one of the index.
    pub(super) listing: bool,
    /// Whether the latest comes first.
    pub(super) backwards: bool,
    /// How many at most; 0 for all.
    pub(super) limit: usize,
}

#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) client: Client,
    /// A client that sends everything once: for writes that must not be repeated unknowingly.
    pub(super) once: Client,
    pub(super) name: String,
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "numbers are small and copied"
)]
pub(super) fn n(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(super) fn s(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// A number in an item; `None` when it is absent or not a number of that type.
pub(super) fn number<T: std::str::FromStr>(item: &Item, name: &str) -> Option<T> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

/// The content of an item.
pub(super) fn content<T: DeserializeOwned>(item: Item) -> Result<T, StoreError> {
    Ok(serde_dynamo::aws_sdk_dynamodb_1::from_item(item)?)
}

/// An item of that content under that key.
pub(super) fn item<T: Serialize>(
    key: ItemKey,
    content: &T,
    marks: Marks,
) -> Result<Item, StoreError> {
    let mut item: Item = serde_dynamo::aws_sdk_dynamodb_1::to_item(content)?;
    item.retain(|_, value| !matches!(value, AttributeValue::Null(_)));
    item.extend(key.attributes());
    if let Some((gpk, gsk)) = marks.listing {
        item.insert(GPK.to_owned(), s(gpk));
        item.insert(GSK.to_owned(), s(gsk));
    }
    if let Some(at) = marks.expires_at_s {
        item.insert(TTL.to_owned(), n(at));
    }
    Ok(item)
}

impl ItemKey {
    pub(super) fn attributes(self) -> Item {
        HashMap::from([(PK.to_owned(), s(self.pk)), (SK.to_owned(), s(self.sk))])
    }
}

impl Table {
    pub(super) fn new(client: Client, name: String) -> Self {
        let once = client
            .config()
            .to_builder()
            .retry_config(RetryConfig::disabled())
            .build();
        Self {
            client,
            once: Client::from_conf(once),
            name,
        }
    }

    pub(super) async fn get(&self, key: ItemKey, read: Read) -> Result<Option<Item>, StoreError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.name)
            .set_key(Some(key.attributes()))
            .consistent_read(read == Read::Latest)
            .send()
            .await?;
        Ok(answer.item)
    }

    pub(super) async fn load<T: DeserializeOwned>(
        &self,
        key: ItemKey,
        read: Read,
    ) -> Result<Option<T>, StoreError> {
        self.get(key, read).await?.map(content).transpose()
    }

    /// Items by their keys, in any order; those that are not there are left out.
    pub(super) async fn get_all(&self, keys: Vec<ItemKey>) -> Result<Vec<Item>, StoreError> {
        const BATCH: usize = 100;
        let mut found = Vec::new();
        let mut keys: Vec<Item> = keys.into_iter().map(ItemKey::attributes).collect();
        while !keys.is_empty() {
            let wanted = KeysAndAttributes::builder()
                .set_keys(Some(keys.split_off(keys.len().saturating_sub(BATCH))))
                .consistent_read(true)
                .build()
                .expect("a batch has keys");
            let batch = self.client.batch_get_item();
            let answer = batch.request_items(&self.name, wanted).send().await?;
            let mut responses = answer.responses.unwrap_or_default();
            found.extend(responses.remove(&self.name).unwrap_or_default());
            // What one answer has no room for is asked again.
            let mut rest = answer.unprocessed_keys.unwrap_or_default();
            keys.extend(rest.remove(&self.name).map_or(Vec::new(), |rest| rest.keys));
        }
        Ok(found)
    }

    /// Writes an item; with `condition`, only when it holds.
    pub(super) async fn put(&self, item: Item, condition: Option<&str>) -> Result<(), StoreError> {
        self.put_if(item, condition, Item::new()).await
    }

    /// The same, with a condition that speaks of values.
    pub(super) async fn put_if(
        &self,
        item: Item,
        condition: Option<&str>,
        values: Item,
    ) -> Result<(), StoreError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_expression_attribute_values((!values.is_empty()).then_some(values))
            .set_item(Some(item));
        put.set_condition_expression(condition.map(str::to_owned))
            .send()
            .await?;
        Ok(())
    }

    pub(super) async fn delete(&self, key: ItemKey) -> Result<(), StoreError> {
        let delete = self.client.delete_item().table_name(&self.name);
        delete.set_key(Some(key.attributes())).send().await?;
        Ok(())
    }

    /// All of the writes, or none.
    pub(super) async fn transact(&self, writes: Vec<TransactWriteItem>) -> Result<(), StoreError> {
        let mut tries = 0;
        loop {
            match self.try_transact(writes.clone()).await {
                // Two administrators at once are rare, and a user's wallet may be busy: a few tries suffice.
                Err(StoreError::Busy(_)) if tries < 8 => {
                    tries += 1;
                    pause(tries).await;
                }
                other => return other,
            }
        }
    }

    /// The same, without another try when it meets another transaction.
    pub(super) async fn try_transact(
        &self,
        writes: Vec<TransactWriteItem>,
    ) -> Result<(), StoreError> {
        let transaction = self.client.transact_write_items();
        transaction.set_transact_items(Some(writes)).send().await?;
        Ok(())
    }

    pub(super) fn put_action(&self, item: Item, condition: Option<&str>) -> TransactWriteItem {
        self.put_action_if(item, condition, Item::new())
    }

    /// The same, with a condition that speaks of values.
    pub(super) fn put_action_if(
        &self,
        item: Item,
        condition: Option<&str>,
        values: Item,
    ) -> TransactWriteItem {
        let put = Put::builder()
            .table_name(&self.name)
            .set_item(Some(item))
            .set_condition_expression(condition.map(str::to_owned))
            .set_expression_attribute_values((!values.is_empty()).then_some(values))
            .build()
            .expect("a put has a table and an item");
        TransactWriteItem::builder().put(put).build()
    }

    pub(super) fn delete_action(&self, key: ItemKey) -> TransactWriteItem {
        let delete = Delete::builder()
            .table_name(&self.name)
            .set_key(Some(key.attributes()))
            .build()
            .expect("a delete has a table and a key");
        TransactWriteItem::builder().delete(delete).build()
    }

    pub(super) fn update_action(
        &self,
        key: ItemKey,
        update: &str,
        condition: Option<&str>,
        values: Item,
    ) -> TransactWriteItem {
        let update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(key.attributes()))
            .update_expression(update)
            .set_condition_expression(condition.map(str::to_owned))
            .set_expression_attribute_values((!values.is_empty()).then_some(values))
            .build()
            .expect("an update has a table, a key and an expression");
        TransactWriteItem::builder().update(update).build()
    }

    /// The items of a range, page by page as the table gives them, until there are enough.
    pub(super) async fn query(&self, range: &Range) -> Result<Vec<Item>, StoreError> {
        // An empty range is no error here, as it is for the table.
        if range.between.as_ref().is_some_and(|(from, to)| from > to) {
            return Ok(Vec::new());
        }
        let mut items = Vec::new();
        let mut start = None;
        loop {
            let answer = self
                .query_page(range, start, range.limit.saturating_sub(items.len()))
                .await?;
            items.extend(answer.items.unwrap_or_default());
            start = answer.last_evaluated_key;
            if start.is_none() || (range.limit > 0 && items.len() >= range.limit) {
                return Ok(items);
            }
        }
    }

    async fn query_page(
        &self,
        range: &Range,
        start: Option<Item>,
        limit: usize,
    ) -> Result<aws_sdk_dynamodb::operation::query::QueryOutput, StoreError> {
        let (pk, sk) = if range.listing { (GPK, GSK) } else { (PK, SK) };
        let beyond = range.beyond.as_deref().map(within_a_key);
        let mut condition = "#pk = :pk".to_owned();
        let mut query = self
            .client
            .query()
            .table_name(&self.name)
            .set_index_name(range.listing.then(|| LISTING.to_owned()))
            .consistent_read(!range.listing)
            .expression_attribute_names("#pk", pk)
            .expression_attribute_values(":pk", s(&range.partition))
            .scan_index_forward(!range.backwards)
            .set_exclusive_start_key(start)
            .set_limit(i32::try_from(limit).ok().filter(|limit| *limit > 0));
        // A key condition takes one test of the sort key; a prefix and a bound make a BETWEEN.
        match (&range.prefix, beyond) {
            (None, None) => {
                if let Some((from, to)) = &range.between {
                    condition.push_str(" AND #sk BETWEEN :from AND :to");
                    query = query
                        .expression_attribute_values(":from", s(from))
                        .expression_attribute_values(":to", s(to));
                }
            }
            (Some(prefix), None) => {
                condition.push_str(" AND begins_with(#sk, :prefix)");
                query = query.expression_attribute_values(":prefix", s(prefix));
            }
            (None, Some(beyond)) => {
                condition.push_str(if range.backwards {
                    " AND #sk < :beyond"
                } else {
                    " AND #sk > :beyond"
                });
                query = query.expression_attribute_values(":beyond", s(beyond));
            }
            (Some(prefix), Some(beyond)) => {
                // Forward only: from just behind the bound to the end of the prefix. A bound comes
                // from a caller: one that is outside of the prefix shows nothing of what is there.
                let beyond = if beyond.starts_with(prefix.as_str()) {
                    beyond
                } else {
                    prefix
                };
                let from = format!("{beyond}\u{0}");
                // The table refuses a range that ends before it begins.
                let to = format!("{prefix}\u{ffff}").max(from.clone());
                condition.push_str(" AND #sk BETWEEN :from AND :to");
                query = query
                    .expression_attribute_values(":from", s(from))
                    .expression_attribute_values(":to", s(to));
            }
        }
        if range.prefix.is_some() || range.beyond.is_some() || range.between.is_some() {
            query = query.expression_attribute_names("#sk", sk);
        }
        Ok(query.key_condition_expression(condition).send().await?)
    }

    /// One page of a listing, in its order, as `T`.
    pub(super) async fn list<T: DeserializeOwned>(
        &self,
        partition: &str,
        prefix: Option<String>,
        limit: usize,
        cursor: Option<String>,
    ) -> Result<Page<T>, StoreError> {
        let range = Range {
            partition: partition.to_owned(),
            prefix,
            beyond: cursor,
            listing: true,
            limit: limit + 1,
            ..Range::default()
        };
        let mut items = self.query(&range).await?;
        let more = items.len() > limit;
        items.truncate(limit);
        let last = items
            .last()
            .and_then(|item| item.get(GSK)?.as_s().ok())
            .cloned();
        let items = items.into_iter().map(content).collect::<Result<_, _>>()?;
        Ok(Page {
            items,
            next: last.filter(|_| more),
        })
    }
}

/// The text, or as much of it as a sort key may have: the table refuses a longer bound, and a caller
/// may send one.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-partition-sort-keys>
fn within_a_key(bound: &str) -> &str {
    // A bound may become a byte longer.
    const MOST_BYTES: usize = 1_023;
    let end = bound.floor_char_boundary(MOST_BYTES);
    bound.get(..end).unwrap_or(bound)
}

/// How fresh a read must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Read {
    /// The latest that was written.
    Latest,
    /// Perhaps a moment old, for half the price.
    Recent,
}
