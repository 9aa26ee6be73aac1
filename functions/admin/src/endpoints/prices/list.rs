//! Listing prices.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use shared::domain::price::{Origin, Price};
use shared::domain::price_book;
use shared::store::configuration::Configuration;
use utoipa::IntoParams;

use crate::answer::{Answer, List};
use crate::app::App;
use crate::json::price::PriceJson;
use crate::page::{self, PageQuery};
use crate::query::{Query, filled};
use crate::session::Member;

/// Which prices.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PricesQuery {
    /// Only those: `set`, `import` or `book`.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    origin: Option<Origin>,
    /// How many: 1 to 200, 50 unless given.
    #[serde(default, deserialize_with = "filled")]
    #[param(value_type = Option<u32>)]
    limit: Option<usize>,
    /// The `next_cursor` of the page before.
    #[serde(default, deserialize_with = "filled")]
    cursor: Option<String>,
}

/// List the prices that hold, by model: those that were set or imported, and the built-in ones in whose
/// place none of them stands
#[utoipa::path(
    get, path = "/api/prices", tag = "prices", params(PricesQuery),
    responses((status = 200, description = "A page of prices", body = List<PriceJson>)),
)]
pub(crate) async fn list_prices(
    State(app): State<App>,
    _: Member,
    Query(query): Query<PricesQuery>,
) -> Answer<Json<List<PriceJson>>> {
    let configuration = app.store.configuration().load().await?;
    let mut prices = in_force(&configuration);
    prices.retain(|price| query.origin.is_none_or(|origin| price.origin == origin));
    let page = PageQuery {
        limit: query.limit,
        cursor: query.cursor,
    };
    let list = page::cut(
        prices,
        &page,
        |price| price.model.clone(),
        |price| PriceJson::from(*price),
    );
    Ok(Json(list))
}

/// A built-in price does not hold where something that was set fits all of its models.
fn in_force(configuration: &Configuration) -> Vec<&Price> {
    let own = &configuration.prices;
    let book = price_book::rows().iter();
    let book = book.filter(|price| own.find(&price.model).is_none());
    let all = own.rows().iter().chain(book);
    all.map(AsRef::as_ref).collect()
}
