//! What is to be re-rated: the job's arguments.

use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Map, Value};
use shared::domain::id::UserId;
use shared::domain::rollup::{begin_of, end_of};
use shared::failure::Failure;

const NAMES: [&str; 6] = ["from", "to", "model", "user_id", "price_version", "dry_run"];

/// What is to be re-rated.
#[derive(Debug)]
pub(super) struct Wanted {
    /// Calls that began at this time or later, in milliseconds since 1970.
    pub(super) from_ms: i64,
    /// And before this one.
    pub(super) to_ms: i64,
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
    pub(super) fn read(arguments: &Map<String, Value>) -> Result<Self, Failure> {
        if let Some(name) = arguments
            .keys()
            .find(|name| !NAMES.contains(&name.as_str()))
        {
            let text = format!("There is no argument {name} here.");
            return Err(Failure::bad_field(name.clone(), text));
        }
        let given = |name| arguments.get(name).filter(|value| !value.is_null());
        let wanted = Self {
            from_ms: moment(given("from"), "from", begin_of)?,
            to_ms: moment(given("to"), "to", end_of)?,
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
        if wanted.from_ms >= wanted.to_ms {
            let text = "The time ends before it begins.";
            return Err(Failure::bad_field("from", text));
        }
        Ok(wanted)
    }

    /// What corrections of the same calls have in common, whatever the prices.
    pub(super) fn reference(&self) -> String {
        let model = self.model.as_deref().unwrap_or("*");
        let user = self.user_id.map_or("*".to_owned(), |user| user.to_string());
        format!("re_rate {} {} {user} {model}", self.from_ms, self.to_ms)
    }

    /// What the user reads.
    pub(super) fn note(&self) -> String {
        let at = |ms| Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH);
        let (from, to) = (at(self.from_ms), at(self.to_ms));
        let model = self.model.as_ref();
        let of = model.map_or(String::new(), |model| format!(" of {model}"));
        format!("Calls{of} from {from} to {to} were priced anew.")
    }
}

/// A time, or the begin or end of a day in UTC.
fn moment(
    given: Option<&Value>,
    name: &'static str,
    of_day: fn(Date) -> i64,
) -> Result<i64, Failure> {
    let text = "A time (RFC 3339) or a day such as 2026-11-30 is expected.";
    let wrong = || Failure::bad_field(name, text);
    let given = given.and_then(Value::as_str).ok_or_else(wrong)?;
    if let Ok(at) = given.parse::<Timestamp>() {
        return Ok(at.as_millisecond());
    }
    given.parse().map(of_day).map_err(|_| wrong())
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
