//! Changing a price.

use axum::Json;
use axum::extract::State;
use shared::failure::Failure;

use super::body::PriceBody;
use super::{put, show};
use crate::answer::Answer;
use crate::app::App;
use crate::body::Body;
use crate::json::price::PriceJson;
use crate::path::Named;
use crate::session::Admin;

/// Change a price: what is left out stays
#[utoipa::path(
    patch, path = "/api/prices/{*model}", tag = "prices", params(("model" = String, Path)),
    request_body = PriceBody,
    responses((status = 200, description = "The price", body = PriceJson)),
)]
pub(crate) async fn update_price(
    State(app): State<App>,
    _: Admin,
    Named(model): Named<String>,
    Body(body): Body<PriceBody>,
) -> Answer<Json<PriceJson>> {
    put::require_same(&body, &model)?;
    let price = show::find(&app, &model).await?;
    let mut price = price.ok_or_else(|| Failure::missing("price of", &model))?;
    body.apply(&mut price)?;
    app.store.configuration().put_price(&price).await?;
    Ok(Json((&price).into()))
}
