//! Listing keys.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use shared::domain::id::UserId;
use shared::failure::{Failure, Kind};
use utoipa::IntoParams;

use super::json::{self, KeyJson};
use crate::answer::{Answer, List};
use crate::app::App;
use crate::page;
use crate::query::{Query, filled};
use crate::session::Member;

/// Which keys.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct KeysQuery {
    /// For administrators: only this user's keys.
    #[serde(default, deserialize_with = "filled")]
    #[param(value_type = Option<String>)]
    user_id: Option<UserId>,
    /// How many keys: 1 to 200, 50 unless given.
    #[serde(default, deserialize_with = "filled")]
    #[param(value_type = Option<u32>)]
    limit: Option<usize>,
    /// The `next_cursor` of the page before.
    #[serde(default, deserialize_with = "filled")]
    cursor: Option<String>,
}

/// List keys: one's own, or for administrators everybody's
#[utoipa::path(
    get, path = "/api/keys", tag = "keys", params(KeysQuery),
    responses((status = 200, description = "A page of keys", body = List<KeyJson>)),
)]
pub(crate) async fn list_keys(
    State(app): State<App>,
    member: Member,
    Query(query): Query<KeysQuery>,
) -> Answer<Json<List<KeyJson>>> {
    let user = whose(&member, query.user_id)?;
    let keys = app
        .store
        .keys()
        .list(user, page::size(query.limit), query.cursor)
        .await?;
    Ok(Json(List {
        data: json::of_all(&app, &keys.items).await?,
        next_cursor: keys.next,
    }))
}

fn whose(member: &Member, wanted: Option<UserId>) -> Result<Option<UserId>, Failure> {
    let own = member.0.id;
    match wanted {
        wanted if member.is_admin() => Ok(wanted),
        Some(other) if other != own => {
            let text = "Only administrators see the keys of others.";
            Err(Failure::new(Kind::Forbidden, "not_an_administrator", text))
        }
        _ => Ok(Some(own)),
    }
}
