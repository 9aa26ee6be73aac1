//! Showing a redemption code.

use axum::Json;
use axum::extract::State;
use shared::domain::id::RedemptionCodeId;
use shared::failure::Failure;

use super::json::CodeJson;
use crate::answer::Answer;
use crate::app::App;
use crate::path::Named;
use crate::session::Admin;

/// Show a redemption code
#[utoipa::path(
    get, path = "/api/redemption-codes/{id}", tag = "redemption codes",
    params(("id" = String, Path)),
    responses((status = 200, description = "The code", body = CodeJson)),
)]
pub(crate) async fn show_redemption_code(
    State(app): State<App>,
    _: Admin,
    Named(id): Named<RedemptionCodeId>,
) -> Answer<Json<CodeJson>> {
    Ok(Json(load(&app, id).await?))
}

/// The code of that id.
pub(super) async fn load(app: &App, id: RedemptionCodeId) -> Result<CodeJson, Failure> {
    let code = app.store.redemption_codes().find(id).await?;
    let code = code.ok_or_else(|| Failure::missing("redemption code", &id))?;
    Ok(CodeJson::new(&code, &app.secrets().await?.master_key))
}
