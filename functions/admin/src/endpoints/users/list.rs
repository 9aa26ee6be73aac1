//! Listing users.

use axum::Json;
use axum::extract::State;

use crate::answer::{Answer, List};
use crate::app::App;
use crate::json::user::UserJson;
use crate::page::PageQuery;
use crate::query::Query;
use crate::session::Admin;
use crate::standing;

/// List users by name
#[utoipa::path(
    get, path = "/api/users", tag = "users", params(PageQuery),
    responses((status = 200, description = "A page of users", body = List<UserJson>)),
)]
pub(crate) async fn list_users(
    State(app): State<App>,
    _: Admin,
    Query(page): Query<PageQuery>,
) -> Answer<Json<List<UserJson>>> {
    let users = app.store.users().list(page.size(), page.cursor).await?;
    Ok(Json(List {
        data: standing::of_all(&app, &users.items).await?,
        next_cursor: users.next,
    }))
}
