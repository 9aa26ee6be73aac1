//! Listing models.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use shared::domain::channel::Channel;
use shared::store::configuration::Configuration;

use super::json::ModelJson;
use crate::answer::{Answer, List};
use crate::app::App;
use crate::session::Member;

/// List the models that enabled channels name, aliases included and patterns left out
#[utoipa::path(
    get, path = "/api/models", tag = "models",
    responses((status = 200, description = "The models", body = List<ModelJson>)),
)]
pub(crate) async fn list_models(
    State(app): State<App>,
    _: Member,
) -> Answer<Json<List<ModelJson>>> {
    let configuration = app.store.configuration().load().await?;
    let enabled = |channel: &&Channel| channel.enabled;
    let channels: Vec<&Channel> = configuration.channels.iter().filter(enabled).collect();
    let shape = |name: &str| shape(name, &channels, &configuration);
    Ok(Json(List {
        data: names(&channels).into_iter().map(shape).collect(),
        next_cursor: None,
    }))
}

fn names<'a>(channels: &[&'a Channel]) -> BTreeSet<&'a str> {
    let all = channels
        .iter()
        .flat_map(|channel| channel.models.iter().chain(channel.model_mapping.keys()));
    all.map(String::as_str)
        .filter(|name| !name.contains('*'))
        .collect()
}

fn shape(name: &str, channels: &[&Channel], configuration: &Configuration) -> ModelJson {
    let carrying = channels.iter().filter(|channel| channel.carries(name));
    let providers: BTreeSet<&String> = carrying.clone().map(|channel| &channel.provider).collect();
    let price = configuration.listed_price(name);
    ModelJson {
        id: name.to_owned(),
        priced: price.is_some(),
        price: price.map(|price| price.as_ref().into()),
        channels: carrying.count(),
        providers: providers.into_iter().cloned().collect(),
    }
}
