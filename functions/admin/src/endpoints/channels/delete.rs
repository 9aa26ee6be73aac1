//! Removing a channel. Calls in flight finish.

use axum::extract::State;
use http::StatusCode;
use shared::domain::id::ChannelId;

use super::show;
use crate::answer::Answer;
use crate::app::App;
use crate::path::Named;
use crate::session::Admin;

/// Delete a channel
#[utoipa::path(
    delete, path = "/api/channels/{id}", tag = "channels", params(("id" = String, Path)),
    responses((status = 204, description = "Deleted")),
)]
pub(crate) async fn delete_channel(
    State(app): State<App>,
    _: Admin,
    Named(id): Named<ChannelId>,
) -> Answer<StatusCode> {
    let configuration = app.store.configuration().load().await?;
    let channel = show::require(&configuration, id)?;
    app.store.configuration().delete_channel(channel.id).await?;
    Ok(StatusCode::NO_CONTENT)
}
