//! Lists of usage records, latest first: one user's partitions read backwards, or those of everybody
//! who was active, merged by time.

use std::collections::VecDeque;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use jiff::Timestamp;

use super::activity::month_of;
use super::table::{Item, Range};
use super::usage_log::{UsageLog, first_at, is_shown, last_before, read};
use super::{Page, StoreError, schema};
use crate::domain::id::{ChannelId, KeyId, RequestId, UserId};
use crate::domain::record::{Status, UsageRecord};
use crate::domain::rollup::{begin_of, day_of};

/// How many records one page may look at before it answers with what it has and a cursor.
const LOOKED_AT: usize = 5_000;
/// How many stretches of time one page may look into.
const LOOKED_INTO: usize = 200;
/// How many notes of activity a stretch is made of.
const NOTES: usize = 1_000;
/// How many users' records are read at once.
const AT_ONCE: usize = 32;

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
    /// That had not expired at this time: the table deletes late. Without one, all that are there.
    pub kept_at: Option<Timestamp>,
}

/// The time that a list covers: from `from`, up to but not including `to`.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    /// The earliest.
    pub from: Timestamp,
    /// The first that is too late.
    pub to: Timestamp,
}

impl Span {
    fn begin_ms(&self) -> i64 {
        self.from.as_millisecond().max(0)
    }
}

impl UsageLog<'_> {
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
        let end = first_at(span.to.as_millisecond());
        let mut page = Filling {
            filter,
            span,
            limit,
            items: Vec::new(),
            beyond: cursor.map_or(end, |cursor| cursor.min(end)),
            looked_at: 0,
        };
        if let Some(id) = filter.request_id {
            self.one(&mut page, id).await?;
            return Ok(page.done());
        }
        for _ in 0..LOOKED_INTO {
            let Some(at_ms) = page.latest_ms() else {
                return Ok(page.done());
            };
            let (from_ms, users) = match filter.user_id {
                Some(user) => {
                    let month_ms = begin_of(day_of(at_ms).first_of_month());
                    (month_ms.max(span.begin_ms()), vec![user])
                }
                None => {
                    let activity = self.0.activity();
                    let found = activity.latest(span.begin_ms(), at_ms, NOTES).await?;
                    (found.from_ms, found.users)
                }
            };
            if self.fill(&mut page, from_ms, users).await? == Filled::Enough {
                return Ok(page.cut());
            }
            page.beyond = page.beyond.min(first_at(from_ms));
        }
        Ok(page.cut())
    }

    /// Looks at the one record of that id.
    async fn one(&self, page: &mut Filling<'_>, id: RequestId) -> Result<(), StoreError> {
        if id >= page.beyond || id < first_at(page.span.begin_ms()) {
            return Ok(());
        }
        if let Some(item) = self.find_item(page.filter.user_id, id).await?
            && page.filter.shows(&item, id)
        {
            let record = read(item)?;
            if page.filter.fits(&record) {
                page.items.push(record);
            }
        }
        Ok(())
    }

    /// Fills a page with what these users have between a time and where the page is.
    async fn fill(
        &self,
        page: &mut Filling<'_>,
        from_ms: i64,
        users: Vec<UserId>,
    ) -> Result<Filled, StoreError> {
        let share = page.limit * 2 / users.len().max(1);
        let first = share.max(4).min(page.limit + 1);
        let mut runs: Vec<Run> = users
            .into_iter()
            .map(|user| Run::new(user, from_ms, page.beyond, first))
            .collect();
        loop {
            let (empty, mut full): (Vec<Run>, Vec<Run>) =
                runs.into_iter().partition(|run| run.items.is_empty());
            let read: Vec<Run> = stream::iter(empty.into_iter().filter(|run| !run.over))
                .map(|run| self.read_on(run))
                .buffer_unordered(AT_ONCE)
                .try_collect()
                .await?;
            full.extend(read.into_iter().filter(|run| !run.items.is_empty()));
            runs = full;
            if runs.is_empty() {
                return Ok(Filled::NotYet);
            }
            // As long as every run has something, the latest of all is among what was read.
            while runs.iter().all(|run| !run.items.is_empty()) {
                let latest = runs.iter_mut().max_by_key(|run| run.next_id());
                let Some((id, item)) = latest.and_then(|run| run.items.pop_front()) else {
                    break;
                };
                if page.take(id, item)? == Filled::Enough {
                    return Ok(Filled::Enough);
                }
                runs.retain(|run| !(run.items.is_empty() && run.over));
                if runs.is_empty() {
                    return Ok(Filled::NotYet);
                }
            }
        }
    }

    /// Reads on in one user's records.
    async fn read_on(&self, mut run: Run) -> Result<Run, StoreError> {
        // A stretch lies within one month.
        let range = Range {
            partition: schema::usage_month(run.user, &month_of(day_of(run.from_ms))),
            between: Some((
                first_at(run.from_ms).to_string(),
                below(run.beyond).to_string(),
            )),
            backwards: true,
            limit: run.size,
            ..Range::default()
        };
        let items = self.0.table.query(&range).await?;
        run.over = items.len() < run.size;
        run.size = (run.size * 2).min(500);
        for item in items {
            let id = item
                .get(schema::SK)
                .and_then(|sk| sk.as_s().ok()?.parse().ok());
            if let Some(id) = id {
                run.beyond = id;
                run.items.push_back((id, item));
            }
        }
        Ok(run)
    }
}

/// The id before this one.
fn below(id: RequestId) -> RequestId {
    match id.random().checked_sub(1) {
        Some(random) => RequestId::from_parts(id.at_ms(), random),
        None => last_before(i64::try_from(id.at_ms()).unwrap_or(0)),
    }
}

/// One user's records in a stretch of time, read piece by piece.
#[derive(Debug)]
struct Run {
    user: UserId,
    from_ms: i64,
    beyond: RequestId,
    size: usize,
    /// Whether there are no more than those in `items`.
    over: bool,
    items: VecDeque<(RequestId, Item)>,
}

impl Run {
    const fn new(user: UserId, from_ms: i64, beyond: RequestId, size: usize) -> Self {
        Self {
            user,
            from_ms,
            beyond,
            size,
            over: false,
            items: VecDeque::new(),
        }
    }

    fn next_id(&self) -> Option<RequestId> {
        self.items.front().map(|(id, _)| *id)
    }
}

/// A page that is being filled.
#[derive(Debug)]
struct Filling<'a> {
    filter: &'a UsageFilter,
    span: Span,
    limit: usize,
    items: Vec<UsageRecord>,
    /// Everything from here on has been looked at.
    beyond: RequestId,
    looked_at: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Filled {
    /// The page is full, or has looked at as much as it may.
    Enough,
    NotYet,
}

impl Filling<'_> {
    /// The latest time that has not been looked at; `None` when there is none.
    fn latest_ms(&self) -> Option<i64> {
        let at_ms = i64::try_from(below(self.beyond).at_ms()).ok()?;
        (self.beyond > first_at(self.span.begin_ms())).then_some(at_ms)
    }

    fn take(&mut self, id: RequestId, item: Item) -> Result<Filled, StoreError> {
        self.looked_at += 1;
        if self.filter.shows(&item, id) {
            let record = read(item)?;
            if self.filter.fits(&record) {
                if self.items.len() == self.limit {
                    return Ok(Filled::Enough);
                }
                self.items.push(record);
            }
        }
        self.beyond = id;
        Ok(if self.looked_at >= LOOKED_AT {
            Filled::Enough
        } else {
            Filled::NotYet
        })
    }

    /// The page, after which there is nothing.
    fn done(self) -> Page<UsageRecord> {
        Page {
            items: self.items,
            next: None,
        }
    }

    /// The page, after which there may be more.
    fn cut(self) -> Page<UsageRecord> {
        let next = self.latest_ms().map(|_| self.beyond.to_string());
        Page {
            items: self.items,
            next,
        }
    }
}

impl UsageFilter {
    fn shows(&self, item: &Item, id: RequestId) -> bool {
        self.kept_at.is_none_or(|now| is_shown(item, id, now))
    }

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
