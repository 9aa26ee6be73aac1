//! Removing a price.

use axum::extract::State;
use http::StatusCode;
use shared::failure::{Failure, Kind};
use shared::store::configuration::Change;

use super::show;
use crate::answer::Answer;
use crate::app::App;
use crate::path::Named;
use crate::session::Admin;

/// Delete a price; where one is built in, it holds again
#[utoipa::path(
    delete, path = "/api/prices/{*model}", tag = "prices", params(("model" = String, Path)),
    responses((status = 204, description = "Deleted"), (status = 409, description = "It is built in")),
)]
pub(crate) async fn delete_price(
    State(app): State<App>,
    _: Admin,
    Named(model): Named<String>,
) -> Answer<StatusCode> {
    let deleted = app.change(|configuration| {
        show::load(configuration, &model)?;
        if configuration.prices.named(&model).is_none() {
            let text = "This price is built in. Set another in its place instead.";
            return Err(Failure::new(Kind::Conflict, "built_in", text));
        }
        Ok((Change::DeletePrice(model.clone()), StatusCode::NO_CONTENT))
    });
    Ok(deleted.await?)
}
