//! Sums of usage: by day, model, user, channel, key, provider and group, in any order.

use std::str::FromStr;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use jiff::ToSpan;
use serde::Deserialize;
use shared::domain::id::{ChannelId, KeyId, UserId};
use shared::domain::rollup::{begin_of, day_of, end_of};
use shared::failure::Failure;
use shared::store::usage_log::has_expired;
use shared::store::usage_sums::Piece;
use utoipa::IntoParams;

use super::filter::whose;
use super::sums::{By, Groups, SummaryJson};
use crate::answer::Answer;
use crate::app::App;
use crate::csv;
use crate::moment::Moment;
use crate::query::{Query, filled};
use crate::session::Member;

/// How many days are summed when nobody says which.
const USUAL_DAYS: i64 = 30;
/// How many days are summed at most: a query each.
const MOST_DAYS: i32 = 400;
/// How many records of parts of days are counted one by one at most.
const MOST_RECORDS: u64 = 50_000;

/// What to sum.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SummaryQuery {
    /// What makes a row: `day`, `model`, `user`, `channel`, `key`, `provider`, `group`, with commas
    /// between. Rows are sorted in that order. Everything in one row unless given.
    #[serde(default, deserialize_with = "filled")]
    #[param(value_type = Option<String>, example = "day,model")]
    by: Option<Dimensions>,
    /// From this time on (RFC 3339, or a day in UTC); 30 days ago unless given.
    #[serde(default, deserialize_with = "filled")]
    #[param(value_type = Option<String>, example = "2026-11-01")]
    from: Option<Moment>,
    /// Before this time (RFC 3339), or up to the end of a day; now unless given.
    #[serde(default, deserialize_with = "filled")]
    #[param(value_type = Option<String>, example = "2026-11-30")]
    to: Option<Moment>,
    /// Of this user: always oneself, unless an administrator asks.
    #[serde(default, deserialize_with = "filled")]
    #[param(value_type = Option<String>)]
    user_id: Option<UserId>,
    #[serde(default, deserialize_with = "filled")]
    #[param(value_type = Option<String>)]
    key_id: Option<KeyId>,
    /// That this channel answered.
    #[serde(default, deserialize_with = "filled")]
    #[param(value_type = Option<String>)]
    channel_id: Option<ChannelId>,
    /// Of this model, by the caller's name.
    #[serde(default, deserialize_with = "filled")]
    model: Option<String>,
}

#[derive(Debug, Clone)]
struct Dimensions(Vec<By>);

impl FromStr for Dimensions {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut all = Vec::new();
        for name in text.split(',').map(str::trim) {
            let by = By::named(name).ok_or_else(|| {
                format!("{name} is none of day, model, user, channel, key, provider and group")
            })?;
            if !all.contains(&by) {
                all.push(by);
            }
        }
        Ok(Self(all))
    }
}

/// From a time up to but not including another, in milliseconds since 1970.
#[derive(Debug, Clone, Copy)]
struct Reach {
    from_ms: i64,
    to_ms: i64,
}

/// Sum usage: one's own, or for administrators everybody's
///
/// The sums are exact at any moment, and stay when the records they are made of have expired. Days are
/// days in UTC. Where `from` or `to` are no midnights, those parts of days are counted record by record,
/// as long as there are records. At most 400 days and 10000 rows. With `Accept: text/csv` as CSV.
#[utoipa::path(
    get, path = "/api/usage/summary", tag = "usage", params(SummaryQuery),
    responses((
        status = 200, description = "The sums",
        content((SummaryJson = "application/json"), (String = "text/csv")),
    )),
)]
pub(crate) async fn sum_usage(
    State(app): State<App>,
    member: Member,
    headers: HeaderMap,
    Query(query): Query<SummaryQuery>,
) -> Answer<Response> {
    let user = whose(&member, query.user_id)?;
    let reach = query.reach(&app)?;
    let by = query.by.clone().map_or(Vec::new(), |Dimensions(by)| by);
    let mut groups = Groups::new(by);
    let mut see = |piece: Piece<'_>| {
        if query.fits(&piece) {
            groups.add(&piece);
        }
    };
    sum(&app, user, reach, &mut see).await?;
    if groups.too_many() {
        let text = "These are more than 10000 rows. Ask for less time, or for fewer things in by.";
        return Err(Failure::bad_field("by", text).into());
    }
    if csv::is_wanted(&headers) {
        return Ok(groups.csv(member.is_admin())?);
    }
    Ok(Json(groups.json(member.is_admin())).into_response())
}

/// Whole days from what is added up, parts of days from their records.
async fn sum(
    app: &App,
    user: Option<UserId>,
    Reach { from_ms, to_ms }: Reach,
    see: &mut (dyn FnMut(Piece<'_>) + Send),
) -> Result<(), Failure> {
    let rollups = app.store.rollups();
    let (first, last) = (day_of(from_ms), day_of(to_ms.saturating_sub(1)));
    let mut parts = Vec::new();
    let mut whole = (first, last);
    if from_ms > begin_of(first) {
        parts.push((from_ms, end_of(first).min(to_ms), "from"));
        whole.0 = first.tomorrow().map_err(Failure::internal)?;
    }
    if to_ms < end_of(last) && (last > first || parts.is_empty()) {
        parts.push((begin_of(last).max(from_ms), to_ms, "to"));
        whole.1 = last.yesterday().map_err(Failure::internal)?;
    }
    if !parts.is_empty() {
        let settings = app.store.configuration().load().await?.settings;
        let kept = settings.usage_retention_days;
        for (from, to, field) in parts {
            if has_expired(day_of(from), kept, app.now()) {
                let text = "The records of that day have expired: only whole days (UTC) are known.";
                return Err(Failure::bad_field(field, text));
            }
            if !rollups
                .of_hours(user, (from, to), MOST_RECORDS, see)
                .await?
            {
                let text =
                    "There are too many calls in this part of a day. Ask for whole days (UTC).";
                return Err(Failure::bad_field(field, text));
            }
        }
    }
    if whole.0 > whole.1 {
        return Ok(());
    }
    match user {
        Some(user) => rollups.of_user(user, whole, see).await?,
        None => rollups.of_all(whole, see).await?,
    }
    Ok(())
}

impl SummaryQuery {
    fn reach(&self, app: &App) -> Result<Reach, Failure> {
        let now = app.now();
        let today = day_of(now.as_millisecond());
        // Today counts to its end: nothing is written of the future.
        let latest = end_of(today);
        let to_ms = match self.to {
            None => latest,
            Some(Moment::Day(day)) => end_of(day).min(latest),
            Some(Moment::At(at)) if at >= now => latest,
            Some(Moment::At(at)) => at.as_millisecond(),
        };
        let from_ms = match self.from {
            None => {
                let earliest = day_of(to_ms - 1).checked_sub((USUAL_DAYS - 1).days());
                begin_of(earliest.map_err(Failure::internal)?)
            }
            Some(Moment::Day(day)) => begin_of(day),
            Some(Moment::At(at)) => at.as_millisecond(),
        };
        if from_ms >= to_ms {
            let text = "The time ends before it begins, or is still to come.";
            return Err(Failure::bad_field("from", text));
        }
        let days = day_of(from_ms)
            .until(day_of(to_ms))
            .map(|span| span.get_days());
        if days.map_err(Failure::internal)? > MOST_DAYS {
            let text = format!("At most {MOST_DAYS} days are summed at once.");
            return Err(Failure::bad_field("from", text));
        }
        Ok(Reach { from_ms, to_ms })
    }

    fn fits(&self, piece: &Piece<'_>) -> bool {
        let subject = piece.subject;
        self.key_id.is_none_or(|id| subject.key_id == Some(id))
            && self
                .channel_id
                .is_none_or(|id| subject.channel_id == Some(id))
            && (self.model.is_none() || self.model == subject.model)
    }
}
