//! Listing a user's credits.

use axum::Json;
use axum::extract::State;
use shared::domain::id::{CreditId, UserId};

use super::movement::{self, CreditsQuery, MovementJson};
use super::show;
use crate::answer::{Answer, List};
use crate::app::App;
use crate::page;
use crate::path::Named;
use crate::query::Query;
use crate::session::Member;

/// List what was put into a user's wallet or taken out, latest first: one's own, or for administrators
/// anybody's
#[utoipa::path(
    get, path = "/api/users/{id}/credits", tag = "users",
    params(("id" = String, Path), CreditsQuery),
    responses((status = 200, description = "A page of credits", body = List<MovementJson>)),
)]
pub(crate) async fn list_credits(
    State(app): State<App>,
    member: Member,
    Named(id): Named<UserId>,
    Query(query): Query<CreditsQuery>,
) -> Answer<Json<List<MovementJson>>> {
    let user = show::load(&app, &member, id).await?;
    let span = movement::span(&app, &user, query.from, query.to)?;
    let cursor = query.cursor.map(|id| CreditId::from_bits(id.bits()));
    let size = page::size(query.limit);
    let credits = app.store.credits().list(id, span, size, cursor).await?;
    Ok(Json(List {
        data: credits.items.into_iter().map(Into::into).collect(),
        next_cursor: credits.next,
    }))
}
