//! Who was active when: a note for each hour in which a user's calls began, so that nobody's records
//! must be searched for and no record stands in an index.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, PoisonError};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::schema::{self, PK, SK, TTL};
use super::table::{Item, Range, n};
use super::{Store, StoreError};
use crate::domain::id::{RequestId, UserId};

/// How many of the latest hours a process remembers its notes of. A note of an older one is written again.
const HOURS_REMEMBERED: usize = 4;

/// An hour, counted since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Hour(i64);

impl Hour {
    const MS: i64 = 3_600_000;

    pub(super) fn of_ms(at_ms: i64) -> Self {
        Self(at_ms.div_euclid(Self::MS))
    }

    pub(super) fn of(id: RequestId) -> Self {
        Self::of_ms(i64::try_from(id.at_ms()).unwrap_or(0))
    }

    pub(super) const fn begin_ms(self) -> i64 {
        self.0.saturating_mul(Self::MS)
    }

    fn begin(self) -> jiff::Zoned {
        Timestamp::from_millisecond(self.begin_ms())
            .unwrap_or(Timestamp::UNIX_EPOCH)
            .to_zoned(TimeZone::UTC)
    }

    pub(super) fn day(self) -> Date {
        self.begin().date()
    }

    /// As `2026-11-23T12`.
    fn text(self) -> String {
        self.begin().strftime("%Y-%m-%dT%H").to_string()
    }

    fn month(self) -> String {
        month_of(self.day())
    }

    fn read(text: &str) -> Option<Self> {
        let begin: Timestamp = format!("{text}:00:00Z").parse().ok()?;
        Some(Self::of_ms(begin.as_millisecond()))
    }
}

/// As `2026-11`.
pub(super) fn month_of(date: Date) -> String {
    format!("{:04}-{:02}", date.year(), date.month())
}

/// A user, and until when their note is kept, in seconds since 1970.
type Kept = (UserId, Option<i64>);

/// Which notes this process has written, by hour.
#[derive(Debug, Default)]
pub(super) struct NotedActive(Mutex<BTreeMap<Hour, HashSet<Kept>>>);

impl NotedActive {
    fn knows(&self, hour: Hour, note: Kept) -> bool {
        let noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.get(&hour).is_some_and(|known| known.contains(&note))
    }

    fn remember(&self, hour: Hour, note: Kept) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.entry(hour).or_default().insert(note);
        while noted.len() > HOURS_REMEMBERED {
            noted.pop_first();
        }
    }
}

/// Some notes, the latest first.
#[derive(Debug)]
pub(super) struct Stretch {
    /// Nobody but `users` was active from here on, as far as was asked.
    pub(super) from_ms: i64,
    /// Who was.
    pub(super) users: Vec<UserId>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Activity<'a>(&'a Store);

impl Store {
    pub(super) const fn activity(&self) -> Activity<'_> {
        Activity(self)
    }
}

impl Activity<'_> {
    /// Notes that a call of this user began in that hour, before its record is written. A note lives as
    /// long as the longest-lived of its records.
    pub(super) async fn note(
        &self,
        user: UserId,
        id: RequestId,
        expires_at_s: Option<i64>,
    ) -> Result<(), StoreError> {
        let hour = Hour::of(id);
        if self.0.noted_active.knows(hour, (user, expires_at_s)) {
            return Ok(());
        }
        let table = &self.0.table;
        let key = schema::active(&hour.month(), &hour.text(), user).attributes();
        let written = if let Some(at) = expires_at_s {
            let update = table.client.update_item().table_name(&table.name);
            update
                .set_key(Some(key))
                .update_expression("SET #ttl = :at")
                .condition_expression("attribute_not_exists(#pk) OR #ttl < :at")
                .expression_attribute_names("#ttl", TTL)
                .expression_attribute_names("#pk", PK)
                .expression_attribute_values(":at", n(at))
                .send()
                .await
                .map(|_| ())
                .map_err(StoreError::from)
        } else {
            table.put(key, None).await
        };
        match written {
            // Conflict: there is one that lives as long.
            Ok(()) | Err(StoreError::Conflict) => {
                self.0.noted_active.remember(hour, (user, expires_at_s));
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Who was active in the hours between two times, in milliseconds since 1970; the second one's hour
    /// counts too.
    pub(super) async fn between(
        &self,
        from_ms: i64,
        to_ms: i64,
    ) -> Result<Vec<(Hour, UserId)>, StoreError> {
        let (first, last) = (Hour::of_ms(from_ms), Hour::of_ms(to_ms));
        let mut found = Vec::new();
        let mut month = first.day().first_of_month();
        while month <= last.day() {
            let range = Range {
                partition: schema::active_month(&month_of(month)),
                between: Some((first.text(), behind(last))),
                ..Range::default()
            };
            found.extend(self.0.table.query(&range).await?.iter().filter_map(read));
            match month.checked_add(1.month()) {
                Ok(next) => month = next,
                Err(_) => break,
            }
        }
        Ok(found)
    }

    /// The latest notes at or before a time and not before another, within one month: of whole hours,
    /// and of as many as `most` notes fit, or of one.
    pub(super) async fn latest(
        &self,
        from_ms: i64,
        to_ms: i64,
        most: usize,
    ) -> Result<Stretch, StoreError> {
        let first_of_month = Hour::of_ms(to_ms).day().first_of_month();
        let month_ms = crate::domain::rollup::begin_of(first_of_month);
        let (first, last) = (Hour::of_ms(from_ms.max(month_ms)), Hour::of_ms(to_ms));
        let range = |from: Hour, to: Hour, limit| Range {
            partition: schema::active_month(&month_of(first_of_month)),
            between: Some((from.text(), behind(to))),
            backwards: true,
            limit,
            ..Range::default()
        };
        let items = self.0.table.query(&range(first, last, most)).await?;
        let mut notes: Vec<(Hour, UserId)> = items.iter().filter_map(read).collect();
        let mut from = first;
        if items.len() >= most
            && let (Some((latest, _)), Some((broken_off, _))) = (notes.first(), notes.last())
        {
            if latest > broken_off {
                from = Hour(broken_off.0 + 1);
                notes.retain(|(hour, _)| *hour >= from);
            } else {
                from = *latest;
                let all = self.0.table.query(&range(from, from, 0)).await?;
                notes = all.iter().filter_map(read).collect();
            }
        }
        let mut users: Vec<UserId> = notes.into_iter().map(|(_, user)| user).collect();
        users.sort_unstable();
        users.dedup();
        Ok(Stretch {
            from_ms: from.begin_ms().max(from_ms),
            users,
        })
    }
}

/// Behind every note of that hour, and before those of the next.
fn behind(hour: Hour) -> String {
    format!("{}#~", hour.text())
}

fn read(item: &Item) -> Option<(Hour, UserId)> {
    let (hour, user) = item.get(SK)?.as_s().ok()?.split_once('#')?;
    Some((Hour::read(hour)?, user.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_survives_its_text_and_sorts_by_it() {
        let hour = Hour::of_ms(1_795_435_200_000);
        assert_eq!(hour.text(), "2026-11-23T12");
        assert_eq!(Hour::read(&hour.text()), Some(hour));
        assert_eq!(Hour::read("nonsense"), None);
        let note = format!("{}#{}", hour.text(), UserId::from_bits(u128::MAX));
        assert!(note < behind(hour) && behind(hour) < Hour(hour.0 + 1).text());
    }
}
