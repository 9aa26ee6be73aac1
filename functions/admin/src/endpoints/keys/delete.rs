//! Removing a key. Calls in flight finish; new ones are refused.

use axum::extract::State;
use http::StatusCode;
use shared::domain::id::KeyId;

use super::show;
use crate::answer::Answer;
use crate::app::App;
use crate::path::Named;
use crate::session::Member;

/// Delete a key
#[utoipa::path(
    delete, path = "/api/keys/{id}", tag = "keys", params(("id" = String, Path)),
    responses((status = 204, description = "Deleted")),
)]
pub(crate) async fn delete_key(
    State(app): State<App>,
    member: Member,
    Named(id): Named<KeyId>,
) -> Answer<StatusCode> {
    let key = show::load(&app, &member, id).await?;
    app.store.keys().delete(key.id).await?;
    Ok(StatusCode::NO_CONTENT)
}
