//! Changing a redemption code: whether it is good, until when, and what is noted on it.

use axum::Json;
use axum::extract::State;
use shared::domain::id::RedemptionCodeId;
use shared::failure::Failure;
use shared::store::StoreError;

use super::body::UpdateBody;
use super::json::CodeJson;
use super::show;
use crate::answer::Answer;
use crate::app::App;
use crate::body::Body;
use crate::path::Named;
use crate::session::Admin;

/// Change a redemption code
///
/// What was redeemed stays redeemed.
#[utoipa::path(
    patch, path = "/api/redemption-codes/{id}", tag = "redemption codes",
    params(("id" = String, Path)), request_body = UpdateBody,
    responses((status = 200, description = "The code", body = CodeJson)),
)]
pub(crate) async fn update_redemption_code(
    State(app): State<App>,
    _: Admin,
    Named(id): Named<RedemptionCodeId>,
    Body(body): Body<UpdateBody>,
) -> Answer<Json<CodeJson>> {
    let change = body.read()?;
    match app.store.redemption_codes().update(id, &change).await {
        Ok(()) => Ok(Json(show::load(&app, id).await?)),
        Err(StoreError::Conflict) => Err(Failure::missing("redemption code", &id).into()),
        Err(error) => Err(error.into()),
    }
}
