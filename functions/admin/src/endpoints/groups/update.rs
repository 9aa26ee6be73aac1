//! Changing a group.

use axum::Json;
use axum::extract::State;
use shared::failure::Failure;
use shared::store::configuration::Change;

use super::json::{GroupBody, GroupJson};
use crate::answer::Answer;
use crate::app::App;
use crate::body::Body;
use crate::path::Named;
use crate::session::Admin;

/// Change a group
#[utoipa::path(
    method(patch, put), path = "/api/groups/{name}", tag = "groups",
    params(("name" = String, Path)), request_body = GroupBody,
    responses((status = 200, description = "The group", body = GroupJson)),
)]
pub(crate) async fn update_group(
    State(app): State<App>,
    _: Admin,
    Named(name): Named<String>,
    Body(body): Body<GroupBody>,
) -> Answer<Json<GroupJson>> {
    if body.name.as_ref().is_some_and(|other| *other != name) {
        let text = "A group keeps its name: users and channels name it.";
        return Err(Failure::bad_field("name", text).into());
    }
    let changed = app.change(|configuration| {
        let all = &configuration.groups;
        let group = all.iter().find(|group| group.name == name).cloned();
        let mut group = group.ok_or_else(|| Failure::missing("group", &name))?;
        body.clone().apply(&mut group, all, app.now())?;
        let json = Json((&group).into());
        Ok((Change::PutGroup(group), json))
    });
    Ok(changed.await?)
}
