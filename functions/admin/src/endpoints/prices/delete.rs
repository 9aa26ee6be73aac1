//! Removing a price.

use axum::extract::State;
use http::StatusCode;
use shared::failure::Failure;

use super::show;
use crate::answer::Answer;
use crate::app::App;
use crate::path::Named;
use crate::session::Admin;

/// Delete a price
#[utoipa::path(
    delete, path = "/api/prices/{*model}", tag = "prices", params(("model" = String, Path)),
    responses((status = 204, description = "Deleted")),
)]
pub(crate) async fn delete_price(
    State(app): State<App>,
    _: Admin,
    Named(model): Named<String>,
) -> Answer<StatusCode> {
    let price = show::find(&app, &model).await?;
    let price = price.ok_or_else(|| Failure::missing("price of", &model))?;
    app.store.configuration().delete_price(&price.model).await?;
    Ok(StatusCode::NO_CONTENT)
}
