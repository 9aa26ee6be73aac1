//! Showing a key.

use axum::Json;
use axum::extract::State;
use shared::domain::id::KeyId;
use shared::domain::key::Key;
use shared::failure::Failure;

use super::json::{self, KeyJson};
use crate::answer::Answer;
use crate::app::App;
use crate::path::Named;
use crate::session::Member;

/// Show a key: one's own, or for administrators anybody's
#[utoipa::path(
    get, path = "/api/keys/{id}", tag = "keys", params(("id" = String, Path)),
    responses((status = 200, description = "The key", body = KeyJson)),
)]
pub(crate) async fn show_key(
    State(app): State<App>,
    member: Member,
    Named(id): Named<KeyId>,
) -> Answer<Json<KeyJson>> {
    let key = load(&app, &member, id).await?;
    Ok(Json(json::of(&app, &key).await?))
}

/// The key, if `member` may know of it.
pub(super) async fn load(app: &App, member: &Member, id: KeyId) -> Result<Key, Failure> {
    let key = app.store.keys().find(id).await?;
    key.filter(|key| member.is_admin() || key.user_id == member.0.id)
        .ok_or_else(|| Failure::missing("key", &id))
}
