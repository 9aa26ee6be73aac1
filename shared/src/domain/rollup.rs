//! Usage added up: the calls of one user on one day, by model, channel, provider, key and group.
#![deny(clippy::float_arithmetic)]

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use super::id::{ChannelId, KeyId, RequestId};
use super::money::NanoUsd;
use super::record::{Status, UsageRecord};
use super::usage::{Service, Usage};

/// What the rows beyond [`Rows::MOST`] are added up under.
pub const OTHERS: &str = "(others)";

/// What a row is about. Members that the records do not tell are none.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Subject {
    /// The caller's name of the model.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The channel that answered, or that was tried last.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub channel_id: Option<ChannelId>,
    /// Its provider.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The key that was used.
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<KeyId>,
    /// The group that applied.
    #[serde(rename = "g", default, skip_serializing_if = "String::is_empty")]
    pub group: String,
}

/// What calls add up to. Every sum is exact, or held at the largest number there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sums {
    /// Calls.
    #[serde(rename = "n", skip_serializing_if = "is_zero")]
    pub requests: u64,
    /// Those without an answer.
    #[serde(rename = "e", skip_serializing_if = "is_zero")]
    pub errors: u64,
    /// Those whose answer broke off.
    #[serde(rename = "x", skip_serializing_if = "is_zero")]
    pub cut: u64,
    /// Those that were lost.
    #[serde(rename = "u", skip_serializing_if = "is_zero")]
    pub unsettled: u64,
    /// Those whose usage is an estimate.
    #[serde(rename = "s", skip_serializing_if = "is_zero")]
    pub estimated: u64,
    /// What was used.
    #[serde(rename = "t", skip_serializing_if = "is_nothing")]
    pub tokens: Usage,
    /// What it cost, in nano-USD.
    #[serde(rename = "usd", skip_serializing_if = "is_free")]
    pub cost: NanoUsd,
    /// What calls cost more than they were charged, in nano-USD.
    #[serde(rename = "uc", skip_serializing_if = "is_free")]
    pub uncollected: NanoUsd,
    /// What the operator pays the providers for it, in nano-USD, where channels tell.
    #[serde(rename = "up", skip_serializing_if = "is_free")]
    pub upstream_cost: NanoUsd,
    /// The part of the cost that no hold in the user's balance paid: what unlimited users spend.
    #[serde(rename = "free", skip_serializing_if = "is_free")]
    pub unheld: NanoUsd,
    /// How long the calls took together, in milliseconds.
    #[serde(rename = "ms", skip_serializing_if = "is_zero")]
    pub total_ms: u64,
}

/// Rows by what they are about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows(pub BTreeMap<Subject, Sums>);

impl Subject {
    /// What a record is about.
    #[must_use]
    pub fn of(record: &UsageRecord) -> Self {
        Self {
            model: record.model.as_deref().map(shortened),
            channel_id: record.channel_id,
            provider: record.provider.clone(),
            key_id: record.key_id,
            group: record.group.clone(),
        }
    }
}

impl Sums {
    /// One call.
    #[must_use]
    pub fn of(record: &UsageRecord) -> Self {
        let is = |status| u64::from(record.status == status);
        Self {
            requests: 1,
            errors: is(Status::Error),
            cut: is(Status::Cut),
            unsettled: is(Status::Unsettled),
            estimated: u64::from(record.estimated),
            tokens: Usage {
                service: Service::Standard,
                ..record.tokens
            },
            cost: record.cost,
            uncollected: record.uncollected,
            upstream_cost: record.upstream_cost.unwrap_or_default(),
            unheld: if record.is_held() {
                NanoUsd::ZERO
            } else {
                record.cost
            },
            total_ms: record.total_ms,
        }
    }

    /// Adds others.
    pub fn add(&mut self, other: &Self) {
        // Every member is named, so that none can be forgotten.
        let Self {
            requests,
            errors,
            cut,
            unsettled,
            estimated,
            tokens,
            cost,
            uncollected,
            upstream_cost,
            unheld,
            total_ms,
        } = other;
        for (sum, more) in [
            (&mut self.requests, requests),
            (&mut self.errors, errors),
            (&mut self.cut, cut),
            (&mut self.unsettled, unsettled),
            (&mut self.estimated, estimated),
            (&mut self.total_ms, total_ms),
        ] {
            *sum = sum.saturating_add(*more);
        }
        self.tokens = plus(&self.tokens, tokens);
        self.cost = self.cost.saturating_add(*cost);
        self.uncollected = self.uncollected.saturating_add(*uncollected);
        self.upstream_cost = self.upstream_cost.saturating_add(*upstream_cost);
        self.unheld = self.unheld.saturating_add(*unheld);
    }
}

/// Both together. Services are not summed.
fn plus(one: &Usage, other: &Usage) -> Usage {
    let Usage {
        input,
        cache_read,
        cache_read_audio,
        cache_read_image,
        cache_write_5m,
        cache_write_1h,
        output,
        reasoning,
        input_audio,
        output_audio,
        input_image,
        output_image,
        web_searches,
        file_searches,
        code_runs,
        service: _,
    } = other;
    Usage {
        input: one.input.saturating_add(*input),
        cache_read: one.cache_read.saturating_add(*cache_read),
        cache_read_audio: one.cache_read_audio.saturating_add(*cache_read_audio),
        cache_read_image: one.cache_read_image.saturating_add(*cache_read_image),
        cache_write_5m: one.cache_write_5m.saturating_add(*cache_write_5m),
        cache_write_1h: one.cache_write_1h.saturating_add(*cache_write_1h),
        output: one.output.saturating_add(*output),
        reasoning: one.reasoning.saturating_add(*reasoning),
        input_audio: one.input_audio.saturating_add(*input_audio),
        output_audio: one.output_audio.saturating_add(*output_audio),
        input_image: one.input_image.saturating_add(*input_image),
        output_image: one.output_image.saturating_add(*output_image),
        web_searches: one.web_searches.saturating_add(*web_searches),
        file_searches: one.file_searches.saturating_add(*file_searches),
        code_runs: one.code_runs.saturating_add(*code_runs),
        service: Service::Standard,
    }
}

impl Rows {
    /// How many rows one user's day has at most. Callers name models, so somebody could make up any
    /// number of them: the rows beyond are added up in one, the cheapest first.
    pub const MOST: usize = 4_000;

    /// Counts a call.
    pub fn count(&mut self, record: &UsageRecord) {
        self.add(Subject::of(record), &Sums::of(record));
    }

    /// Adds to one row.
    pub fn add(&mut self, subject: Subject, sums: &Sums) {
        self.0.entry(subject).or_default().add(sums);
    }

    /// Everything together.
    #[must_use]
    pub fn total(&self) -> Sums {
        let mut total = Sums::default();
        for sums in self.0.values() {
            total.add(sums);
        }
        total
    }

    /// The same sums in at most [`Rows::MOST`] rows.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        if self.0.len() <= Self::MOST {
            return self;
        }
        let mut by_cost: Vec<(NanoUsd, u64, Subject)> = self
            .0
            .iter()
            .map(|(subject, sums)| (sums.cost, sums.requests, subject.clone()))
            .collect();
        by_cost.sort_unstable();
        let others = Subject {
            model: Some(OTHERS.to_owned()),
            ..Subject::default()
        };
        let beyond = self.0.len() + 1 - Self::MOST;
        for (_, _, subject) in by_cost.into_iter().take(beyond) {
            if let Some(sums) = self.0.remove(&subject) {
                self.add(others.clone(), &sums);
            }
        }
        self
    }

    /// These rows, and each of `other` that counts more calls: for a day whose records have begun to
    /// expire, so that what is counted again can only be less.
    #[must_use]
    pub fn at_least(mut self, other: Self) -> Self {
        for (subject, sums) in other.0 {
            let row = self.0.entry(subject).or_default();
            if sums.requests > row.requests {
                *row = sums;
            }
        }
        self
    }
}

/// Callers name models: a name longer than any that is real counts by its beginning.
fn shortened(model: &str) -> String {
    const LONGEST: usize = 256;
    if model.chars().nth(LONGEST).is_none() {
        return model.to_owned();
    }
    model.chars().take(LONGEST - 1).chain(['…']).collect()
}

fn is_nothing(tokens: &Usage) -> bool {
    *tokens == Usage::default()
}

fn is_free(amount: &NanoUsd) -> bool {
    *amount == NanoUsd::ZERO
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// The day (UTC) of a time in milliseconds since 1970.
#[must_use]
pub fn day_of(at_ms: i64) -> Date {
    Timestamp::from_millisecond(at_ms)
        .unwrap_or(Timestamp::UNIX_EPOCH)
        .to_zoned(TimeZone::UTC)
        .date()
}

/// The day (UTC) on which a call began.
#[must_use]
pub fn day_of_request(id: RequestId) -> Date {
    day_of(i64::try_from(id.at_ms()).unwrap_or(0))
}

/// When a day begins (UTC), in milliseconds since 1970.
#[must_use]
pub fn begin_of(day: Date) -> i64 {
    let begin = day.to_zoned(TimeZone::UTC);
    begin.map_or(0, |begin| begin.timestamp().as_millisecond())
}

/// When it is over: the next one's begin.
#[must_use]
pub fn end_of(day: Date) -> i64 {
    day.tomorrow().map_or(i64::MAX, begin_of)
}

/// Every day from one to another, both of them too.
pub fn days(first: Date, last: Date) -> impl Iterator<Item = Date> {
    first.series(1.day()).take_while(move |day| *day <= last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(model: &str, requests: u64, cost: i64) -> (Subject, Sums) {
        let subject = Subject {
            model: Some(model.to_owned()),
            ..Subject::default()
        };
        let sums = Sums {
            requests,
            cost: NanoUsd::new(cost),
            ..Sums::default()
        };
        (subject, sums)
    }

    #[test]
    fn too_many_rows_are_added_up_and_nothing_is_lost() {
        let many = (0..10_000).map(|n| row(&format!("made-up-{n}"), 1, n));
        let rows = Rows(many.collect());
        let total = rows.total();
        let bounded = rows.bounded();
        assert_eq!((bounded.0.len(), bounded.total()), (Rows::MOST, total));
        let dearest = row("made-up-9999", 0, 0).0;
        assert!(bounded.0.contains_key(&dearest));
        let others = bounded.0.get(&row(OTHERS, 0, 0).0).unwrap();
        assert_eq!(others.requests, 6_001);
        // More of the same is added to the same row.
        let mut again = bounded.clone();
        again.add(row("new", 1, 1).0, &row("new", 1, 1).1);
        let again = again.bounded();
        assert!(again.0.len() <= Rows::MOST);
        assert_eq!(again.total().requests, 10_001);
    }

    #[test]
    fn a_day_that_expires_keeps_what_was_counted() {
        let before = Rows([row("a", 5, 50), row("b", 1, 1)].into());
        let after = Rows([row("a", 2, 20), row("c", 1, 7)].into());
        let kept = before.at_least(after);
        assert_eq!(
            kept.0,
            [row("a", 5, 50), row("b", 1, 1), row("c", 1, 7)].into()
        );
    }

    #[test]
    fn a_day_is_one_of_utc() {
        let day = day_of(1_700_000_000_000);
        assert_eq!(day.to_string(), "2023-11-14");
        assert_eq!(day_of(begin_of(day)), day);
        assert_eq!(day_of(end_of(day) - 1), day);
        assert_eq!(end_of(day) - begin_of(day), 86_400_000);
        assert_eq!(days(day, day).count(), 1);
        assert_eq!(days(day.tomorrow().unwrap(), day).count(), 0);
    }
}
