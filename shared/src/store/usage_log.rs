//! Usage records: each written once, as one item of one write unit; found by user and time.
//!
//! Nothing stands in an index. That a user was active is noted once an hour ([`super::activity`]), and
//! that a record came after its day was added up is noted in the same transaction
//! ([`super::rollups`]): both here, so that no writer can forget it.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

pub use super::usage_list::{Span, UsageFilter};

use super::activity::{Hour, month_of};
use super::schema::{self, PK, TTL};
use super::table::{Item, Marks, Range, Read, content, item, n, number, s};
use super::{Store, StoreError};
use crate::domain::id::{RequestId, UserId};
use crate::domain::record::UsageRecord;
use crate::domain::rollup::{day_of, day_of_request, end_of};

/// How many records are read at once.
const PAGE: usize = 1_000;
/// How much longer than it is shown a record is kept, and at least to the end of that day, so that a
/// day can be added up from all of its records as long as it is shown, and some time beyond.
const GRACE_S: i64 = 86_400;
/// A call that took longer is noted as late, in milliseconds. A record of a shorter one is written
/// well before its time is added up: see [`super::rollups::ENDED_AFTER_MS`].
const LATE_MS: u64 = 10 * 60 * 1_000;
/// The attributes that have no place in [`UsageRecord`]'s own stored form.
const USER: &str = "u";
const HOLDS: &str = "h";
const STATUS: &str = "s";
const CLOSED: &str = "cl";

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
pub struct UsageLog<'a>(pub(super) &'a Store);

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
        let expires_at_s = expiry(record.id, kept_days);
        let activity = self.0.activity();
        activity
            .note(record.user_id, record.id, expires_at_s)
            .await?;
        let item = record_item(record, expires_at_s)?;
        let condition = Some("attribute_not_exists(pk)");
        let written = if record.total_ms > LATE_MS {
            let put = table.put_action(item, condition);
            let stale = self.0.rollups().stale_action(record);
            table.transact(vec![put, stale]).await
        } else {
            table.put(item, condition).await
        };
        match written {
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
        let table = &self.0.table;
        let item = record_item(record, expiry(record.id, kept_days))?;
        let mut values = Item::from([(":unsettled".to_owned(), s("unsettled"))]);
        let mut condition = format!("{STATUS} = :unsettled AND ");
        if closed == 0 {
            condition.push_str(&format!("attribute_not_exists({CLOSED})"));
        } else {
            condition.push_str(&format!("{CLOSED} = :closed"));
            values.insert(":closed".to_owned(), n(closed));
        }
        let put = table.put_action_if(item, Some(&condition), values);
        let stale = self.0.rollups().stale_action(record);
        table.transact(vec![put, stale]).await
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
        let key = schema::usage(user, &month_of(day_of_request(id)), id);
        let item = self.0.table.get(key, Read::Latest).await?;
        item.map(read).transpose()
    }

    /// The record of a request, whoever's it is. Its id tells the hour, and the hour who was active.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub(super) async fn find_item(
        &self,
        user: Option<UserId>,
        id: RequestId,
    ) -> Result<Option<Item>, StoreError> {
        let month = month_of(day_of_request(id));
        let key = |user| schema::usage(user, &month, id);
        let Some(user) = user else {
            let hour_ms = Hour::of(id).begin_ms();
            let active = self.0.activity().between(hour_ms, hour_ms).await?;
            let keys = active.into_iter().map(|(_, user)| key(user)).collect();
            return Ok(self.0.table.get_all(keys).await?.into_iter().next());
        };
        self.0.table.get(key(user), Read::Latest).await
    }

    /// Shows `see` each record of a user whose call began at `from_ms` or later, and before `to_ms`, in
    /// that order. The memory that it takes is that of a page.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn walk(
        &self,
        user: UserId,
        from_ms: i64,
        to_ms: i64,
        see: &mut (dyn FnMut(UsageRecord) + Send),
    ) -> Result<(), StoreError> {
        if from_ms >= to_ms {
            return Ok(());
        }
        let last = last_before(to_ms);
        let mut month = day_of(from_ms).first_of_month();
        let last_month = day_of_request(last).first_of_month();
        while month <= last_month {
            let mut first = first_at(from_ms).to_string();
            loop {
                let range = Range {
                    partition: schema::usage_month(user, &month_of(month)),
                    between: Some((first.clone(), last.to_string())),
                    limit: PAGE,
                    ..Range::default()
                };
                let items = self.0.table.query(&range).await?;
                let more = items.len() == PAGE;
                for item in items {
                    let record = read(item)?;
                    // The next page begins behind this one.
                    first = format!("{}\u{0}", record.id);
                    see(record);
                }
                if !more {
                    break;
                }
            }
            let Ok(next) = month.checked_add(1.month()) else {
                break;
            };
            month = next;
        }
        Ok(())
    }
}

/// The first id of a time in milliseconds since 1970.
pub(super) fn first_at(at_ms: i64) -> RequestId {
    RequestId::from_parts(u64::try_from(at_ms).unwrap_or(0), 0)
}

/// The last id before a time.
pub(super) fn last_before(at_ms: i64) -> RequestId {
    RequestId::from_parts(
        u64::try_from(at_ms.saturating_sub(1)).unwrap_or(0),
        u128::MAX,
    )
}

/// When a record is deleted, in seconds since 1970: those of one day together.
fn expiry(id: RequestId, kept_days: u32) -> Option<i64> {
    let day_over_s = end_of(day_of_request(id)) / 1_000;
    (kept_days > 0).then(|| day_over_s + i64::from(kept_days) * 86_400 + GRACE_S)
}

/// Whether the records of a day may have been deleted by now.
#[must_use]
pub fn has_expired(day: Date, kept_days: u32, now: Timestamp) -> bool {
    earliest_kept(kept_days, now).is_some_and(|earliest| day < earliest)
}

/// The earliest day of which no record may have been deleted by now; none when all are kept.
#[must_use]
pub fn earliest_kept(kept_days: u32, now: Timestamp) -> Option<Date> {
    let deleted_s = now.as_second() - i64::from(kept_days) * 86_400 - GRACE_S;
    (kept_days > 0).then(|| day_of(deleted_s.saturating_mul(1_000)))
}

/// Whether a record is shown still: the table deletes late.
pub(super) fn is_shown(item: &Item, id: RequestId, now: Timestamp) -> bool {
    let Some(deleted_s) = number::<i64>(item, TTL) else {
        return true;
    };
    let kept_s = deleted_s - GRACE_S - end_of(day_of_request(id)) / 1_000;
    let began_s = i64::try_from(id.at_ms() / 1_000).unwrap_or(0);
    began_s + kept_s > now.as_second()
}

/// The record in an item.
pub(super) fn read(mut item: Item) -> Result<UsageRecord, StoreError> {
    let user = item
        .get(PK)
        .and_then(|pk| pk.as_s().ok()?.split('#').nth(1));
    if let Some(user) = user.map(s) {
        item.insert(USER.to_owned(), user);
    }
    let holds = item.remove(HOLDS);
    let mut record: UsageRecord = content(item)?;
    let holds = holds
        .as_ref()
        .and_then(|holds| holds.as_l().ok())
        .into_iter()
        .flatten();
    for hold in holds.filter_map(|hold| hold.as_s().ok()) {
        let hold = record.read_hold(hold);
        record
            .holds
            .push(hold.map_err(|error| StoreError::Unreadable(serde::de::Error::custom(error)))?);
    }
    Ok(record)
}

fn record_item(record: &UsageRecord, expires_at_s: Option<i64>) -> Result<Item, StoreError> {
    let month = month_of(day_of_request(record.id));
    let marks = Marks {
        expires_at_s,
        ..Marks::default()
    };
    let key = schema::usage(record.user_id, &month, record.id);
    let mut item = item(key, record, marks)?;
    // The partition names the user.
    item.remove(USER);
    let holds: Vec<AttributeValue> = record.short_holds().into_iter().map(s).collect();
    if !holds.is_empty() {
        item.insert(HOLDS.to_owned(), AttributeValue::L(holds));
    }
    Ok(item)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::domain::dialect::{Dialect, Lane};
    use crate::domain::hold::{HoldId, HoldName, WalletId};
    use crate::domain::id::{ChannelId, KeyId};
    use crate::domain::money::{NanoUsd, Ratio};
    use crate::domain::price::{Price, Rates};
    use crate::domain::record::{Attempt, Status};
    use crate::domain::usage::Usage;

    const AT_MS: u64 = 1_795_435_200_123;

    /// A long one: two attempts, three holds, an IPv6 address, six components.
    fn typical() -> UsageRecord {
        let id = RequestId::from_parts(AT_MS, u128::MAX);
        let (user_id, key_id) = (UserId::from_bits(u128::MAX), KeyId::from_bits(u128::MAX));
        let channel_id = ChannelId::from_bits(u128::MAX);
        let tokens = Usage {
            input: 123_456,
            cache_read: 98_765,
            cache_write_5m: 45_678,
            output: 12_345,
            reasoning: 6_789,
            input_image: 2_345,
            ..Usage::default()
        };
        let rate = |text: &str| Some(text.parse().unwrap());
        let rates = Rates {
            input: rate("3.0123"),
            output: rate("15.0456"),
            cache_read: rate("0.3012"),
            cache_write_5m: rate("3.7501"),
            reasoning: rate("15.0789"),
            input_image: rate("3.1234"),
            ..Rates::default()
        };
        let price = Price {
            rates,
            ..Price::default()
        };
        let ratio: Ratio = "1.1375".parse().unwrap();
        let bill = price.bill(&tokens, ratio);
        assert_eq!(bill.lines.len(), 6);
        let attempt = |outcome: &str, status| Attempt {
            channel_id,
            outcome: outcome.into(),
            http_status: Some(status),
            ms: 12_345,
        };
        let hold = |wallet| HoldName {
            wallet,
            id: HoldId::first(id).after(1),
            before: NanoUsd::ZERO,
        };
        UsageRecord {
            id,
            user_id,
            key_id: Some(key_id),
            key_name: Some("production, team of ada".into()),
            group: "enterprise".into(),
            channel_id: Some(channel_id),
            provider: Some("openai-compatible".into()),
            model: Some("anthropic.claude-sonnet-4-5-20250929-v1:0".into()),
            upstream_model: Some("us.anthropic.claude-sonnet-4-5-20250929-v1:0".into()),
            dialect: Some(Dialect::OpenaiCompletions),
            lane: Some(Lane::Conversion),
            stream: true,
            status: Status::Cut,
            http_status: 200,
            error_code: Some("provider_timeout".into()),
            attempts: vec![
                attempt("provider_rate_limited", 429),
                attempt("provider_timeout", 200),
            ],
            tokens,
            uncollected: NanoUsd::ZERO,
            closed: 0,
            cost: bill.total,
            upstream_cost: Some(NanoUsd::new(1_234_567_890)),
            bill: bill.lines,
            ratio,
            estimated: true,
            ttfb_ms: Some(12_345),
            total_ms: 234_567,
            config_version: 12_345,
            source_ip: Some("2001:db8:1234:5678:9abc:def0:1234:5678".parse().unwrap()),
            holds: [
                WalletId::User(user_id),
                WalletId::Key(key_id),
                WalletId::Allowance(user_id),
            ]
            .map(hold)
            .to_vec(),
        }
    }

    /// What a table bills: the names, and the values.
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>
    fn size(item: &HashMap<String, AttributeValue>) -> usize {
        item.iter()
            .map(|(name, value)| name.len() + size_of(value))
            .sum()
    }

    fn size_of(value: &AttributeValue) -> usize {
        match value {
            AttributeValue::S(text) => text.len(),
            AttributeValue::N(digits) => digits.len().div_ceil(2) + 2,
            AttributeValue::L(values) => 3 + values.iter().map(|v| 1 + size_of(v)).sum::<usize>(),
            AttributeValue::M(values) => 3 + values.len() + size(values),
            _ => 1,
        }
    }

    #[test]
    fn a_long_record_is_one_write_unit() {
        let item = record_item(&typical(), expiry(typical().id, 90)).unwrap();
        let size = size(&item);
        assert!((400..1_024).contains(&size), "{size} bytes");
        assert!(!item.contains_key(schema::GPK));
    }

    #[test]
    fn a_record_survives_its_item() {
        let mut record = typical();
        let stored = |record: &UsageRecord| read(record_item(record, None).unwrap()).unwrap();
        assert_eq!(stored(&record), record);
        // A lost call tells little; a hold of somebody else's wallet is told in full.
        record.holds = vec![
            HoldName {
                wallet: WalletId::Key(KeyId::from_bits(7)),
                id: HoldId::late(record.id, 0),
                before: NanoUsd::new(12_345),
            },
            HoldName {
                wallet: WalletId::User(record.user_id),
                id: HoldId::first(RequestId::from_parts(1, 2)),
                before: NanoUsd::ZERO,
            },
        ];
        record.key_id = None;
        record.attempts = vec![Attempt {
            channel_id: ChannelId::from_bits(7),
            outcome: "a code of two".into(),
            http_status: None,
            ms: 0,
        }];
        record.tokens = Usage::default();
        record.ratio = Ratio::ONE;
        record.cost = NanoUsd::ZERO;
        (record.model, record.dialect, record.lane) = (None, None, None);
        (record.bill, record.ttfb_ms, record.stream) = (Vec::new(), None, false);
        assert_eq!(stored(&record), record);
    }

    #[test]
    fn a_record_is_shown_for_its_days_and_deleted_with_its_day() {
        let id = RequestId::from_parts(AT_MS, 0);
        let item = record_item(&UsageRecord { id, ..typical() }, expiry(id, 2)).unwrap();
        let at = |ms: i64| Timestamp::from_millisecond(i64::try_from(AT_MS).unwrap() + ms).unwrap();
        let day_ms = 86_400_000;
        assert!(is_shown(&item, id, at(2 * day_ms - 1_000)));
        assert!(!is_shown(&item, id, at(2 * day_ms)));
        // Noon: the day is deleted three and a half days later.
        let day = day_of_request(id);
        assert!(!has_expired(day, 2, at(3 * day_ms + day_ms / 2 - 1_000)));
        assert!(has_expired(day, 2, at(3 * day_ms + day_ms / 2)));
        assert!(!has_expired(day, 0, at(1_000 * day_ms)));
        let kept = record_item(&typical(), expiry(id, 0)).unwrap();
        assert!(is_shown(&kept, id, at(1_000 * day_ms)));
    }
}
