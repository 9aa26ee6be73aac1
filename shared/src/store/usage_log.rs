//! Usage records: each written once, listed by user or by day, latest first.

use futures_util::future::try_join_all;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan, tz::TimeZone};

use super::schema::{self, DAY_SHARDS};
use super::table::{Item, Marks, Range, Read, content, item, n, s};
use super::{Page, Store, StoreError};
use crate::domain::id::{ChannelId, KeyId, RequestId, UserId};
use crate::domain::record::{Status, UsageRecord};

/// How many records one page may look at before it answers with what it has and a cursor.
const LOOKED_AT: usize = 5_000;
/// How many months of a user, or days of everybody, one page may look into.
const LOOKED_INTO: usize = 400;

/// Which records.
#[derive(Debug, Clone, Default)]
pub struct UsageFilter {
    /// Of this user; without one, everybody's.
    pub user_id: Option<UserId>,
    /// Of this key.
    pub key_id: Option<KeyId>,
    /// That this channel answered.
    pub channel_id: Option<ChannelId>,
    /// Of this model, by the caller's name.
    pub model: Option<String>,
    /// That ended so.
    pub status: Option<Status>,
    /// The record of this request.
    pub request_id: Option<RequestId>,
}

/// The time that a list covers: from `from`, up to but not including `to`.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    /// The earliest.
    pub from: Timestamp,
    /// The first that is too late.
    pub to: Timestamp,
}

/// What writing a record found.
#[derive(Debug)]
pub enum Written {
    /// It is written.
    Now,
    /// There was one for this request already.
    Before(Box<UsageRecord>),
}

/// The handle.
#[derive(Debug, Clone, Copy)]
pub struct UsageLog<'a>(&'a Store);

impl Store {
    /// Usage records.
    #[must_use]
    pub const fn usage_log(&self) -> UsageLog<'_> {
        UsageLog(self)
    }
}

impl UsageLog<'_> {
    /// Writes a record that is kept for so many days (0: for ever). A second one of the same request
    /// is not written.
    ///
    /// # Errors
    /// When the table does not answer. It may be repeated without harm.
    pub async fn write(&self, record: &UsageRecord, kept_days: u32) -> Result<Written, StoreError> {
        let table = &self.0.table;
        match table
            .put(
                record_item(record, kept_days)?,
                Some("attribute_not_exists(pk)"),
            )
            .await
        {
            Ok(()) => Ok(Written::Now),
            Err(StoreError::Conflict) => {
                let found = self.find(record.user_id, record.id).await?;
                Ok(found.map_or(Written::Now, |found| Written::Before(Box::new(found))))
            }
            Err(error) => Err(error),
        }
    }

    /// Puts a record in place of an `unsettled` one that is at that round; any other stays.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the record there is not an unsettled one, or is at another round.
    pub async fn replace_unsettled(
        &self,
        record: &UsageRecord,
        closed: u8,
        kept_days: u32,
    ) -> Result<(), StoreError> {
        let put = self
            .0
            .table
            .client
            .put_item()
            .table_name(&self.0.table.name);
        put.set_item(Some(record_item(record, kept_days)?))
            .condition_expression("#status = :unsettled AND closed = :closed")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":unsettled", s("unsettled"))
            .expression_attribute_values(":closed", n(closed))
            .send()
            .await?;
        Ok(())
    }

    /// The record of a request.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn find(
        &self,
        user: UserId,
        id: RequestId,
    ) -> Result<Option<UsageRecord>, StoreError> {
        self.0
            .table
            .load(
                schema::usage(user, &month_of(date_of(id)), id),
                Read::Latest,
            )
            .await
    }

    /// Records, latest first; `cursor` is the last id of the page before.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn list(
        &self,
        filter: &UsageFilter,
        span: Span,
        limit: usize,
        cursor: Option<RequestId>,
    ) -> Result<Page<UsageRecord>, StoreError> {
        let span = filter.request_id.map_or(span, |id| around(id, span));
        let start = RequestId::from_parts(u64::try_from(span.to.as_millisecond()).unwrap_or(0), 0);
        let mut beyond = cursor.map_or(start, |cursor| cursor.min(start));
        let mut found = Vec::new();
        let (mut looked_at, mut looked_into) = (0, 0);
        let mut bucket = Some(Bucket::of(filter, date_of(beyond)));
        while let Some(current) = bucket {
            let records = self.latest(filter, &current, beyond, limit + 1).await?;
            let more_here = records.len() > limit;
            looked_at += records.len();
            looked_into += 1;
            if records.is_empty() {
                beyond = beyond.min(current.first_id());
            }
            for record in records {
                if record.id.at_ms() < u64::try_from(span.from.as_millisecond()).unwrap_or(0) {
                    return Ok(Page {
                        items: found,
                        next: None,
                    });
                }
                let fits = filter.fits(&record);
                if fits && found.len() == limit {
                    return Ok(Page {
                        items: found,
                        next: Some(beyond.to_string()),
                    });
                }
                beyond = record.id;
                if fits {
                    found.push(record);
                }
            }
            if looked_at >= LOOKED_AT || looked_into >= LOOKED_INTO {
                return Ok(Page {
                    items: found,
                    next: Some(beyond.to_string()),
                });
            }
            bucket = if more_here {
                Some(current)
            } else {
                current.before(span.from)
            };
        }
        Ok(Page {
            items: found,
            next: None,
        })
    }

    /// The latest records of one month of a user, or of one day of everybody.
    async fn latest(
        &self,
        filter: &UsageFilter,
        bucket: &Bucket,
        beyond: RequestId,
        limit: usize,
    ) -> Result<Vec<UsageRecord>, StoreError> {
        let partitions: Vec<String> = match (bucket, filter.user_id) {
            (Bucket::Month(first), Some(user)) => {
                vec![schema::usage_month(user, &month_of(*first))]
            }
            (Bucket::Month(date) | Bucket::Day(date), _) => (0..DAY_SHARDS)
                .map(|shard| schema::usage_day(&date.to_string(), shard))
                .collect(),
        };
        let ranges: Vec<Range> = partitions
            .into_iter()
            .map(|partition| Range {
                partition,
                beyond: Some(beyond.to_string()),
                listing: matches!(bucket, Bucket::Day(_)),
                backwards: true,
                limit,
                ..Range::default()
            })
            .collect();
        let found = try_join_all(ranges.iter().map(|range| self.0.table.query(range))).await?;
        let records = found.into_iter().flatten().map(content);
        let mut records = records.collect::<Result<Vec<UsageRecord>, _>>()?;
        records.sort_by_key(|record| std::cmp::Reverse(record.id));
        records.truncate(limit);
        Ok(records)
    }
}

impl UsageFilter {
    fn fits(&self, record: &UsageRecord) -> bool {
        fn fits<T: PartialEq>(wanted: Option<&T>, is: Option<&T>) -> bool {
            wanted.is_none() || wanted == is
        }
        fits(self.user_id.as_ref(), Some(&record.user_id))
            && fits(self.key_id.as_ref(), record.key_id.as_ref())
            && fits(self.channel_id.as_ref(), record.channel_id.as_ref())
            && fits(self.model.as_ref(), record.model.as_ref())
            && fits(self.status.as_ref(), Some(&record.status))
            && fits(self.request_id.as_ref(), Some(&record.id))
    }
}

/// A partition's worth of time.
#[derive(Debug, Clone, Copy)]
enum Bucket {
    /// One month of a user, by its first day.
    Month(Date),
    /// One day of everybody.
    Day(Date),
}

impl Bucket {
    fn of(filter: &UsageFilter, date: Date) -> Self {
        if filter.user_id.is_some() {
            Self::Month(date.first_of_month())
        } else {
            Self::Day(date)
        }
    }

    /// Before every id of this bucket.
    fn first_id(self) -> RequestId {
        let (Self::Month(first) | Self::Day(first)) = self;
        let start = first
            .to_zoned(TimeZone::UTC)
            .map(|start| start.timestamp().as_millisecond());
        RequestId::from_parts(
            start
                .ok()
                .and_then(|ms| u64::try_from(ms).ok())
                .unwrap_or(0),
            0,
        )
    }

    /// The bucket before this one, if it reaches behind `from`.
    fn before(self, from: Timestamp) -> Option<Self> {
        let earliest = from.to_zoned(TimeZone::UTC).date();
        match self {
            Self::Month(first) => {
                let before = first.checked_sub(1.month()).ok()?;
                (before >= earliest.first_of_month()).then_some(Self::Month(before))
            }
            Self::Day(day) => {
                let before = day.yesterday().ok()?;
                (before >= earliest).then_some(Self::Day(before))
            }
        }
    }
}

/// The millisecond of a request, within a span.
fn around(id: RequestId, span: Span) -> Span {
    let at = |ms| Timestamp::from_millisecond(i64::try_from(ms).unwrap_or(i64::MAX)).ok();
    Span {
        from: at(id.at_ms()).map_or(span.from, |from| from.max(span.from)),
        to: at(id.at_ms() + 1).map_or(span.to, |to| to.min(span.to)),
    }
}

fn date_of(id: RequestId) -> Date {
    let at = i64::try_from(id.at_ms())
        .ok()
        .and_then(|ms| Timestamp::from_millisecond(ms).ok());
    at.unwrap_or(Timestamp::UNIX_EPOCH)
        .to_zoned(TimeZone::UTC)
        .date()
}

fn month_of(date: Date) -> String {
    format!("{:04}-{:02}", date.year(), date.month())
}

fn record_item(record: &UsageRecord, kept_days: u32) -> Result<Item, StoreError> {
    let date = date_of(record.id);
    let shard = u8::try_from(record.id.random() % u128::from(DAY_SHARDS)).unwrap_or(0);
    let listing = Some((
        schema::usage_day(&date.to_string(), shard),
        record.id.to_string(),
    ));
    let began_s = i64::try_from(record.id.at_ms() / 1_000).unwrap_or(0);
    let expires_at_s = (kept_days > 0).then(|| began_s + i64::from(kept_days) * 86_400);
    let key = schema::usage(record.user_id, &month_of(date), record.id);
    item(
        key,
        record,
        Marks {
            listing,
            expires_at_s,
        },
    )
}
