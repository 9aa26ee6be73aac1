//! Removing a group that nothing names any more.

use axum::extract::State;
use http::StatusCode;
use shared::domain::group::DEFAULT_GROUP;
use shared::failure::{Failure, Kind};
use shared::store::configuration::Configuration;

use crate::answer::Answer;
use crate::app::App;
use crate::path::Named;
use crate::session::Admin;

/// Delete a group
///
/// Refused while a channel or another group names it. Users that are still in it are refused until
/// they are given another. The group `default` stays.
#[utoipa::path(
    delete, path = "/api/groups/{name}", tag = "groups", params(("name" = String, Path)),
    responses((status = 204, description = "Deleted")),
)]
pub(crate) async fn delete_group(
    State(app): State<App>,
    _: Admin,
    Named(name): Named<String>,
) -> Answer<StatusCode> {
    let configuration = app.store.configuration().load().await?;
    if !configuration.groups.iter().any(|group| group.name == name) {
        return Err(Failure::missing("group", &name).into());
    }
    if let Some(reason) = reason_to_keep(&configuration, &name) {
        return Err(Failure::new(Kind::Conflict, "group_in_use", reason).into());
    }
    app.store.configuration().delete_group(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn reason_to_keep(configuration: &Configuration, name: &str) -> Option<String> {
    if name == DEFAULT_GROUP {
        return Some("The group default stays: new users are in it.".to_owned());
    }
    let channel = configuration
        .channels
        .iter()
        .find(|channel| channel.serves(name));
    if let Some(channel) = channel {
        return Some(format!("The channel {} names this group.", channel.name));
    }
    let names_it = |fallback: &[String]| fallback.iter().any(|other| other == name);
    let group = configuration
        .groups
        .iter()
        .find(|group| names_it(&group.fallback));
    group.map(|group| format!("The group {} falls back to this one.", group.name))
}
