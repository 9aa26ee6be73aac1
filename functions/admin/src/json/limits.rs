//! How often and how much one may call.

use serde::{Deserialize, Serialize};
use shared::domain::limit::Limits;
use shared::failure::Failure;
use utoipa::ToSchema;

use crate::body::present;

/// Limits; null where there is none.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Limits)]
pub(crate) struct LimitsJson {
    /// Requests per minute.
    rpm: Option<u32>,
    /// Tokens per minute.
    tpm: Option<u32>,
    /// Calls at the same time.
    parallel: Option<u32>,
}

impl From<Limits> for LimitsJson {
    fn from(Limits { rpm, tpm, parallel }: Limits) -> Self {
        Self { rpm, tpm, parallel }
    }
}

/// Limits to set: what is left out stays, and null takes a limit away.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LimitsChange)]
pub(crate) struct LimitsBody {
    /// Requests per minute.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<u32>, minimum = 1)]
    rpm: Option<Option<u32>>,
    /// Tokens per minute.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<u32>, minimum = 1)]
    tpm: Option<Option<u32>>,
    /// Calls at the same time.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<u32>, minimum = 1)]
    parallel: Option<Option<u32>>,
}

impl LimitsBody {
    /// The limits `now`, changed by this.
    pub(crate) fn apply(&self, now: Limits) -> Result<Limits, Failure> {
        Ok(Limits {
            rpm: changed("limits.rpm", self.rpm, now.rpm)?,
            tpm: changed("limits.tpm", self.tpm, now.tpm)?,
            parallel: changed("limits.parallel", self.parallel, now.parallel)?,
        })
    }
}

fn changed(
    name: &'static str,
    given: Option<Option<u32>>,
    now: Option<u32>,
) -> Result<Option<u32>, Failure> {
    if given == Some(Some(0)) {
        let text = "A limit is 1 or more; null means that there is none.";
        return Err(Failure::bad_field(name, text));
    }
    Ok(given.unwrap_or(now))
}
