//! Showing a channel.

use axum::Json;
use axum::extract::State;
use shared::domain::channel::Channel;
use shared::domain::id::ChannelId;
use shared::failure::Failure;
use shared::store::configuration::Configuration;

use super::json::ChannelJson;
use crate::answer::Answer;
use crate::app::App;
use crate::path::Named;
use crate::session::Admin;

/// Show a channel
#[utoipa::path(
    get, path = "/api/channels/{id}", tag = "channels", params(("id" = String, Path)),
    responses((status = 200, description = "The channel", body = ChannelJson)),
)]
pub(crate) async fn show_channel(
    State(app): State<App>,
    _: Admin,
    Named(id): Named<ChannelId>,
) -> Answer<Json<ChannelJson>> {
    let configuration = app.store.configuration().load().await?;
    Ok(Json((&require(&configuration, id)?).into()))
}

/// The channel of that id.
pub(super) fn require(configuration: &Configuration, id: ChannelId) -> Result<Channel, Failure> {
    let channel = configuration
        .channels
        .iter()
        .find(|channel| channel.id == id);
    channel
        .cloned()
        .ok_or_else(|| Failure::missing("channel", &id))
}
