//! Showing a group.

use axum::Json;
use axum::extract::State;
use shared::failure::Failure;

use super::json::GroupJson;
use crate::answer::Answer;
use crate::app::App;
use crate::path::Named;
use crate::session::Admin;

/// Show a group
#[utoipa::path(
    get, path = "/api/groups/{name}", tag = "groups", params(("name" = String, Path)),
    responses((status = 200, description = "The group", body = GroupJson)),
)]
pub(crate) async fn show_group(
    State(app): State<App>,
    _: Admin,
    Named(name): Named<String>,
) -> Answer<Json<GroupJson>> {
    let groups = app.store.configuration().load().await?.groups;
    let group = groups.iter().find(|group| group.name == name);
    let group = group.ok_or_else(|| Failure::missing("group", &name))?;
    Ok(Json(group.into()))
}
