//! Sums of usage, exact at any moment: what is added up already, and the records that are newer.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::{self, StreamExt, TryStreamExt};
use jiff::civil::Date;

use super::StoreError;
use super::rollups::{Day, Rollups, settled};
use crate::domain::id::UserId;
use crate::domain::record::UsageRecord;
use crate::domain::rollup::{Rows, Subject, Sums, begin_of, day_of, day_of_request, days, end_of};

/// How many days of everybody are read at once.
const DAYS_AT_ONCE: usize = 4;
/// How many users' newest records are read at once.
const USERS_AT_ONCE: usize = 16;
/// How far back of what is added up a reader looks for active users, in milliseconds: an index tells
/// a moment late what was written.
const MARGIN_MS: i64 = 3_600_000;

/// Some sums of a user's day. The same user, day and subject may come in several pieces.
#[derive(Debug, Clone, Copy)]
pub struct Piece<'a> {
    /// Whose.
    pub user_id: UserId,
    /// Which day.
    pub date: Date,
    /// What it is about.
    pub subject: &'a Subject,
    /// What it adds up to.
    pub sums: &'a Sums,
}

/// Whoever takes the pieces.
pub type Sink<'a> = dyn FnMut(Piece<'_>) + Send + 'a;

type Days = BTreeMap<Date, Rows>;

impl Rollups<'_> {
    /// Everything of a user from one day to another (UTC), both of them too. It takes one query of a
    /// few hundred bytes a day, and the records that are not added up yet.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn of_user(
        &self,
        user: UserId,
        (first, last): (Date, Date),
        see: &mut Sink<'_>,
    ) -> Result<(), StoreError> {
        let late = self.late(first, last).await?;
        let open = day_of(self.open_from(first).await?);
        let kept = self.kept(user, first, last).await?;
        let mut rows = Days::new();
        let mut through = BTreeMap::new();
        for (date, day) in kept {
            match day {
                Some(day) if !late.contains(&(user, date)) => {
                    if date < open && day.through_ms < end_of(date) {
                        self.newer(user, (day.through_ms, end_of(date)), &mut rows)
                            .await?;
                    }
                    through.insert(date, day.through_ms);
                    merge(&mut rows, date, &day.rows);
                }
                _ => {
                    through.insert(date, i64::MAX);
                    let anew = self.anew(user, date, day).await?;
                    merge(&mut rows, date, &anew);
                }
            }
        }
        for (_, date) in late.iter().filter(|(late, _)| *late == user) {
            if !through.contains_key(date) {
                through.insert(*date, i64::MAX);
                let anew = self.anew(user, *date, None).await?;
                merge(&mut rows, *date, &anew);
            }
        }
        let newest = self.newest(user, (open, last), &through).await?;
        for (date, newest) in newest {
            merge(&mut rows, date, &newest);
        }
        tell(user, &rows, see);
        Ok(())
    }

    /// Everything of everybody from one day to another (UTC), both of them too. It takes one query of
    /// the index a day, of about a kilobyte for each user who was active on it, and the records that
    /// are not added up yet.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn of_all(
        &self,
        (first, last): (Date, Date),
        see: &mut Sink<'_>,
    ) -> Result<(), StoreError> {
        let mut anew = self.late(first, last).await?;
        let open_ms = self.open_from(first).await?;
        let open = day_of(open_ms);
        let mut through: BTreeMap<UserId, BTreeMap<Date, i64>> = BTreeMap::new();
        let mut read = stream::iter(days(first, last))
            .map(|date| async move { self.listed(date).await.map(|listed| (date, listed)) })
            .buffered(DAYS_AT_ONCE);
        while let Some((date, listed)) = read.try_next().await? {
            for (user, day) in listed {
                match day {
                    // What was added up of a day that is over is its end, or the index is late.
                    Some(day) if date >= open || day.through_ms == end_of(date) => {
                        if anew.contains(&(user, date)) {
                            continue;
                        }
                        if date >= open {
                            let through = through.entry(user).or_default();
                            through.insert(date, day.through_ms);
                        }
                        tell(user, &Days::from([(date, day.rows)]), see);
                    }
                    _ => {
                        anew.insert((user, date));
                    }
                }
            }
        }
        for (user, date) in anew.iter().filter(|(_, date)| *date >= open) {
            through.entry(*user).or_default().insert(*date, i64::MAX);
        }
        let mut counted = stream::iter(anew)
            .map(|(user, date)| async move {
                let day = self.kept(user, date, date).await?.remove(&date).flatten();
                let rows = self.anew(user, date, day).await?;
                Ok::<_, StoreError>((user, date, rows))
            })
            .buffer_unordered(USERS_AT_ONCE);
        while let Some((user, date, rows)) = counted.try_next().await? {
            tell(user, &Days::from([(date, rows)]), see);
        }
        let active = self.active(open_ms, end_of(last) - 1).await?;
        let mut since: BTreeMap<UserId, Date> = BTreeMap::new();
        for (user, date) in active {
            since.entry(user).or_insert(date);
        }
        let through = &through;
        let mut newest = stream::iter(since)
            .map(|(user, since)| async move {
                let none = BTreeMap::new();
                let through = through.get(&user).unwrap_or(&none);
                let newest = self.newest(user, (since, last), through).await?;
                Ok::<_, StoreError>((user, newest))
            })
            .buffer_unordered(USERS_AT_ONCE);
        while let Some((user, rows)) = newest.try_next().await? {
            tell(user, &rows, see);
        }
        Ok(())
    }

    /// Everything of a user, or of everybody, between two times within one day, counted record by
    /// record. `false` when there are more than `most`: then not all was told.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn of_hours(
        &self,
        user: Option<UserId>,
        (from_ms, to_ms): (i64, i64),
        most: u64,
        see: &mut Sink<'_>,
    ) -> Result<bool, StoreError> {
        let users: BTreeSet<UserId> = match user {
            Some(user) => BTreeSet::from([user]),
            None => {
                let active = self.active(from_ms, to_ms.saturating_sub(1)).await?;
                active.into_iter().map(|(user, _)| user).collect()
            }
        };
        let mut left = most;
        let mut counted = stream::iter(users)
            .map(|user| async move {
                let mut rows = Days::new();
                self.newer(user, (from_ms, to_ms), &mut rows).await?;
                Ok::<_, StoreError>((user, rows))
            })
            .buffer_unordered(USERS_AT_ONCE);
        while let Some((user, rows)) = counted.try_next().await? {
            tell(user, &rows, see);
            let requests = rows.values().map(|rows| rows.total().requests).sum();
            match left.checked_sub(requests) {
                Some(rest) => left = rest,
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    /// The days, between two, of which records came late.
    async fn late(&self, first: Date, last: Date) -> Result<BTreeSet<(UserId, Date)>, StoreError> {
        let stale = self.stale().await?.into_iter();
        let within = stale.filter(|stale| (first..=last).contains(&stale.date));
        Ok(within.map(|stale| (stale.user_id, stale.date)).collect())
    }

    /// From when on, `first` or later, there may be calls that are not added up.
    async fn open_from(&self, first: Date) -> Result<i64, StoreError> {
        let begin = begin_of(first);
        let through = self.through().await?;
        Ok(through.map_or(begin, |ms| ms.saturating_sub(MARGIN_MS).max(begin)))
    }

    /// A day counted from its records; what was added up before stays where they have expired.
    async fn anew(&self, user: UserId, date: Date, day: Option<Day>) -> Result<Rows, StoreError> {
        let mut rows = Days::new();
        self.newer(user, (begin_of(date), end_of(date)), &mut rows)
            .await?;
        let counted = rows.remove(&date).unwrap_or_default();
        Ok(settled(day.unwrap_or_default().rows, counted, false))
    }

    /// What is newer than what is added up, through each day as told.
    async fn newest(
        &self,
        user: UserId,
        (first, last): (Date, Date),
        through: &BTreeMap<Date, i64>,
    ) -> Result<Days, StoreError> {
        let begin = begin_of(first);
        let from = match through.get(&first) {
            Some(ms) => (*ms).min(end_of(first)).max(begin),
            None => begin,
        };
        let mut rows = Days::new();
        let mut count = |record: UsageRecord| {
            let date = day_of_request(record.id);
            let counted = through.get(&date).is_some_and(|through| {
                i64::try_from(record.id.at_ms()).is_ok_and(|at_ms| at_ms < *through)
            });
            if !counted {
                rows.entry(date).or_default().count(&record);
            }
        };
        let log = self.0.usage_log();
        log.walk(user, from, end_of(last), &mut count).await?;
        Ok(rows)
    }

    /// Counts the records of some time.
    async fn newer(
        &self,
        user: UserId,
        (from_ms, to_ms): (i64, i64),
        rows: &mut Days,
    ) -> Result<(), StoreError> {
        let mut count = |record: UsageRecord| {
            let date = day_of_request(record.id);
            rows.entry(date).or_default().count(&record);
        };
        let log = self.0.usage_log();
        log.walk(user, from_ms, to_ms, &mut count).await
    }
}

fn merge(days: &mut Days, date: Date, rows: &Rows) {
    let all = days.entry(date).or_default();
    for (subject, sums) in &rows.0 {
        all.add(subject.clone(), sums);
    }
}

fn tell(user_id: UserId, days: &Days, see: &mut Sink<'_>) {
    for (date, rows) in days {
        for (subject, sums) in &rows.0 {
            see(Piece {
                user_id,
                date: *date,
                subject,
                sums,
            });
        }
    }
}
