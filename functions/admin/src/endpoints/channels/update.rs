//! Changing a channel.

use axum::Json;
use axum::extract::State;
use shared::domain::channel::Channel;
use shared::domain::id::ChannelId;
use shared::failure::Failure;
use shared::seal;

use super::body::{self, ChannelBody};
use super::credential::{self, Credential};
use super::json::ChannelJson;
use super::show;
use crate::answer::Answer;
use crate::app::App;
use crate::body::Body;
use crate::path::Named;
use crate::session::Admin;

/// Change a channel
#[utoipa::path(
    method(patch, put), path = "/api/channels/{id}", tag = "channels",
    params(("id" = String, Path)), request_body = ChannelBody,
    responses((status = 200, description = "The channel", body = ChannelJson)),
)]
pub(crate) async fn update_channel(
    State(app): State<App>,
    _: Admin,
    Named(id): Named<ChannelId>,
    Body(mut body): Body<ChannelBody>,
) -> Answer<Json<ChannelJson>> {
    let configuration = app.store.configuration().load().await?;
    let mut channel = show::require(&configuration, id)?;
    let before = channel.clone();
    let given = body.credential.take();
    body.apply(&mut channel, &configuration.groups)?;
    // One provider's credential is never sent to another, nor to another address.
    if given.is_none() && channel.credential.is_some() && channel.base_url != before.base_url {
        let text = "The address changes, so the credential must be given again with it.";
        return Err(Failure::bad_field("credential", text).into());
    }
    if given.is_some() || channel.provider != before.provider {
        renew_credential(&app, &mut channel, given.flatten()).await?;
    }
    let store = app.store.configuration().at(configuration.version);
    store.put_channel(&channel).await?;
    Ok(Json((&channel).into()))
}

async fn renew_credential(
    app: &App,
    channel: &mut Channel,
    given: Option<Credential>,
) -> Result<(), Failure> {
    let card = body::require_card(&channel.provider)?;
    let master_key = &app.secrets().await?.master_key;
    let text = credential::read(card, channel.base_url.as_deref(), given)?;
    channel.credential = text.map(|text| seal::seal(master_key, channel.id, &text));
    Ok(())
}
