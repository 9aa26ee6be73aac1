//! Listing channels.

use axum::Json;
use axum::extract::State;

use super::json::ChannelJson;
use crate::answer::{Answer, List};
use crate::app::App;
use crate::page::{self, PageQuery};
use crate::query::Query;
use crate::session::Admin;

/// List channels, oldest first
#[utoipa::path(
    get, path = "/api/channels", tag = "channels", params(PageQuery),
    responses((status = 200, description = "A page of channels", body = List<ChannelJson>)),
)]
pub(crate) async fn list_channels(
    State(app): State<App>,
    _: Admin,
    Query(query): Query<PageQuery>,
) -> Answer<Json<List<ChannelJson>>> {
    let channels = app.store.configuration().load().await?.channels;
    let list = page::cut(
        channels,
        &query,
        |channel| channel.id.to_string(),
        |channel| channel.into(),
    );
    Ok(Json(list))
}
