//! Listing groups.

use axum::Json;
use axum::extract::State;

use super::json::GroupJson;
use crate::answer::{Answer, List};
use crate::app::App;
use crate::page::{self, PageQuery};
use crate::query::Query;
use crate::session::Admin;

/// List groups by name
#[utoipa::path(
    get, path = "/api/groups", tag = "groups", params(PageQuery),
    responses((status = 200, description = "A page of groups", body = List<GroupJson>)),
)]
pub(crate) async fn list_groups(
    State(app): State<App>,
    _: Admin,
    Query(query): Query<PageQuery>,
) -> Answer<Json<List<GroupJson>>> {
    let groups = app.store.configuration().load().await?.groups;
    let list = page::cut(
        groups,
        &query,
        |group| group.name.clone(),
        |group| group.into(),
    );
    Ok(Json(list))
}
