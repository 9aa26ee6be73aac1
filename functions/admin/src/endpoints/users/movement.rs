//! Movements of a user's money, as the outside sees them: credits and usage.

use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use shared::domain::credit::Credit;
use shared::domain::record::UsageRecord;
use shared::domain::user::User;
use shared::failure::Failure;
use shared::store::history::Movement;
use shared::store::usage_log::Span;
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::moment::Moment;
use crate::query::filled;

/// A movement of money into a balance, or out of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Movement)]
pub(crate) struct MovementJson {
    /// The credit's id, or the request's.
    id: String,
    /// When it was booked, or the call arrived.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// `credit` or `usage`.
    kind: &'static str,
    /// Of a credit `top_up`, `redemption`, `gift` or `correction`; of usage `call`.
    cause: &'static str,
    /// Negative when it went out.
    #[schema(example = "-0.000381")]
    amount_usd: String,
    /// What was noted; of usage, the model.
    note: String,
    /// The user who booked a credit; null when nobody did.
    by: Option<String>,
    /// What it is about: of a redemption the code's id, of usage the request's.
    reference: Option<String>,
}

impl From<Credit> for MovementJson {
    fn from(credit: Credit) -> Self {
        Self {
            id: credit.id.to_string(),
            at: credit.id.at(),
            kind: "credit",
            cause: credit.cause.name(),
            amount_usd: credit.amount.to_string(),
            note: credit.note,
            by: credit.by.map(Into::into),
            reference: credit.reference,
        }
    }
}

impl From<Movement> for MovementJson {
    fn from(movement: Movement) -> Self {
        let amount_usd = movement.amount().to_string();
        match movement {
            Movement::Credit(credit) => credit.into(),
            Movement::Usage(record) => {
                let UsageRecord { id, model, .. } = *record;
                Self {
                    id: id.to_string(),
                    at: id.at(),
                    kind: "usage",
                    cause: "call",
                    amount_usd,
                    note: model.unwrap_or_default(),
                    by: None,
                    reference: Some(id.to_string()),
                }
            }
        }
    }
}

/// Which time.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CreditsQuery {
    /// From this time on (RFC 3339, or a day in UTC); from the beginning unless given.
    #[serde(default, deserialize_with = "filled")]
    #[param(value_type = Option<String>, example = "2026-11-01")]
    pub(super) from: Option<Moment>,
    /// Before this time (RFC 3339), or up to the end of a day; now unless given.
    #[serde(default, deserialize_with = "filled")]
    #[param(value_type = Option<String>, example = "2026-11-30")]
    pub(super) to: Option<Moment>,
    /// How many: 1 to 200, 50 unless given.
    #[serde(default, deserialize_with = "filled")]
    #[param(value_type = Option<u32>)]
    pub(super) limit: Option<usize>,
    /// The `next_cursor` of the page before.
    #[serde(default, deserialize_with = "filled")]
    #[param(value_type = Option<String>)]
    pub(super) cursor: Option<shared::domain::id::MovementId>,
}

/// The time between, within which the user has been there.
pub(super) fn span(
    app: &App,
    user: &User,
    from: Option<Moment>,
    to: Option<Moment>,
) -> Result<Span, Failure> {
    // Nothing is written of the future. Clocks differ by less than a day.
    let add = |time: Timestamp, span: jiff::Span| time.saturating_add(span);
    let latest = add(app.now(), 1.minute()).map_err(Failure::internal)?;
    let earliest = add(user.created_at, -24.hours()).map_err(Failure::internal)?;
    let (from, to) = (from.map(Moment::begin), to.map(Moment::end));
    let span = Span {
        from: from.map_or(earliest, |from| from.max(earliest)),
        to: to.map_or(latest, |to| to.min(latest)),
    };
    if from.is_some_and(|from| from > span.to) {
        let text = "The time ends before it begins.";
        return Err(Failure::bad_field("from", text));
    }
    Ok(span)
}
