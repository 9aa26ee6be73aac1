//! Removing a redemption code that nobody redeemed.

use axum::extract::State;
use http::StatusCode;
use shared::domain::id::RedemptionCodeId;
use shared::failure::{Failure, Kind};
use shared::store::StoreError;

use super::show;
use crate::answer::Answer;
use crate::app::App;
use crate::path::Named;
use crate::session::Admin;

/// Delete a redemption code
///
/// One that was redeemed stays in the books.
#[utoipa::path(
    delete, path = "/api/redemption-codes/{id}", tag = "redemption codes",
    params(("id" = String, Path)),
    responses((status = 204, description = "Deleted")),
)]
pub(crate) async fn delete_redemption_code(
    State(app): State<App>,
    _: Admin,
    Named(id): Named<RedemptionCodeId>,
) -> Answer<StatusCode> {
    show::load(&app, id).await?;
    match app.store.redemption_codes().delete(id).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(StoreError::Conflict) => {
            let text = "This code was redeemed: it stays in the books.";
            Err(Failure::new(Kind::Conflict, "redemption_code_used", text).into())
        }
        Err(error) => Err(error.into()),
    }
}
