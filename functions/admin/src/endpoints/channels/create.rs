//! Making a channel.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use shared::domain::channel::{Channel, Timeouts};
use shared::domain::cost::Cost;
use shared::domain::group::DEFAULT_GROUP;
use shared::domain::id::ChannelId;
use shared::domain::limit::Limits;
use shared::failure::Failure;
use shared::{random, seal};

use super::body::{self, ChannelBody};
use super::credential;
use super::json::ChannelJson;
use crate::answer::Answer;
use crate::app::App;
use crate::body::Body;
use crate::session::Admin;

/// Create a channel
#[utoipa::path(
    post, path = "/api/channels", tag = "channels", request_body = ChannelBody,
    responses((status = 201, description = "The channel", body = ChannelJson)),
)]
pub(crate) async fn create_channel(
    State(app): State<App>,
    _: Admin,
    Body(mut body): Body<ChannelBody>,
) -> Answer<(StatusCode, Json<ChannelJson>)> {
    for (name, given) in [
        ("name", body.name.is_some()),
        ("provider", body.provider.is_some()),
    ] {
        if !given {
            let text = format!("A channel needs a {name}.");
            return Err(Failure::bad_field(name, text).into());
        }
    }
    let given = body.credential.take().flatten();
    let groups = app.store.configuration().load().await?.groups;
    let mut channel = blank(&app);
    body.apply(&mut channel, &groups)?;
    let card = body::require_card(&channel.provider)?;
    let master_key = &app.secrets().await?.master_key;
    channel.credential = credential::read(card, channel.base_url.as_deref(), given)?
        .map(|text| seal::seal(master_key, channel.id, &text));
    app.store.configuration().put_channel(&channel).await?;
    Ok((StatusCode::CREATED, Json((&channel).into())))
}

fn blank(app: &App) -> Channel {
    Channel {
        id: ChannelId::from_parts(app.at_ms(), random::bits()),
        name: String::new(),
        provider: String::new(),
        base_url: None,
        credential: None,
        models: vec!["*".to_owned()],
        model_mapping: std::collections::BTreeMap::new(),
        dialects: Vec::new(),
        groups: vec![DEFAULT_GROUP.to_owned()],
        priority: 0,
        weight: 1,
        enabled: true,
        tag: None,
        disabled_reason: None,
        timeouts: Timeouts::default(),
        limits: Limits::default(),
        rename_model: false,
        cost: Cost::default(),
        created_at: app.now(),
    }
}
