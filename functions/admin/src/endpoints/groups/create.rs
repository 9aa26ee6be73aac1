//! Making a group.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use shared::domain::group::Group;
use shared::failure::{Failure, Kind};

use super::json::{self, GroupBody, GroupJson};
use crate::answer::Answer;
use crate::app::App;
use crate::body::Body;
use crate::session::Admin;

/// Create a group
#[utoipa::path(
    post, path = "/api/groups", tag = "groups", request_body = GroupBody,
    responses((status = 201, description = "The group", body = GroupJson)),
)]
pub(crate) async fn create_group(
    State(app): State<App>,
    _: Admin,
    Body(body): Body<GroupBody>,
) -> Answer<(StatusCode, Json<GroupJson>)> {
    let all = app.store.configuration().load().await?.groups;
    let name = json::read_name(body.name.as_deref().unwrap_or_default())?;
    if all.iter().any(|group| group.name == name) {
        let text = format!("There is a group {name} already.");
        let mut failure = Failure::new(Kind::Conflict, "group_exists", text);
        failure.field = Some("name".into());
        return Err(failure.into());
    }
    let mut group = Group {
        name,
        ..Group::fallback_default()
    };
    body.apply(&mut group, &all, app.now())?;
    app.store.configuration().put_group(&group).await?;
    Ok((StatusCode::CREATED, Json((&group).into())))
}
