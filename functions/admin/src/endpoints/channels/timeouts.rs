//! How long to wait for an upstream, as the outside sees and changes it.

use serde::{Deserialize, Serialize};
use shared::domain::channel::Timeouts;
use shared::failure::Failure;
use utoipa::ToSchema;

use crate::body::present;

/// No upstream is waited for longer than an hour.
const LONGEST_MS: u32 = 3_600_000;

/// How long to wait for an upstream, in milliseconds.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Timeouts)]
pub(super) struct TimeoutsJson {
    connect_ms: u32,
    first_byte_ms: u32,
    idle_ms: u32,
    total_ms: u32,
}

impl From<Timeouts> for TimeoutsJson {
    fn from(timeouts: Timeouts) -> Self {
        Self {
            connect_ms: timeouts.connect_ms,
            first_byte_ms: timeouts.first_byte_ms,
            idle_ms: timeouts.idle_ms,
            total_ms: timeouts.total_ms,
        }
    }
}

/// Times to set, in milliseconds: what is left out stays.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TimeoutsChange)]
pub(crate) struct TimeoutsBody {
    /// For a connection.
    #[serde(default, deserialize_with = "present")]
    connect_ms: Option<u32>,
    /// For the first byte of an answer.
    #[serde(default, deserialize_with = "present")]
    first_byte_ms: Option<u32>,
    /// Between two pieces of an answer.
    #[serde(default, deserialize_with = "present")]
    idle_ms: Option<u32>,
    /// For the whole answer.
    #[serde(default, deserialize_with = "present")]
    total_ms: Option<u32>,
}

impl TimeoutsBody {
    /// The times `now`, changed by this.
    pub(super) fn apply(&self, now: Timeouts) -> Result<Timeouts, Failure> {
        let read = |name: &'static str, given: Option<u32>, now| match given {
            Some(ms) if !(1..=LONGEST_MS).contains(&ms) => {
                let text = format!("A time is 1 to {LONGEST_MS} milliseconds.");
                Err(Failure::bad_field(name, text))
            }
            given => Ok(given.unwrap_or(now)),
        };
        Ok(Timeouts {
            connect_ms: read("timeouts.connect_ms", self.connect_ms, now.connect_ms)?,
            first_byte_ms: read(
                "timeouts.first_byte_ms",
                self.first_byte_ms,
                now.first_byte_ms,
            )?,
            idle_ms: read("timeouts.idle_ms", self.idle_ms, now.idle_ms)?,
            total_ms: read("timeouts.total_ms", self.total_ms, now.total_ms)?,
        })
    }
}
