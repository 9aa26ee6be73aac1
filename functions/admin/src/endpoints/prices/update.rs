//! Changing a price.

use axum::Json;
use axum::extract::State;
use shared::store::configuration::Change;

use super::{put, show};
use crate::answer::Answer;
use crate::app::App;
use crate::body::Body;
use crate::json::price::PriceJson;
use crate::json::price::body::PriceBody;
use crate::path::Named;
use crate::session::Admin;

/// Change a price: what is left out stays. Of a built-in price it makes one of your own
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
    let changed = app.change(|configuration| {
        let mut price = show::load(configuration, &model)?.clone();
        body.apply(&mut price)?;
        let json = PriceJson::from(&price);
        Ok((Change::PutPrice(Box::new(price)), Json(json)))
    });
    Ok(changed.await?)
}
