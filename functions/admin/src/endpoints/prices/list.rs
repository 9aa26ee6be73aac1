//! Listing prices.

use axum::Json;
use axum::extract::State;

use crate::answer::{Answer, List};
use crate::app::App;
use crate::json::price::PriceJson;
use crate::page::{self, PageQuery};
use crate::query::Query;
use crate::session::Member;

/// List prices by model
#[utoipa::path(
    get, path = "/api/prices", tag = "prices", params(PageQuery),
    responses((status = 200, description = "A page of prices", body = List<PriceJson>)),
)]
pub(crate) async fn list_prices(
    State(app): State<App>,
    _: Member,
    Query(query): Query<PageQuery>,
) -> Answer<Json<List<PriceJson>>> {
    let prices = app.store.configuration().load().await?.prices;
    let list = page::cut(
        prices.rows().to_vec(),
        &query,
        |price| price.model.clone(),
        |price| price.into(),
    );
    Ok(Json(list))
}
