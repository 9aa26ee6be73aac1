//! Setting a whole price: made, or put in place of what was there.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use shared::domain::price::Price;
use shared::failure::Failure;
use shared::store::configuration::Change;

use crate::answer::Answer;
use crate::app::App;
use crate::body::Body;
use crate::json::price::PriceJson;
use crate::json::price::body::PriceBody;
use crate::path::Named;
use crate::session::Admin;

/// Set a price, whether there is one or not
#[utoipa::path(
    post, path = "/api/prices", tag = "prices", request_body = PriceBody,
    responses(
        (status = 200, description = "The price, in place of another", body = PriceJson),
        (status = 201, description = "The price, which is new", body = PriceJson),
    ),
)]
pub(crate) async fn set_price(
    State(app): State<App>,
    _: Admin,
    Body(mut body): Body<PriceBody>,
) -> Answer<(StatusCode, Json<PriceJson>)> {
    let model = body.model.take().unwrap_or_default();
    Ok(put(&app, model, body).await?)
}

/// Set the price of a model, whether there is one or not
#[utoipa::path(
    put, path = "/api/prices/{*model}", tag = "prices", params(("model" = String, Path)),
    request_body = PriceBody,
    responses(
        (status = 200, description = "The price, in place of another", body = PriceJson),
        (status = 201, description = "The price, which is new", body = PriceJson),
    ),
)]
pub(crate) async fn replace_price(
    State(app): State<App>,
    _: Admin,
    Named(model): Named<String>,
    Body(body): Body<PriceBody>,
) -> Answer<(StatusCode, Json<PriceJson>)> {
    require_same(&body, &model)?;
    Ok(put(&app, model, body).await?)
}

/// Refuses a body that names another model than the path.
pub(super) fn require_same(body: &PriceBody, model: &str) -> Result<(), Failure> {
    if body.model.as_deref().is_none_or(|named| named == model) {
        return Ok(());
    }
    let text = "The path names another model. Set a price of its own instead.";
    Err(Failure::bad_field("model", text))
}

async fn put(
    app: &App,
    model: String,
    body: PriceBody,
) -> Result<(StatusCode, Json<PriceJson>), Failure> {
    let mut price = Price {
        model,
        ..Price::default()
    };
    body.apply(&mut price)?;
    let set = app.change(|configuration| {
        let status = match configuration.prices.named(&price.model) {
            Some(_) => StatusCode::OK,
            None => StatusCode::CREATED,
        };
        Ok((Change::PutPrice(Box::new(price.clone())), status))
    });
    let status = set.await?;
    Ok((status, Json((&price).into())))
}
