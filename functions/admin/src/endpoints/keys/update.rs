//! Changing a key.

use axum::Json;
use axum::extract::State;
use shared::domain::hold::WalletId;
use shared::domain::id::KeyId;
use shared::failure::Failure;

use super::body::KeyBody;
use super::json::{self, KeyJson};
use super::show;
use crate::answer::Answer;
use crate::app::App;
use crate::body::Body;
use crate::path::Named;
use crate::session::Member;

/// Change a key
///
/// Another budget counts what was spent and is held in this period on.
#[utoipa::path(
    method(patch, put), path = "/api/keys/{id}", tag = "keys", params(("id" = String, Path)),
    request_body = KeyBody,
    responses((status = 200, description = "The key", body = KeyJson)),
)]
pub(crate) async fn update_key(
    State(app): State<App>,
    member: Member,
    Named(id): Named<KeyId>,
    Body(body): Body<KeyBody>,
) -> Answer<Json<KeyJson>> {
    let mut key = show::load(&app, &member, id).await?;
    if body.user_id.is_some_and(|user| user != key.user_id) {
        return Err(Failure::bad_field("user_id", "A key stays with its user.").into());
    }
    let budget_is_given = body.budget.is_some();
    body.apply(&mut key, app.now())?;
    if let Some(budget) = key.budget.as_ref().filter(|_| budget_is_given) {
        let wallets = app.store.wallets();
        // What an earlier period spent is not carried into this one.
        wallets
            .reset_budget(WalletId::Key(id), budget, app.now())
            .await?;
        wallets
            .set_budget(WalletId::Key(id), budget, app.now())
            .await?;
    }
    app.store.keys().update(&key).await?;
    Ok(Json(json::of(&app, &key).await?))
}
