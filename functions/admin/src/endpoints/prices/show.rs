//! Showing the price of exactly that name or pattern.

use axum::Json;
use axum::extract::State;
use shared::domain::price::Price;
use shared::domain::price_book;
use shared::failure::Failure;
use shared::store::configuration::Configuration;

use crate::answer::Answer;
use crate::app::App;
use crate::json::price::PriceJson;
use crate::path::Named;
use crate::session::Member;

/// Show the price of exactly that name or pattern, set, imported or built in
#[utoipa::path(
    get, path = "/api/prices/{*model}", tag = "prices", params(("model" = String, Path)),
    responses((status = 200, description = "The price", body = PriceJson)),
)]
pub(crate) async fn show_price(
    State(app): State<App>,
    _: Member,
    Named(model): Named<String>,
) -> Answer<Json<PriceJson>> {
    let configuration = app.store.configuration().load().await?;
    Ok(Json(load(&configuration, &model)?.into()))
}

/// The price of exactly that name or pattern: what was set or imported, or else the book's.
pub(super) fn load<'a>(
    configuration: &'a Configuration,
    model: &str,
) -> Result<&'a Price, Failure> {
    let own = configuration.prices.named(model);
    let price = own.or_else(|| price_book::named(model));
    price
        .map(AsRef::as_ref)
        .ok_or_else(|| Failure::missing("price of", &model))
}
