//! What is to be re-rated: the job's arguments.

use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Map, Value};
use shared::domain::id::UserId;
use shared::domain::pattern;
use shared::domain::rollup::{begin_of, day_of};
use shared::failure::Failure;
use shared::store::usage_log::earliest_kept;

/// The names of the arguments.
pub(super) const NAMES: &[&str] = &["from", "to", "model", "user_id", "price_version", "dry_run"];

/// What is to be re-rated.
#[derive(Debug)]
pub(super) struct Wanted {
    /// Calls that began on this day (UTC) or later.
    pub(super) first: Date,
    /// And on this one at the latest.
    pub(super) last: Date,
    /// Of this model, or of those that fit this pattern.
    pub(super) model: Option<String>,
    /// Of this user.
    pub(super) user_id: Option<UserId>,
    /// Under the prices of this version of the configuration; the present ones if none.
    pub(super) price_version: Option<u64>,
    /// Whether nothing is booked.
    pub(super) dry_run: bool,
}

impl Wanted {
    /// Reads the arguments.
    pub(super) fn read(arguments: &Map<String, Value>, now: Timestamp) -> Result<Self, Failure> {
        let given = |name| arguments.get(name).filter(|value| !value.is_null());
        let wanted = Self {
            first: first_day(given("from"))?,
            last: last_day(given("to"), now)?,
            model: parsed(given("model"), "model", "A model's name is expected.")?,
            user_id: parsed(given("user_id"), "user_id", "A user's id is expected.")?,
            price_version: match given("price_version") {
                None => None,
                Some(version) => Some(version.as_u64().ok_or_else(|| {
                    Failure::bad_field("price_version", "A whole number is expected.")
                })?),
            },
            dry_run: match given("dry_run") {
                None => true,
                Some(dry_run) => dry_run
                    .as_bool()
                    .ok_or_else(|| Failure::bad_field("dry_run", "true or false is expected."))?,
            },
        };
        if wanted.first > wanted.last {
            let text = "The time ends before it begins.";
            return Err(Failure::bad_field("from", text));
        }
        Ok(wanted)
    }

    /// The same, without days that are still to come, and those whose records may have expired: what is
    /// left of such a day does not tell what it cost.
    pub(super) fn within(self, kept_days: u32, now: Timestamp) -> Self {
        let earliest = earliest_kept(kept_days, now).unwrap_or(day_of(0));
        Self {
            first: self.first.max(earliest),
            last: self.last.min(day_of(now.as_millisecond())),
            ..self
        }
    }

    /// Whether a call of that model is meant.
    pub(super) fn means(&self, model: Option<&str>) -> bool {
        let pattern = self.model.as_deref();
        pattern.is_none_or(|pattern| model.is_some_and(|model| pattern::fits(pattern, model)))
    }

    /// What programs find the credits by.
    pub(super) fn reference(&self) -> String {
        let model = self.model.as_deref().unwrap_or("*");
        format!("re_rate {} {} {model}", self.first, self.last)
    }

    /// What the user reads.
    pub(super) fn note(&self) -> String {
        let model = self.model.as_ref();
        let of = model.map_or(String::new(), |model| format!(" of {model}"));
        let Self { first, last, .. } = self;
        format!("Calls{of} from {first} to {last} were priced anew.")
    }
}

/// The first of the days: a day, or the midnight (UTC) with which one begins.
fn first_day(given: Option<&Value>) -> Result<Date, Failure> {
    match moment(given, "from")? {
        Moment::Day(day) => Ok(day),
        Moment::At(at_ms) if at_ms == begin_of(day_of(at_ms)) => Ok(day_of(at_ms)),
        Moment::At(_) => Err(no_whole_day("from")),
    }
}

/// The last of the days: a day, the midnight (UTC) with which it ends, or a time that is still to come.
fn last_day(given: Option<&Value>, now: Timestamp) -> Result<Date, Failure> {
    match moment(given, "to")? {
        Moment::Day(day) => Ok(day),
        Moment::At(at_ms) if at_ms == begin_of(day_of(at_ms)) => Ok(day_of(at_ms - 1)),
        // No call is later than now, so the rest of that day is empty.
        Moment::At(at_ms) if at_ms >= now.as_millisecond() => Ok(day_of(at_ms)),
        Moment::At(_) => Err(no_whole_day("to")),
    }
}

enum Moment {
    At(i64),
    Day(Date),
}

fn moment(given: Option<&Value>, name: &'static str) -> Result<Moment, Failure> {
    let text = "A day such as 2026-11-30 is expected, or the time (RFC 3339) of a midnight in UTC.";
    let wrong = || Failure::bad_field(name, text);
    let given = given.and_then(Value::as_str).ok_or_else(wrong)?;
    if let Ok(at) = given.parse::<Timestamp>() {
        return Ok(Moment::At(at.as_millisecond()));
    }
    given.parse().map(Moment::Day).map_err(|_| wrong())
}

fn no_whole_day(name: &'static str) -> Failure {
    let text = "Whole days (UTC) are priced anew: a day, or a time at midnight, is expected.";
    Failure::bad_field(name, text)
}

fn parsed<T: FromStr>(
    given: Option<&Value>,
    name: &'static str,
    text: &str,
) -> Result<Option<T>, Failure> {
    let Some(given) = given else {
        return Ok(None);
    };
    let given = given.as_str().and_then(|given| given.parse().ok());
    given
        .map(Some)
        .ok_or_else(|| Failure::bad_field(name, text))
}
