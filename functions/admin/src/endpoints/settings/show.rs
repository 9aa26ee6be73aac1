//! Showing the settings.

use axum::Json;
use axum::extract::State;

use super::json::SettingsJson;
use crate::answer::Answer;
use crate::app::App;
use crate::session::Admin;

/// Show the settings
#[utoipa::path(
    get, path = "/api/settings", tag = "settings",
    responses((status = 200, description = "The settings", body = SettingsJson)),
)]
pub(crate) async fn show_settings(State(app): State<App>, _: Admin) -> Answer<Json<SettingsJson>> {
    let settings = app.store.configuration().load().await?.settings;
    Ok(Json(settings.into()))
}
