//! Which usage records: the parameters of the list, and what they mean for whoever asks.

use std::str::FromStr;

use jiff::{Timestamp, ToSpan};
use serde::Deserialize;
use shared::domain::id::{ChannelId, KeyId, RequestId, UserId};
use shared::domain::record::Status;
use shared::failure::{Failure, Kind};
use shared::store::usage_log::{Span, UsageFilter};
use utoipa::IntoParams;

use crate::app::App;
use crate::moment::Moment;
use crate::query::filled;
use crate::session::Member;

/// How far back a list goes when records are kept for ever, in days.
const USUAL_DAYS: u32 = 90;

/// Which records.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct UsageQuery {
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
    /// `ok`, `error`, `cut` or `unsettled`.
    #[serde(default, deserialize_with = "filled")]
    #[param(value_type = Option<String>)]
    status: Option<StatusName>,
    /// The record of this request.
    #[serde(default, deserialize_with = "filled")]
    #[param(value_type = Option<String>)]
    request_id: Option<RequestId>,
    /// From this time on (RFC 3339, or a day in UTC); as long as records are kept unless given.
    #[serde(default, deserialize_with = "filled")]
    #[param(value_type = Option<String>, example = "2026-11-01")]
    from: Option<Moment>,
    /// Before this time (RFC 3339), or up to the end of a day; now unless given.
    #[serde(default, deserialize_with = "filled")]
    #[param(value_type = Option<String>, example = "2026-11-30")]
    to: Option<Moment>,
    /// How many records: 1 to 200, 50 unless given; as CSV 1 to 10000, 10000 unless given.
    #[serde(default, deserialize_with = "filled")]
    #[param(value_type = Option<u32>)]
    pub(super) limit: Option<usize>,
    /// The `next_cursor` of the page before.
    #[serde(default, deserialize_with = "filled")]
    #[param(value_type = Option<String>)]
    pub(super) cursor: Option<RequestId>,
}

#[derive(Debug, Clone, Copy)]
struct StatusName(Status);

impl FromStr for StatusName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "ok" => Ok(Self(Status::Ok)),
            "error" => Ok(Self(Status::Error)),
            "cut" => Ok(Self(Status::Cut)),
            "unsettled" => Ok(Self(Status::Unsettled)),
            _ => Err("ok, error, cut or unsettled is expected"),
        }
    }
}

impl UsageQuery {
    /// The filter for `member`, who sees only their own records unless they keep the books.
    pub(super) fn filter(&self, app: &App, member: &Member) -> Result<UsageFilter, Failure> {
        Ok(UsageFilter {
            user_id: whose(member, self.user_id)?,
            kept_at: Some(app.now()),
            key_id: self.key_id,
            channel_id: self.channel_id,
            model: self.model.clone(),
            status: self.status.map(|StatusName(status)| status),
            request_id: self.request_id,
        })
    }

    /// The time that the list covers.
    pub(super) async fn span(&self, app: &App) -> Result<Span, Failure> {
        // Nothing is written of the future: a list must not walk there.
        let latest = app
            .now()
            .saturating_add(1.minute())
            .map_err(Failure::internal)?;
        let to = self.to.map_or(latest, |to| to.end().min(latest));
        let from = match self.from {
            Some(from) => from.begin(),
            None => earliest(app).await?,
        };
        if from > to {
            return Err(Failure::bad_field(
                "from",
                "The time ends before it begins.",
            ));
        }
        Ok(Span { from, to })
    }
}

/// Whose records `member` sees who asks for those of `wanted`: always their own, unless they keep the
/// books. None means everybody's.
pub(super) fn whose(member: &Member, wanted: Option<UserId>) -> Result<Option<UserId>, Failure> {
    let own = member.0.id;
    match wanted {
        wanted if member.is_admin() => Ok(wanted),
        Some(other) if other != own => {
            let text = "Only administrators see the usage of others.";
            Err(Failure::new(Kind::Forbidden, "not_an_administrator", text))
        }
        _ => Ok(Some(own)),
    }
}

async fn earliest(app: &App) -> Result<Timestamp, Failure> {
    let kept = app
        .store
        .configuration()
        .load()
        .await?
        .settings
        .usage_retention_days;
    let days = if kept == 0 { USUAL_DAYS } else { kept };
    let hours = (i64::from(days) * 24).hours();
    app.now().saturating_sub(hours).map_err(Failure::internal)
}
