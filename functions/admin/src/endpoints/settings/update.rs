//! Changing the settings.

use axum::Json;
use axum::extract::State;
use shared::store::configuration::Change;

use super::json::{SettingsBody, SettingsJson};
use crate::answer::Answer;
use crate::app::App;
use crate::body::Body;
use crate::session::Admin;

/// Change settings
#[utoipa::path(
    method(patch, put), path = "/api/settings", tag = "settings", request_body = SettingsBody,
    responses((status = 200, description = "The settings", body = SettingsJson)),
)]
pub(crate) async fn update_settings(
    State(app): State<App>,
    _: Admin,
    Body(body): Body<SettingsBody>,
) -> Answer<Json<SettingsJson>> {
    let changed = app.change(|configuration| {
        let settings = body.apply(&configuration.settings)?;
        let change = Change::PutSettings(Box::new(settings.clone()));
        Ok((change, Json(settings.into())))
    });
    Ok(changed.await?)
}
