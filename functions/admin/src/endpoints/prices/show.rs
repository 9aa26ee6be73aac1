//! Showing the price of exactly that name or pattern.

use axum::Json;
use axum::extract::State;
use shared::domain::price::Price;
use shared::failure::Failure;

use crate::answer::Answer;
use crate::app::App;
use crate::json::price::PriceJson;
use crate::path::Named;
use crate::session::Member;

/// Show a price
#[utoipa::path(
    get, path = "/api/prices/{*model}", tag = "prices", params(("model" = String, Path)),
    responses((status = 200, description = "The price", body = PriceJson)),
)]
pub(crate) async fn show_price(
    State(app): State<App>,
    _: Member,
    Named(model): Named<String>,
) -> Answer<Json<PriceJson>> {
    let price = find(&app, &model).await?;
    let price = price.ok_or_else(|| Failure::missing("price of", &model))?;
    Ok(Json((&price).into()))
}

/// The price of exactly that name or pattern.
pub(super) async fn find(app: &App, model: &str) -> Result<Option<Price>, Failure> {
    let prices = app.store.configuration().load().await?.prices;
    Ok(prices.named(model).cloned())
}
