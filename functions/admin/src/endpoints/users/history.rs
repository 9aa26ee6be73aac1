//! The history of a user's balance.

use std::str::FromStr;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use shared::domain::id::{MovementId, UserId};
use shared::store::history::MovementKind;
use utoipa::IntoParams;

use super::movement::{self, MovementJson};
use super::show;
use crate::answer::{Answer, List};
use crate::app::App;
use crate::moment::Moment;
use crate::page;
use crate::path::Named;
use crate::query::{Query, filled};
use crate::session::Member;

/// Which movements.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct HistoryQuery {
    /// Only `credit`, or only `usage`.
    #[serde(default, deserialize_with = "filled")]
    #[param(value_type = Option<String>)]
    kind: Option<KindName>,
    /// From this time on (RFC 3339, or a day in UTC); from the beginning unless given.
    #[serde(default, deserialize_with = "filled")]
    #[param(value_type = Option<String>, example = "2026-11-01")]
    from: Option<Moment>,
    /// Before this time (RFC 3339), or up to the end of a day; now unless given.
    #[serde(default, deserialize_with = "filled")]
    #[param(value_type = Option<String>, example = "2026-11-30")]
    to: Option<Moment>,
    /// How many movements: 1 to 200, 50 unless given.
    #[serde(default, deserialize_with = "filled")]
    #[param(value_type = Option<u32>)]
    limit: Option<usize>,
    /// The `next_cursor` of the page before.
    #[serde(default, deserialize_with = "filled")]
    #[param(value_type = Option<String>)]
    cursor: Option<MovementId>,
}

#[derive(Debug, Clone, Copy)]
struct KindName(MovementKind);

impl FromStr for KindName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "credit" => Ok(Self(MovementKind::Credit)),
            "usage" => Ok(Self(MovementKind::Usage)),
            _ => Err("credit or usage is expected"),
        }
    }
}

/// List every movement of a user's money, latest first: one's own, or for administrators anybody's
///
/// Credits, and calls that were paid from the balance. As long as no usage record has expired, all of
/// them together are what the user has and what is held. A page may be empty though another follows.
#[utoipa::path(
    get, path = "/api/users/{id}/history", tag = "users",
    params(("id" = String, Path), HistoryQuery),
    responses((status = 200, description = "A page of movements", body = List<MovementJson>)),
)]
pub(crate) async fn list_history(
    State(app): State<App>,
    member: Member,
    Named(id): Named<UserId>,
    Query(query): Query<HistoryQuery>,
) -> Answer<Json<List<MovementJson>>> {
    let user = show::load(&app, &member, id).await?;
    let span = movement::span(&app, &user, query.from, query.to)?;
    let kind = query.kind.map(|KindName(kind)| kind);
    let size = page::size(query.limit);
    let history = app.store.history();
    let page = history.list((id, kind), span, size, query.cursor).await?;
    Ok(Json(List {
        data: page.items.into_iter().map(Into::into).collect(),
        next_cursor: page.next,
    }))
}
