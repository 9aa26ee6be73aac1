//! Rollups: each user's day added up, exactly once, and read together with what is newer.
//!
//! One user's day is one item (or a few, written in one transaction): its rows, and the time
//! `through` which they count. It is only ever replaced as a whole, on the condition that nobody
//! replaced it meanwhile. So a run that dies, runs twice or beside another leaves sums that are
//! exact through what they say, and a reader adds the records that are newer. What comes late, behind
//! that time, is noted in the transaction that writes it; until the day is counted anew, readers count
//! it themselves.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::TransactWriteItem;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::schema::{self, GSK, SK};
use super::table::{Item, Marks, Range, content, item, n, s};
use super::{Store, StoreError};
use crate::domain::id::UserId;
use crate::domain::record::UsageRecord;
use crate::domain::rollup::{Rows, Subject, Sums, begin_of, day_of_request, end_of};

/// Calls that began longer ago, in milliseconds, are ended, or will be by the reconciler: only those
/// are added up. Longer than the longest call, as the reconciler's own limit.
pub const ENDED_AFTER_MS: i64 = 16 * 60 * 1_000;
/// The job that adds up, and what it remembers.
pub const JOB: &str = "roll_up";
/// How often a day is counted anew because somebody else wrote it meanwhile.
const TRIES: usize = 8;
/// How large a part of a day may be, in bytes, roughly: an item holds 400 KB.
const PART_BYTES: usize = 250_000;

/// A user's day, as it is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Day {
    /// Calls that began before are counted, in milliseconds since 1970.
    pub(super) through_ms: i64,
    /// How often it has been written.
    version: u64,
    /// Of how many parts it is made.
    parts: usize,
    /// The sums.
    pub(super) rows: Rows,
}

/// A part, as it is stored.
#[derive(Debug, Serialize, Deserialize)]
struct Part {
    through: i64,
    version: u64,
    parts: usize,
    rows: Vec<Row>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Row {
    #[serde(flatten)]
    subject: Subject,
    #[serde(flatten)]
    sums: Sums,
}

/// A day with records that came after it was added up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stale {
    /// Whose.
    pub user_id: UserId,
    /// Which day.
    pub date: Date,
    /// Changes with every such record.
    mark: String,
}

/// How far a day is to be added up, and from where.
#[derive(Debug, Clone, Copy)]
pub struct Reach {
    /// Calls that began before this time, in milliseconds since 1970.
    pub through_ms: i64,
    /// Whether everything is counted anew, rather than added to what is there.
    pub anew: bool,
    /// Whether records of that day may have expired: then no row is lowered.
    pub expired: bool,
}

/// What the job remembers.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Progress {
    through_ms: i64,
}

/// The handle.
#[derive(Debug, Clone, Copy)]
pub struct Rollups<'a>(pub(super) &'a Store);

impl Store {
    /// Usage added up.
    #[must_use]
    pub const fn rollups(&self) -> Rollups<'_> {
        Rollups(self)
    }
}

impl Rollups<'_> {
    /// Through which time every user's calls are added up, in milliseconds since 1970; `None` before
    /// the first run.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn through(&self) -> Result<Option<i64>, StoreError> {
        let progress: Option<Progress> = self.0.jobs().state(JOB).await?;
        Ok(progress.map(|progress| progress.through_ms))
    }

    /// Remembers that everything through that time is added up.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn reached(&self, through_ms: i64) -> Result<(), StoreError> {
        self.0.jobs().remember(JOB, &Progress { through_ms }).await
    }

    /// Which users' calls began between two times, and on which days; the hours of both count.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn active(
        &self,
        from_ms: i64,
        to_ms: i64,
    ) -> Result<BTreeSet<(UserId, Date)>, StoreError> {
        let notes = self.0.activity().between(from_ms, to_ms).await?;
        Ok(notes
            .into_iter()
            .map(|(hour, user)| (user, hour.day()))
            .collect())
    }

    /// The days that must be counted anew.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn stale(&self) -> Result<Vec<Stale>, StoreError> {
        let range = Range {
            partition: schema::STALE.to_owned(),
            ..Range::default()
        };
        let items = self.0.table.query(&range).await?;
        Ok(items.iter().filter_map(read_stale).collect())
    }

    /// Forgets that a day was to be counted anew, unless more came since.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn counted(&self, stale: &Stale) -> Result<(), StoreError> {
        let table = &self.0.table;
        let delete = table.client.delete_item().table_name(&table.name);
        let key = schema::stale(stale.date, stale.user_id).attributes();
        let deleted = delete
            .set_key(Some(key))
            .condition_expression("mark = :mark")
            .expression_attribute_values(":mark", s(&stale.mark))
            .send()
            .await;
        match deleted.map_err(StoreError::from) {
            Ok(_) | Err(StoreError::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Notes that a record came late, beside the write of the record itself.
    pub(super) fn stale_action(&self, record: &UsageRecord) -> TransactWriteItem {
        let key = schema::stale(day_of_request(record.id), record.user_id);
        // Differs whenever the record does: nobody takes this note for one of before.
        let mark = format!("{} {:?} {}", record.id, record.status, record.cost);
        let values = Item::from([(":mark".to_owned(), s(mark))]);
        self.0
            .table
            .update_action(key, "SET mark = :mark", None, values)
    }

    /// Adds up a user's day; `false` when there was nothing to do.
    ///
    /// # Errors
    /// When the table does not answer, or others keep writing the same day.
    pub async fn add_up(&self, user: UserId, date: Date, reach: Reach) -> Result<bool, StoreError> {
        for _ in 0..TRIES {
            match self.try_add_up(user, date, reach).await {
                Err(StoreError::Conflict) => {}
                other => return other,
            }
        }
        Err(StoreError::Conflict)
    }

    async fn try_add_up(&self, user: UserId, date: Date, reach: Reach) -> Result<bool, StoreError> {
        let seen = self.day(user, date).await?;
        let (begin, end) = (begin_of(date), end_of(date));
        let reached = seen.as_ref().map_or(begin, |day| day.through_ms);
        let target = reach.through_ms.min(end).max(reached);
        // A day that is over is counted once more from its first call: what could have slipped by is
        // in it from then on.
        let anew = reach.anew || (target == end && reached < end);
        if !anew && target == reached {
            return Ok(false);
        }
        let before = seen.clone().unwrap_or_default();
        let (mut rows, from) = if anew {
            (Rows::default(), begin)
        } else {
            (before.rows.clone(), reached)
        };
        let mut count = |record: UsageRecord| rows.count(&record);
        let log = self.0.usage_log();
        log.walk(user, from, target, &mut count).await?;
        rows = settled(before.rows.clone(), rows, reach.expired).bounded();
        let unchanged = target == reached && rows == before.rows;
        if unchanged || (seen.is_none() && rows.0.is_empty()) {
            return Ok(false);
        }
        let day = Day {
            through_ms: target,
            version: before.version + 1,
            parts: 0,
            rows,
        };
        self.put(user, date, (&before, day)).await?;
        Ok(true)
    }

    /// A user's day as it is kept.
    pub(super) async fn day(&self, user: UserId, date: Date) -> Result<Option<Day>, StoreError> {
        let mut days = self.kept(user, date, date).await?;
        match days.remove(&date) {
            // Read while it was written: once more.
            Some(None) => Err(StoreError::Conflict),
            found => Ok(found.flatten()),
        }
    }

    /// A user's days as they are kept; `None` for one that was read while it was written.
    pub(super) async fn kept(
        &self,
        user: UserId,
        first: Date,
        last: Date,
    ) -> Result<BTreeMap<Date, Option<Day>>, StoreError> {
        let range = Range {
            partition: schema::rollups(user),
            between: Some((format!("{first}#"), format!("{last}#~"))),
            ..Range::default()
        };
        let mut parts: BTreeMap<Date, Vec<Part>> = BTreeMap::new();
        for item in self.0.table.query(&range).await? {
            let date = name(&item, SK).and_then(|(date, _)| date.parse().ok());
            if let Some(date) = date {
                parts.entry(date).or_default().push(content(item)?);
            }
        }
        let days = parts.into_iter().map(|(date, parts)| (date, join(parts)));
        Ok(days.collect())
    }

    /// Everybody's days of that date as the index has them: perhaps a moment old.
    pub(super) async fn listed(
        &self,
        date: Date,
    ) -> Result<BTreeMap<UserId, Option<Day>>, StoreError> {
        let range = Range {
            partition: schema::rollups_of_day(date),
            listing: true,
            ..Range::default()
        };
        let mut parts: BTreeMap<UserId, Vec<Part>> = BTreeMap::new();
        for item in self.0.table.query(&range).await? {
            let user = name(&item, GSK).and_then(|(user, _)| user.parse().ok());
            if let Some(user) = user {
                parts.entry(user).or_default().push(content(item)?);
            }
        }
        let days = parts.into_iter().map(|(user, parts)| (user, join(parts)));
        Ok(days.collect())
    }

    /// Replaces a day, if it still is as it was seen.
    async fn put(
        &self,
        user: UserId,
        date: Date,
        (seen, day): (&Day, Day),
    ) -> Result<(), StoreError> {
        let table = &self.0.table;
        let pieces = split(day.rows);
        let parts = pieces.len();
        let (condition, values) = match seen.version {
            0 => ("attribute_not_exists(pk)", Item::new()),
            version => (
                "version = :seen",
                Item::from([(":seen".to_owned(), n(version))]),
            ),
        };
        let mut items = Vec::new();
        for (part, rows) in pieces.into_iter().enumerate() {
            let marks = Marks {
                listing: Some(schema::rollup_listing(user, date, part)),
                ..Marks::default()
            };
            let stored = Part {
                through: day.through_ms,
                version: day.version,
                parts,
                rows,
            };
            items.push(item(schema::rollup(user, date, part), &stored, marks)?);
        }
        // Nearly every day is one part, and one write.
        if parts == 1 && seen.parts <= 1 {
            let only = items.pop().unwrap_or_default();
            return table.put_if(only, Some(condition), values).await;
        }
        let mut actions = Vec::new();
        for (part, item) in items.into_iter().enumerate() {
            let (condition, values) = match part {
                0 => (Some(condition), values.clone()),
                _ => (None, Item::new()),
            };
            actions.push(table.put_action_if(item, condition, values));
        }
        for part in parts..seen.parts {
            actions.push(table.delete_action(schema::rollup(user, date, part)));
        }
        table.transact(actions).await
    }
}

/// What a day's rows become: those that were counted, unless records have expired meanwhile.
pub(super) fn settled(before: Rows, counted: Rows, expired: bool) -> Rows {
    if expired || counted.total().requests < before.total().requests {
        before.at_least(counted)
    } else {
        counted
    }
}

/// The whole of its parts, if they are of one write.
fn join(parts: Vec<Part>) -> Option<Day> {
    let first = parts.first()?;
    let (through_ms, version, count) = (first.through, first.version, first.parts);
    if parts.len() != count || parts.iter().any(|part| part.version != version) {
        return None;
    }
    let rows = parts.into_iter().flat_map(|part| part.rows);
    Some(Day {
        through_ms,
        version,
        parts: count,
        rows: Rows(rows.map(|row| (row.subject, row.sums)).collect()),
    })
}

/// The rows in parts that fit an item each; at least one.
fn split(rows: Rows) -> Vec<Vec<Row>> {
    let mut parts = vec![Vec::new()];
    let mut bytes = 0;
    for (subject, sums) in rows.0 {
        let names = [subject.model.as_ref(), subject.provider.as_ref()];
        let names = names.into_iter().flatten().map(String::len);
        let size = 200 + subject.group.len() + names.sum::<usize>();
        if bytes + size > PART_BYTES {
            parts.push(Vec::new());
            bytes = 0;
        }
        bytes += size;
        if let Some(part) = parts.last_mut() {
            part.push(Row { subject, sums });
        }
    }
    parts
}

/// A sort key in two.
fn name<'a>(item: &'a Item, key: &str) -> Option<(&'a str, &'a str)> {
    item.get(key)?.as_s().ok()?.split_once('#')
}

fn read_stale(item: &Item) -> Option<Stale> {
    let (date, user) = name(item, SK)?;
    Some(Stale {
        user_id: user.parse().ok()?,
        date: date.parse().ok()?,
        mark: item.get("mark")?.as_s().ok()?.clone(),
    })
}
