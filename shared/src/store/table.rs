//! One table over the SDK: items in and out, pages, transactions; knows no noun.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, Delete, GlobalSecondaryIndex,
    KeySchemaElement, KeyType, Projection, ProjectionType, Put, ScalarAttributeType,
    TimeToLiveSpecification, TransactWriteItem, Update,
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

    /// Writes an item; with `condition`, only when it holds.
    pub(super) async fn put(&self, item: Item, condition: Option<&str>) -> Result<(), StoreError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
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
        let put = Put::builder()
            .table_name(&self.name)
            .set_item(Some(item))
            .set_condition_expression(condition.map(str::to_owned))
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
        match (&range.prefix, &range.beyond) {
            (None, None) => {}
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
                condition.push_str(" AND #sk BETWEEN :from AND :to");
                query = query
                    .expression_attribute_values(":from", s(format!("{beyond}\u{0}")))
                    .expression_attribute_values(":to", s(format!("{prefix}\u{ffff}")));
            }
        }
        if range.prefix.is_some() || range.beyond.is_some() {
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

    pub(super) async fn create(&self) -> Result<(), StoreError> {
        let created = self
            .client
            .create_table()
            .table_name(&self.name)
            .billing_mode(BillingMode::PayPerRequest)
            .set_attribute_definitions(Some([PK, SK, GPK, GSK].map(text_attribute).to_vec()))
            .set_key_schema(Some(key_schema(PK, SK)))
            .global_secondary_indexes(
                GlobalSecondaryIndex::builder()
                    .index_name(LISTING)
                    .set_key_schema(Some(key_schema(GPK, GSK)))
                    .projection(
                        Projection::builder()
                            .projection_type(ProjectionType::All)
                            .build(),
                    )
                    .build()
                    .expect("an index has a name and a key"),
            )
            .send()
            .await;
        match created {
            Ok(_) => self.expire_by_ttl().await,
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(CreateTableError::is_resource_in_use_exception) =>
            {
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn expire_by_ttl(&self) -> Result<(), StoreError> {
        let ttl = TimeToLiveSpecification::builder()
            .attribute_name(TTL)
            .enabled(true)
            .build();
        let ttl = ttl.expect("the specification has a name");
        let update = self.client.update_time_to_live().table_name(&self.name);
        update.time_to_live_specification(ttl).send().await?;
        Ok(())
    }
}

/// How fresh a read must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Read {
    /// The latest that was written.
    Latest,
    /// Perhaps a moment old, for half the price.
    Recent,
}

fn text_attribute(name: &str) -> AttributeDefinition {
    AttributeDefinition::builder()
        .attribute_name(name)
        .attribute_type(ScalarAttributeType::S)
        .build()
        .expect("an attribute has a name and a type")
}

fn key_schema(hash: &str, range: &str) -> Vec<KeySchemaElement> {
    [(hash, KeyType::Hash), (range, KeyType::Range)]
        .map(|(name, kind)| {
            let element = KeySchemaElement::builder()
                .attribute_name(name)
                .key_type(kind);
            element
                .build()
                .expect("a key element has a name and a type")
        })
        .to_vec()
}
